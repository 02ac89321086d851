// The page of skywave: one listener with its channel, its meter, its figures
// and the control that swaps the source.

import { Call } from './call.js';
import { Meter, decibels } from './meter.js';
import { Plot } from './plot.js';
import { bitRate, duration, millis, percent, request, sentence, sourceName, whole } from './server.js';
import { TokenForm } from './token.js';

const element = (id) => document.getElementById(id);
const main = document.querySelector('main');
const audio = element('audio');
const meter = new Meter(document.querySelectorAll('#meter i'), element('play'));
const viewer = new TokenForm(element('viewer'), 'viewer', play);
const controller = new TokenForm(element('controller'), 'control', refreshControl);

/** Each figure with its rolling plot. */
const plots = {
  trip: new Plot(element('trip-plot'), 0.02),
  lost: new Plot(element('lost-plot'), 0.05),
  jitter: new Plot(element('jitter-plot'), 0.01),
  level: new Plot(element('level-plot'), 1),
};

/** The call on the line; null when idle or ended. */
let call = null;

// ---- Calling -------------------------------------------------------------

/** Runs inside the click: what follows an await is no longer the user's gesture. */
function play() {
  if (!window.RTCPeerConnection) {
    show('failed', 'This browser has no WebRTC, so it cannot receive the sound.');
    return;
  }
  for (const figure of document.querySelectorAll('dd > span')) figure.textContent = '–';
  for (const plot of Object.values(plots)) plot.clear();
  element('elapsed').textContent = '0:00';
  element('received').textContent = '';

  call = new Call(endpoint(), viewer.headers, follow);
  window.skywave = { pc: call.pc };
  audio.srcObject = call.stream;
  heldBack = false;
  startSound();
  meter.attach(call.stream);
  call.start();
}

/** Shows what became of the call. */
function follow(state, message, error) {
  const { headers, over } = call;
  if (over) {
    call = null;
    meter.detach();
    audio.srcObject = null;
  }
  if (error?.status === 401) {
    show('idle');
    viewer.ask(headers);
    viewer.focus();
    return;
  }
  if (state === 'connected') viewer.hide();
  show(state, message);
}

function stop() {
  call?.end('ended');
}

/** Starts the sound, now or at the next touch if the browser holds it back. */
async function startSound() {
  const refused = await audio.play().then(() => null, (error) => error);
  if (refused && (refused.name !== 'NotAllowedError' || !call)) return;
  if (heldBack === (refused !== null)) return;
  heldBack = refused !== null;
  show(main.dataset.state, said);
}

/** Whether the browser waits for a touch before it makes a sound. */
let heldBack = false;

/** Whether it did so when the touch began that may become a click. */
let heldBackAtTouch = false;

/** The user has touched the page. */
function touched() {
  if (!heldBack || !call) return;
  meter.resume();
  startSound();
}

// ---- Channels ------------------------------------------------------------

/** As the server lists them, and the name of the chosen one; null is the first. */
let channels = [];
let chosen = new URLSearchParams(location.search).get('channel');

function channel() {
  return channels.find(({ name }) => name === chosen);
}

/** Where to listen; before the list is there, what the address of the page says. */
function endpoint() {
  if (chosen === null) return '/whep';
  return channel()?.whep ?? `/whep/${encodeURIComponent(chosen)}`;
}

function showChannels(list) {
  const names = (of) => of.map(({ name }) => name).join();
  const changed = names(list) !== names(channels);
  channels = list;
  const unknown = chosen !== null && !channel();
  if (unknown && !call) show('idle', `There is no channel “${chosen}”; this is “${channels[0].name}”.`);
  if (chosen === null || (unknown && !call)) chosen = channels[0].name;
  if (changed) {
    element('channel').replaceChildren(...channels.map(({ name }) => new Option(name)));
    element('chooser').hidden = channels.length < 2;
  }
  element('channel').value = chosen;
  if (channel()) showSource(channel().source);
}

/** Another channel: what plays is hung up, and the new one plays. */
function choose(name) {
  const playing = call !== null;
  stop();
  chosen = name;
  const address = new URL(location);
  address.searchParams.set('channel', name);
  history.replaceState(null, '', address);
  showSource(channel().source);
  element('reply').textContent = '';
  if (playing) play();
  else show('idle');
}

