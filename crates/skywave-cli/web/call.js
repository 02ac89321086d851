// One call: a WHEP session with its connection, its figures and its end.

import { request, sentence } from './server.js';

export class Call {
  /**
   * @param {string} whep where to listen
   * @param {Record<string, string>} headers that show who listens
   * @param {(state: string, message?: string, error?: Error) => void} report hears of each
   *   change, the end included and nothing after it
   */
  constructor(whep, headers, report) {
    this.whep = whep;
    this.headers = headers;
    this.report = report;
    this.session = null;
    /** When it was connected first. */
    this.since = null;
    this.timer = null;
    this.over = false;
    this.before = {};
    this.pc = new RTCPeerConnection();
    this.pc.addEventListener('connectionstatechange', () => this.follow());
    const { receiver } = this.pc.addTransceiver('audio', { direction: 'recvonly' });
    this.stream = new MediaStream([receiver.track]);
  }

  async start() {
    this.report('connecting');
    try {
      const offer = await this.pc.createOffer();
      await this.pc.setLocalDescription({ type: 'offer', sdp: withStereo(offer.sdp) });
      // The server is ICE-lite and learns our address from our checks: no
      // candidate of ours need be waited for.
      await this.negotiate();
    } catch (error) {
      this.end('failed', error.status === 406 ? `${UNPLAYABLE} ${sentence(error)}` : sentence(error), error);
    }
  }

  /** WHEP: the offer in a POST, the answer and the session's address in its response. */
  async negotiate() {
    const response = await this.knock();
    const session = response.headers.get('location');
    const sdp = await response.text();
    if (this.over) {
      // Stopped while the offer was under way: the server does not know yet.
      hangUp(session, this.headers);
      return;
    }
    this.session = session;
    this.timer = setTimeout(() => this.follow(true), CONNECT_MS);
    await this.pc.setRemoteDescription({ type: 'answer', sdp });
    // A hang-up by the server closes DTLS; the state of the connection may not show it.
    const { transport } = this.pc.getReceivers()[0];
    transport?.addEventListener('statechange', () => {
      if (transport.state === 'closed') this.endedByServer();
    });
  }

  /** Posts the offer; again, while the server has no room and says when to come back. */
  async knock() {
    for (;;) {
      try {
        return await request(this.whep, {
          method: 'POST',
          headers: { ...this.headers, 'content-type': 'application/sdp' },
          body: this.pc.localDescription.sdp,
        });
      } catch (error) {
        if (!error.retryAfter || this.over) throw error;
        this.report('connecting', `${sentence(error)} Trying again in ${error.retryAfter} s.`);
        await new Promise((done) => { setTimeout(done, error.retryAfter * 1000); });
        if (this.over) throw error;
        this.report('connecting');
      }
    }
  }

  /** Follows the state of the connection. */
  follow(late = false) {
    if (this.over) return;
    const state = this.pc.connectionState;
    if (state === 'connected') {
      clearTimeout(this.timer);
      this.since ??= performance.now();
      this.report('connected');
    } else if (state === 'disconnected') {
      this.report('connecting', 'The connection is interrupted; waiting for it to come back.');
    } else if (state === 'closed') {
      this.endedByServer();
    } else if (state === 'failed' && this.since !== null) {
      this.end('failed', 'The connection was lost. Press Play to listen again.');
    } else if (state === 'failed' || late) {
      this.end('failed', 'No sound gets through from the server. Perhaps a firewall blocks UDP on the way.');
    }
  }

  endedByServer() {
    if (this.over) return;
    this.session = null;
    this.end('ended', 'The server has hung up.');
  }

  /** Ends the call, whoever ended it. */
  end(state, message, error) {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.timer);
    // Closed after the DELETE: closing says goodbye as well, and the session
    // would be gone before it is asked for.
    hangUp(this.session, this.headers).finally(() => this.pc.close());
    this.report(state, message, error);
  }

  /** What the browser counts: seconds, shares of 1, bits a second; what is not known is missing. */
  async figures() {
    const stats = [...(await this.pc.getStats()).values()];
    const inbound = stats.find((entry) => entry.type === 'inbound-rtp') ?? {};
    const pair = stats.find((entry) => entry.type === 'candidate-pair' && entry.nominated);
    const codec = stats.find((entry) => entry.id === inbound.codecId);
    return {
      roundTripTime: pair?.currentRoundTripTime,
      jitter: inbound.jitter,
      codec: codec?.mimeType.replace('audio/', ''),
      packetsReceived: inbound.packetsReceived,
      packetsLost: inbound.packetsLost,
      ...this.sinceLast(inbound),
    };
  }

  /** What came since the last look; nothing at the first. */
  sinceLast({ packetsReceived, packetsLost, bytesReceived, timestamp }) {
    const { before } = this;
    this.before = { packetsReceived, packetsLost, bytesReceived, timestamp };
    const time = (timestamp - before.timestamp) / 1000;
    if (!(time > 0)) return {};
    // Packets that come late after all can make it negative.
    const lost = Math.max(packetsLost - before.packetsLost, 0);
    const received = packetsReceived - before.packetsReceived;
    return {
      fractionLost: lost / Math.max(lost + received, 1),
      bits: ((bytesReceived - before.bytesReceived) * 8) / time,
    };
  }
}

/** Opus is mono unless the receiver says otherwise (RFC 7587 §6.1). */
function withStereo(sdp) {
  const opus = sdp.match(/^a=rtpmap:(\d+) opus\/48000\/2$/im)?.[1];
  const format = new RegExp(`^a=fmtp:${opus} .*$`, 'm');
  return sdp.replace(format, (line) => (/[ ;]stereo=1/.test(line) ? line : `${line};stereo=1`));
}

/** Outlives the page (keepalive); whether it arrives changes nothing here. */
async function hangUp(session, headers) {
  if (!session) return;
  const signal = AbortSignal.timeout(HANG_UP_MS);
  await fetch(session, { method: 'DELETE', headers, keepalive: true, signal }).catch(() => {});
}

/** What the reason means for which an offer is not acceptable (RFC 9725 §4.4). */
const UNPLAYABLE = 'The server has nothing that this browser can play.';
const CONNECT_MS = 15_000;
const HANG_UP_MS = 2_000;
