// The operator's view: all listeners with their figures and plots, the worst first.

import { Plot } from './plot.js';
import { bitRate, duration, millis, percent, request, sentence, sourceName, whole } from './server.js';

const element = (id) => document.getElementById(id);
const plots = {
  listeners: new Plot(element('listeners-plot'), 1),
  sent: new Plot(element('sent-plot'), 100_000),
  lost: new Plot(element('lost-plot'), 0.05),
  lateness: new Plot(element('lateness-plot'), 0.005),
};

/** The rows in sight, by the id of the session. */
const rows = new Map();
let before = null;

async function refresh() {
  if (document.hidden) return;
  try {
    const stats = await (await request('/api/stats')).json();
    if (!stats.listeners) throw new Error(NOT_HERE);
    element('message').hidden = true;
    showWhole(stats);
    showListeners(stats.listeners);
  } catch (error) {
    element('message').textContent = sentence(error);
    element('message').hidden = false;
  }
}

// ---- The whole -------------------------------------------------------------

function showWhole(stats) {
  const { listeners, engine, track } = stats;
  element('title').textContent = sourceName(stats.source);
  element('title').title = stats.source;
  element('uptime').textContent = `for ${duration(stats.uptime)}`;
  const connected = listeners.filter((listener) => listener.state === 'connected').length;
  figure('listeners', connected, whole);
  figure('sent', sentSince(listeners), bitRate);
  figure('lost', mean(listeners.map((listener) => listener.fractionLost)), percent);
  figure('lateness', engine.lateness.p99, millis);
  const troubles = [
    ['frames dropped in overload', engine.framesDropped],
    ['sends refused by the system', engine.sendsRefused],
    ['frames skipped by the encoder', track.framesSkipped],
    ['ms of silence for want of sound', Math.round(track.underrunSamples / 48)],
  ];
  element('trouble').textContent = troubles
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${what}: ${whole(count)}`)
    .join(' · ');
}

function figure(name, value, words) {
  element(name).textContent = words(value);
  plots[name].push(value);
}

/** Bits a second since the last look, over those who were there at both. */
function sentSince(listeners) {
  const now = performance.now();
  const octets = new Map(listeners.map(({ id, bytesSent, headerBytesSent }) => [id, bytesSent + headerBytesSent]));
  const last = before;
  before = { now, octets };
  if (!last) return null;
  let sum = 0;
  for (const [id, sent] of octets) sum += sent - (last.octets.get(id) ?? sent);
  return (sum * 8000) / (now - last.now);
}

function mean(values) {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

// ---- The listeners ---------------------------------------------------------

function showListeners(listeners) {
  const order = (a, b) => trouble(b) - trouble(a) || a.id.localeCompare(b.id);
  const worst = [...listeners].sort(order).slice(0, SHOWN);
  const seen = new Set(worst.map((listener) => listener.id));
  for (const [id, row] of rows) {
    if (seen.has(id)) continue;
    row.line.remove();
    rows.delete(id);
  }
  for (const listener of worst) {
    if (!rows.has(listener.id)) rows.set(listener.id, newRow(listener.id));
    const row = rows.get(listener.id);
    // Moves it to its place.
    element('rows').append(row.line);
    showRow(row, listener);
  }
  const hidden = listeners.length - worst.length;
  element('more').textContent = hidden > 0 ? `and ${whole(hidden)} more, who hear it better` : '';
  if (listeners.length === 0) element('more').textContent = 'Nobody listens.';
}

/** Who should be looked at first. Coarse, so that rows do not dance. */
function trouble({ state, fractionLost, roundTripTime }) {
  const unsettled = state === 'connected' ? 0 : 1000;
  return unsettled + Math.round(fractionLost * 20) + Math.round((roundTripTime ?? 0) * 4);
}

function newRow(id) {
  const line = document.createElement('tr');
  const cells = Object.fromEntries(COLUMNS.map((name) => {
    const cell = line.insertCell();
    const text = document.createElement('span');
    cell.append(text);
    return [name, text];
  }));
  const plot = (name, least) => {
    const canvas = document.createElement('canvas');
    cells[name].after(canvas);
    return new Plot(canvas, least);
  };
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = '×';
  button.title = 'Hang up';
  button.addEventListener('click', () => hangUp(id));
  line.insertCell().append(button);
  return {
    line,
    cells,
    plots: { trip: plot('trip', 0.02), lost: plot('lost', 0.05), jitter: plot('jitter', 0.01) },
  };
}

function showRow({ line, cells, plots }, listener) {
  line.dataset.state = listener.state;
  cells.listener.textContent = listener.remoteAddress ?? 'not connected yet';
  cells.listener.title = listener.id;
  cells.state.textContent = listener.state;
  cells.state.title = listener.reason ?? '';
  cells.codec.textContent = listener.mimeType?.replace('audio/', '') ?? '–';
  cells.quality.textContent = listener.estimatedMos?.toFixed(1) ?? '–';
  cells.trip.textContent = millis(listener.roundTripTime);
  cells.lost.textContent = percent(listener.fractionLost);
  cells.jitter.textContent = millis(listener.jitter);
  plots.trip.push(listener.roundTripTime);
  plots.lost.push(listener.fractionLost);
  plots.jitter.push(listener.jitter);
}

async function hangUp(id) {
  try {
    await request(`/whep/${encodeURIComponent(id)}`, { method: 'DELETE' });
  } catch (error) {
    element('message').textContent = sentence(error);
    element('message').hidden = false;
  }
  refresh();
}

// ---- Beginning ---------------------------------------------------------------

const COLUMNS = ['listener', 'state', 'codec', 'quality', 'trip', 'lost', 'jitter'];
/** Rows in sight at once. */
const SHOWN = 100;
const NOT_HERE = 'Listeners are shown only on the computer that skywave runs on.';

document.addEventListener('visibilitychange', refresh);
setInterval(refresh, 1000);
refresh();
