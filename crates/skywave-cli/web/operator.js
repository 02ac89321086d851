// The operator's view: all listeners with their figures and plots, the worst first.

import { Plot } from './plot.js';
import { bitRate, duration, millis, percent, request, sentence, sourceName, whole } from './server.js';
import { TokenForm } from './token.js';

const element = (id) => document.getElementById(id);
const plots = {
  listeners: new Plot(element('listeners-plot'), 1),
  sent: new Plot(element('sent-plot'), 100_000),
  lost: new Plot(element('lost-plot'), 0.05),
  lateness: new Plot(element('lateness-plot'), 0.005),
};

const controller = new TokenForm(element('controller'), 'control', refresh);
/** Those who hang up show the token of listeners, as the session is theirs. */
const viewer = new TokenForm(element('viewer'), 'viewer', () => hangUp(refused));
let refused = null;

/** The rows in sight, by the id of the session. */
const rows = new Map();
let before = null;

async function refresh() {
  if (document.hidden) return;
  try {
    const { headers } = controller;
    const get = async (url) => (await request(url, { headers })).json();
    const [stats, channels] = await Promise.all([get('/api/stats'), get('/api/channels')]);
    showChannels(channels);
    element('uptime').textContent = `for ${duration(stats.uptime)}`;
    element('view').hidden = stats.control !== 'allowed';
    if (stats.control === 'token') controller.ask(headers);
    else controller.hide();
    if (stats.control === 'local') throw new Error(NOT_HERE);
    if (unreachable) complain('');
    unreachable = false;
    if (stats.control !== 'allowed') return;
    showWhole(stats);
    showListeners(stats.listeners);
  } catch (error) {
    unreachable = true;
    complain(sentence(error));
  }
}

/** Whether the message is of the last look, and goes with it. */
let unreachable = false;

function complain(text) {
  element('message').textContent = text;
  element('message').hidden = text === '';
}

// ---- The whole -------------------------------------------------------------

/** The source as title; of several channels their number, and each with its source and audience. */
function showChannels(channels) {
  const [{ source }] = channels;
  const several = channels.length > 1;
  element('title').textContent = several ? `${channels.length} channels` : sourceName(source);
  element('title').title = several ? '' : source;
  element('channels').hidden = !several;
  if (!several) return;
  const lines = element('channels').children;
  // Made once, or who is at a link by keyboard would lose it each second.
  if (lines.length !== channels.length) element('channels').replaceChildren(...channels.map(newChannel));
  channels.forEach(({ source, listeners }, index) => {
    const audience = `${whole(listeners)} ${listeners === 1 ? 'listener' : 'listeners'}`;
    lines[index].lastChild.textContent = ` ${sourceName(source)} · ${audience}`;
    lines[index].title = source;
  });
}

function newChannel({ name }) {
  const line = document.createElement('li');
  const link = document.createElement('a');
  link.href = `/?channel=${encodeURIComponent(name)}`;
  link.textContent = name;
  line.append(link, document.createElement('span'));
  return line;
}

function showWhole({ listeners, engine, channels }) {
  const connected = listeners.filter((listener) => listener.state === 'connected').length;
  figure('listeners', connected, whole);
  figure('sent', sentSince(listeners), bitRate);
  figure('lost', mean(listeners.map((listener) => listener.fractionLost)), percent);
  figure('lateness', engine.lateness.p99, millis);
  const troubles = [
    ['frames dropped in overload', engine.framesDropped],
    ['sends refused by the system', engine.sendsRefused],
  ];
  for (const { name, track } of channels) {
    const where = channels.length > 1 ? ` on ${name}` : '';
    troubles.push([`frames skipped by the encoder${where}`, track.framesSkipped]);
    troubles.push([`ms of silence for want of sound${where}`, Math.round(track.underrunSamples / 48)]);
  }
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
  for (const [index, listener] of worst.entries()) {
    if (!rows.has(listener.id)) rows.set(listener.id, newRow(listener.id));
    const row = rows.get(listener.id);
    // Moved only if it must be: a button that moves loses the focus.
    const there = element('rows').children[index] ?? null;
    if (there !== row.line) element('rows').insertBefore(row.line, there);
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
  const headings = document.querySelectorAll('th');
  const line = document.createElement('tr');
  const cells = Object.fromEntries(COLUMNS.map((name, index) => {
    const cell = line.insertCell();
    // For narrow screens, where the table has no head.
    cell.dataset.label = headings[index].textContent;
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
  const { headers } = viewer;
  complain('');
  try {
    await request(`/whep/${encodeURIComponent(id)}`, { method: 'DELETE', headers });
    viewer.hide();
  } catch (error) {
    if (error.status === 401) {
      refused = id;
      viewer.ask(headers);
      viewer.focus();
      return;
    }
    // Hung up meanwhile.
    if (error.status === 404) viewer.hide();
    complain(sentence(error));
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
