// The page of skywave: one WHEP listener with its meter, its figures and the
// control that swaps the source.

import { Meter, decibels } from './meter.js';
import { Plot } from './plot.js';
import { bitRate, duration, millis, percent, request, sentence, sourceName, whole } from './server.js';

const element = (id) => document.getElementById(id);
const main = document.querySelector('main');
const audio = element('audio');
const meter = new Meter(document.querySelectorAll('#meter i'), element('play'));

/** Each figure with its rolling plot. */
const plots = {
  trip: new Plot(element('trip-plot'), 0.02),
  lost: new Plot(element('lost-plot'), 0.05),
  jitter: new Plot(element('jitter-plot'), 0.01),
  level: new Plot(element('level-plot'), 1),
};

/** The call on the line: {pc, session, since, timer, before}; null when idle or ended. */
let call = null;

// ---- Calling -------------------------------------------------------------

/** Runs inside the click: what follows the first await is no longer the user's gesture. */
async function play() {
  if (!window.RTCPeerConnection) {
    show('failed', 'This browser has no WebRTC, so it cannot receive the sound.');
    return;
  }
  const pc = new RTCPeerConnection();
  const mine = { pc, session: null, since: null, timer: null, before: {} };
  call = mine;
  window.skywave = { pc };
  for (const figure of document.querySelectorAll('dd > span')) figure.textContent = '–';
  for (const plot of Object.values(plots)) plot.clear();
  element('elapsed').textContent = '0:00';
  element('received').textContent = '';
  show('connecting');

  const { receiver } = pc.addTransceiver('audio', { direction: 'recvonly' });
  const stream = new MediaStream([receiver.track]);
  audio.srcObject = stream;
  startSound();
  meter.attach(stream);

  pc.addEventListener('connectionstatechange', () => mine === call && follow(mine));
  try {
    const offer = await pc.createOffer();
    await pc.setLocalDescription({ type: 'offer', sdp: withStereo(offer.sdp) });
    // The server is ICE-lite and learns our address from our checks: no
    // candidate of ours need be waited for.
    await negotiate(mine);
  } catch (error) {
    if (mine === call) end('failed', sentence(error));
  }
}

/** WHEP: the offer in a POST, the answer and the session's address in its response. */
async function negotiate(mine) {
  const response = await knock(mine);
  const session = response.headers.get('location');
  const sdp = await response.text();
  if (mine !== call) {
    // Stopped while the offer was under way: the server does not know yet.
    hangUp(session);
    return;
  }
  mine.session = session;
  mine.timer = setTimeout(() => mine === call && follow(mine, true), CONNECT_MS);
  await mine.pc.setRemoteDescription({ type: 'answer', sdp });
  // A hang-up by the server closes DTLS; the state of the connection may not show it.
  const { transport } = mine.pc.getReceivers()[0];
  transport?.addEventListener('statechange', () => {
    if (mine === call && transport.state === 'closed') endedByServer(mine);
  });
}

/** Posts the offer; again, while the server has no room and says when to come back. */
async function knock(mine) {
  for (;;) {
    try {
      return await request('/whep', {
        method: 'POST',
        headers: { 'content-type': 'application/sdp' },
        body: mine.pc.localDescription.sdp,
      });
    } catch (error) {
      if (!error.retryAfter || mine !== call) throw error;
      show('connecting', `${sentence(error)} Trying again in ${error.retryAfter} s.`);
      await new Promise((done) => { setTimeout(done, error.retryAfter * 1000); });
      if (mine !== call) throw error;
      show('connecting');
    }
  }
}

/** Follows the state of the connection. */
function follow(mine, late = false) {
  const state = mine.pc.connectionState;
  if (state === 'connected') {
    clearTimeout(mine.timer);
    mine.since ??= performance.now();
    show('connected');
  } else if (state === 'disconnected') {
    show('connecting', 'The connection is interrupted; waiting for it to come back.');
  } else if (state === 'closed') {
    endedByServer(mine);
  } else if (state === 'failed' && mine.since !== null) {
    end('failed', 'The connection was lost. Press Play to listen again.');
  } else if (state === 'failed' || late) {
    end('failed', 'No sound gets through from the server. Perhaps a firewall blocks UDP on the way.');
  }
}

function endedByServer(mine) {
  mine.session = null;
  end('ended', 'The server has hung up.');
}

/** Opus is mono unless the receiver says otherwise (RFC 7587 §6.1). */
function withStereo(sdp) {
  const opus = sdp.match(/^a=rtpmap:(\d+) opus\/48000\/2$/im)?.[1];
  const format = new RegExp(`^a=fmtp:${opus} .*$`, 'm');
  return sdp.replace(format, (line) => (/[ ;]stereo=1/.test(line) ? line : `${line};stereo=1`));
}

