// The page of skywave: one WHEP listener with its meter, its figures and the
// control that swaps the source.

const element = (id) => document.getElementById(id);
const main = document.querySelector('main');
const audio = element('audio');

/** The call on the line: {pc, session, since, timer}; null when idle or ended. */
let call = null;

// ---- Calling -------------------------------------------------------------

/** Runs inside the click: what follows the first await is no longer the user's gesture. */
async function play() {
  if (!window.RTCPeerConnection) {
    show('failed', 'This browser has no WebRTC, so it cannot receive the sound.');
    return;
  }
  const pc = new RTCPeerConnection();
  const mine = { pc, session: null, since: null, timer: null };
  call = mine;
  window.skywave = { pc };
  for (const figure of document.querySelectorAll('dd')) figure.textContent = '–';
  element('elapsed').textContent = '0:00';
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
  // Of a path the last part is the name; the whole of it is in the tooltip.
  const name = source === '-' ? 'Standard input' : source.split(/[\\/]/).pop();
  element('title').textContent = name;
  element('title').title = source;
  document.title = `${name} · skywave`;
}

async function showFigures() {
  if (call?.since == null) return;
  const seconds = Math.floor((performance.now() - call.since) / 1000);
  const minutes = Math.floor(seconds / 60);
  const padded = (number) => String(number).padStart(2, '0');
  element('elapsed').textContent = minutes < 60
    ? `${minutes}:${padded(seconds % 60)}`
    : `${Math.floor(minutes / 60)}:${padded(minutes % 60)}:${padded(seconds % 60)}`;

  const stats = [...(await call.pc.getStats()).values()];
  const inbound = stats.find((entry) => entry.type === 'inbound-rtp');
  const pair = stats.find((entry) => entry.type === 'candidate-pair' && entry.nominated);
  const whole = (number) => number?.toLocaleString('en') ?? '–';
  const millis = (time) => (time == null ? '–' : `${(time * 1000).toFixed(time < 0.01 ? 1 : 0)} ms`);
  element('packets').textContent = whole(inbound?.packetsReceived);
  element('lost').textContent = whole(inbound?.packetsLost);
  element('jitter').textContent = millis(inbound?.jitter);
  element('trip').textContent = millis(pair?.currentRoundTripTime);
}

/** Two bars and the ring of the button, from what is really heard. */
const meter = {
  context: null,
  analysers: [],
  source: null,
  bars: document.querySelectorAll('#meter i'),
  shown: [0, 0],
  samples: new Float32Array(2048),

  attach(stream) {
    if (!window.AudioContext) return;
    if (!this.context) {
      this.context = new AudioContext();
      this.splitter = this.context.createChannelSplitter(2);
      // Mono is heard on both sides and shown so.
      this.input = new GainNode(this.context, { channelCount: 2, channelCountMode: 'explicit' });
      this.input.connect(this.splitter);
      this.analysers = [0, 1].map((channel) => {
        const analyser = this.context.createAnalyser();
        this.splitter.connect(analyser, channel);
        return analyser;
      });
    }
    this.resume();
    this.source = this.context.createMediaStreamSource(stream);
    this.source.connect(this.input);
    if (!this.drawing) {
      this.drawing = true;
      requestAnimationFrame(() => this.draw());
    }
  },

  detach() {
    this.source?.disconnect();
    this.source = null;
  },

  resume() {
    this.context?.resume().catch(() => {});
  },

  draw() {
    this.analysers.forEach((analyser, channel) => {
      const level = this.source ? this.level(analyser) : 0;
      // Up at once, down slowly, as meters do.
      this.shown[channel] = Math.max(level, this.shown[channel] - 0.02);
      this.bars[channel].style.transform = `scaleX(${this.shown[channel].toFixed(3)})`;
    });
    const loudest = Math.max(...this.shown);
    element('play').style.setProperty('--level', loudest.toFixed(3));
    this.drawing = this.source !== null || loudest > 0;
    if (this.drawing) requestAnimationFrame(() => this.draw());
  },

  /** 0 for -60 dBFS or less, 1 for a full-scale peak. */
  level(analyser) {
    analyser.getFloatTimeDomainData(this.samples);
    let peak = 0;
    for (const sample of this.samples) peak = Math.max(peak, Math.abs(sample));
    return Math.min(Math.max(1 + (20 * Math.log10(peak || 1e-9)) / 60, 0), 1);
  },
};

// ---- The server ----------------------------------------------------------

/** A response of success, or an Error with the server's own sentence. */
async function request(url, options = {}) {
  let response;
  try {
    response = await fetch(url, { ...options, signal: AbortSignal.timeout(REQUEST_MS) });
  } catch (error) {
    throw new Error(error.name === 'TimeoutError' ? 'The server does not answer.' : UNREACHABLE);
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  const text = problem.detail ?? `The server answered ${response.status} ${response.statusText}`;
  const retryAfter = Number(response.headers.get('retry-after'));
  throw Object.assign(new Error(text), { retryAfter });
}

/** The words of an error as a sentence of the page. */
function sentence(error) {
  const text = error.message || String(error);
  return /[.!?]$/.test(text) ? text : `${text[0].toUpperCase()}${text.slice(1)}.`;
}

/** What plays may change at any time, by another page or by the API. */
async function refresh() {
  if (document.hidden) return;
  try {
    const stats = await (await request('/api/stats')).json();
    showSource(stats.source);
    // The listeners are shown, and swapping is allowed, on the server's own computer.
    element('swapper').hidden = !('listeners' in stats);
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
const REQUEST_MS = 10_000;
const HANG_UP_MS = 2_000;
const UNREACHABLE = 'skywave cannot be reached. Is it still running?';

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