// ---- Showing -------------------------------------------------------------

/** What the page last said of the call. */
let said = '';

function show(state, message = '') {
  said = message;
  main.dataset.state = state;
  element('state').textContent = state;
  element('action').textContent = call ? 'Stop' : 'Play';
  element('elapsed').hidden = call?.since == null;
  const text = message || (call && heldBack ? HELD_BACK : '');
  element('message').textContent = text;
  element('message').hidden = text === '';
}

function showSource(source) {
  const name = sourceName(source);
  element('title').textContent = name;
  element('title').title = source;
  document.title = `${name} · skywave`;
}

/** Once a second: what the browser counts, in words and in the plots. */
async function showFigures() {
  const mine = call;
  if (mine?.since == null) return;
  element('elapsed').textContent = duration((performance.now() - mine.since) / 1000);
  const figures = await mine.figures();
  if (mine !== call) return;
  figure('trip', figures.roundTripTime, millis);
  figure('lost', figures.fractionLost, percent);
  figure('jitter', figures.jitter, millis);
  figure('level', meter.loudness(), decibels);
  const parts = [
    figures.codec,
    figures.bits != null && bitRate(figures.bits),
    figures.packetsReceived != null && `${whole(figures.packetsReceived)} packets`,
    figures.packetsLost > 0 && `${whole(figures.packetsLost)} lost`,
  ];
  element('received').textContent = parts.filter(Boolean).join(' · ');
}

function figure(name, value, words) {
  element(name).textContent = words(value);
  plots[name].push(value);
}

// ---- The server ----------------------------------------------------------

/** What plays may change at any time, by another page or by the API. */
async function refresh() {
  if (document.hidden) return;
  try {
    const list = await (await request('/api/channels', { headers: controller.headers })).json();
    if (unreachable && !call) show('idle');
    showChannels(list);
    if (unreachable) await refreshControl();
    unreachable = false;
  } catch (error) {
    unreachable = true;
    if (!call) show('failed', sentence(error));
  }
}
/** Whether the last look failed, or there was none yet. */
let unreachable = true;

/** Whether this page may swap, may with a token, or may not. */
async function refreshControl() {
  const { headers } = controller;
  const { control } = await (await request('/api/stats', { headers })).json();
  element('control').hidden = control !== 'allowed';
  element('locked').hidden = control !== 'token';
  if (control === 'token') controller.ask(headers);
  else controller.hide();
}

async function swap() {
  const reply = element('reply');
  const { headers } = controller;
  element('swap').disabled = true;
  try {
    const response = await request(`/api/channels/${encodeURIComponent(chosen)}/source`, {
      method: 'PUT',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ source: element('source').value.trim() }),
    });
    showSource((await response.json()).source);
    reply.textContent = '';
    reply.className = '';
  } catch (error) {
    reply.textContent = sentence(error);
    reply.className = 'refused';
    if (error.status === 401 || error.status === 403) await refreshControl().catch(() => {});
  }
  element('swap').disabled = false;
}

// ---- Beginning -----------------------------------------------------------

const HELD_BACK = 'The browser holds the sound back. Click or press a key to hear it.';

element('play').addEventListener('click', () => {
  if (!call) play();
  // Who wants to hear it presses the large button too, which stops what is heard.
  else if (heldBackAtTouch) touched();
  else stop();
});
element('channel').addEventListener('change', (event) => choose(event.target.value));
element('swapper').addEventListener('submit', (event) => {
  event.preventDefault();
  swap();
});
// A finger that comes down may be about to scroll: it counts as leave to make a sound when it is
// lifted (HTML, "activation triggering input event"), in some browsers only with the click.
for (const kind of ['pointerdown', 'keydown']) {
  addEventListener(kind, () => { heldBackAtTouch = heldBack; }, { capture: true });
}
for (const kind of ['pointerup', 'click', 'keydown']) addEventListener(kind, touched);
addEventListener('pagehide', stop);
document.addEventListener('visibilitychange', refresh);
setInterval(showFigures, 1000);
setInterval(refresh, 3000);
refresh();