/** Starts the sound, now or at the next touch if the browser holds it back. */
async function startSound() {
  try {
    await audio.play();
  } catch (error) {
    if (error.name !== 'NotAllowedError' || !call) return;
    show(main.dataset.state, 'The browser holds the sound back. Click anywhere to hear it.');
    addEventListener('pointerdown', () => {
      show(main.dataset.state);
      meter.resume();
      audio.play().catch(() => {});
    }, { once: true });
  }
}

/** Ends the call, whoever ended it. */
function end(state, message) {
  const ended = call;
  call = null;
  meter.detach();
  audio.srcObject = null;
  if (ended) {
    clearTimeout(ended.timer);
    // Closed after the DELETE: closing says goodbye as well, and the session
    // would be gone before it is asked for.
    hangUp(ended.session).finally(() => ended.pc.close());
  }
  show(state, message);
}

/** Outlives the page (keepalive); whether it arrives changes nothing here. */
async function hangUp(session) {
  if (!session) return;
  const signal = AbortSignal.timeout(HANG_UP_MS);
  await fetch(session, { method: 'DELETE', keepalive: true, signal }).catch(() => {});
}

// ---- Showing -------------------------------------------------------------

function show(state, message = '') {
  main.dataset.state = state;
  element('state').textContent = state;
  element('action').textContent = call ? 'Stop' : 'Play';
  element('elapsed').hidden = call?.since == null;
  element('message').textContent = message;
  element('message').hidden = message === '';
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
  const stats = [...(await mine.pc.getStats()).values()];
  if (mine !== call) return;
  const inbound = stats.find((entry) => entry.type === 'inbound-rtp') ?? {};
  const pair = stats.find((entry) => entry.type === 'candidate-pair' && entry.nominated);
  const codec = stats.find((entry) => entry.id === inbound.codecId);
  const second = since(mine, inbound);

  figure('trip', pair?.currentRoundTripTime, millis);
  figure('lost', second?.lost, percent);
  figure('jitter', inbound.jitter, millis);
  figure('level', meter.loudness(), decibels);
  const parts = [
    codec?.mimeType.replace('audio/', ''),
    second && bitRate(second.bits),
    inbound.packetsReceived != null && `${whole(inbound.packetsReceived)} packets`,
    inbound.packetsLost > 0 && `${whole(inbound.packetsLost)} lost`,
  ];
  element('received').textContent = parts.filter(Boolean).join(' · ');
}

function figure(name, value, words) {
  element(name).textContent = words(value);
  plots[name].push(value);
}

/** What came since the last look: the share lost and bits a second; null at the first look. */
function since(mine, { packetsReceived, packetsLost, bytesReceived, timestamp }) {
  const now = { packetsReceived, packetsLost, bytesReceived, timestamp };
  const before = mine.before;
  mine.before = now;
  const time = (timestamp - before.timestamp) / 1000;
  if (!(time > 0)) return null;
  // Packets that come late after all can make it negative.
  const lost = Math.max(packetsLost - before.packetsLost, 0);
  const received = packetsReceived - before.packetsReceived;
  return {
    lost: lost / Math.max(lost + received, 1),
    bits: (bytesReceived - before.bytesReceived) * 8 / time,
  };
}

// ---- The server ----------------------------------------------------------

/** What plays may change at any time, by another page or by the API. */
async function refresh() {
  if (document.hidden) return;
  try {
    const stats = await (await request('/api/stats')).json();
    showSource(stats.source);
    // The listeners are shown, and swapping is allowed, on the server's own computer.
    element('control').hidden = !('listeners' in stats);
    if (unreachable && !call) show('idle');
    unreachable = false;
  } catch (error) {
    unreachable = true;
    if (!call) show('failed', sentence(error));
  }
}
let unreachable = false;

async function swap() {
  const reply = element('reply');
  element('swap').disabled = true;
  try {
    const response = await request('/api/source', {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ source: element('source').value.trim() }),
    });
    showSource((await response.json()).source);
    reply.textContent = '';
    reply.className = '';
  } catch (error) {
    reply.textContent = error.message;
    reply.className = 'refused';
  }
  element('swap').disabled = false;
}

// ---- Beginning -----------------------------------------------------------

const CONNECT_MS = 15_000;
const HANG_UP_MS = 2_000;

element('play').addEventListener('click', () => (call ? end('ended') : play()));
element('swapper').addEventListener('submit', (event) => {
  event.preventDefault();
  swap();
});
addEventListener('pagehide', () => call && end('ended'));
document.addEventListener('visibilitychange', refresh);
setInterval(showFigures, 1000);
setInterval(refresh, 3000);
refresh();
