// Measures what a page hears and receives. Evaluated in the page; defines the global `probe`.
"use strict";

globalThis.probe = {
  // Whether sound may start here: only after a user has activated the page.
  async autoplays() {
    // One silent sample of 8-bit PCM at 8 kHz.
    const wav = "UklGRiUAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQEAAACA";
    const refused = await new Audio("data:audio/wav;base64," + wav).play().catch((error) => error);
    if (refused && refused.name !== "NotAllowedError") throw refused;
    return !refused;
  },

  // Answers an offer of audio with a new peer connection, `this.pc`.
  async answer(offer) {
    this.pc?.close();
    this.pc = new RTCPeerConnection();
    await this.pc.setRemoteDescription({ type: "offer", sdp: offer });
    await this.pc.setLocalDescription();
    return this.pc.localDescription.sdp;
  },

  // Offers to receive audio with a new peer connection, `this.pc`, and wants this feedback on Opus.
  async offer(feedback) {
    this.pc?.close();
    this.pc = new RTCPeerConnection();
    this.pc.addTransceiver("audio", { direction: "recvonly" });
    const { type, sdp } = await this.pc.createOffer();
    const line = feedback ? `a=rtcp-fb:$1 ${feedback}\r\n` : "";
    const wanting = sdp.replace(/a=rtpmap:(\d+) opus.*\r\n/, "$&" + line);
    await this.pc.setLocalDescription({ type, sdp: wanting });
    return this.pc.localDescription.sdp;
  },

  // Takes the answer to the offer of `this.pc`.
  async accept(answer) {
    await this.pc.setRemoteDescription({ type: "answer", sdp: answer });
    return true;
  },

  // Starts to measure the audio a peer connection receives. Needs a page the user has clicked.
  async listen(pc) {
    const stream = new MediaStream(pc.getReceivers().map((receiver) => receiver.track));
    // Chromium decodes a remote stream only once a media element plays it.
    this.element = new Audio();
    this.element.muted = true;
    this.element.srcObject = stream;
    await this.element.play();
    await this.context?.close();
    this.context = new AudioContext();
    await this.running();
    this.analyser = new AnalyserNode(this.context, { fftSize: 4096, smoothingTimeConstant: 0 });
    this.context.createMediaStreamSource(stream).connect(this.analyser);
  },

  // Starts to note what the track of `this.pc` decodes to, in Chromium: of each piece, 10 ms, the
  // largest sample and the largest step between two samples, as shares of full scale.
  record() {
    const { track } = this.pc.getReceivers()[0];
    const reader = new MediaStreamTrackProcessor({ track, maxBufferSize: 500 }).readable.getReader();
    const pieces = (this.pieces = []);
    let last = 0;
    const read = async () => {
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        const samples = new Float32Array(next.value.numberOfFrames);
        next.value.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
        next.value.close();
        let [peak, step] = [0, 0];
        for (const sample of samples) {
          peak = Math.max(peak, Math.abs(sample));
          step = Math.max(step, Math.abs(sample - last));
          last = sample;
        }
        pieces.push([peak, step]);
      }
    };
    read();
  },

  // Rejects instead of waiting for ever where the page was not activated by a user.
  async running() {
    const late = sleep(3000).then(() => {
      throw new Error("the AudioContext stays " + this.context.state);
    });
    await Promise.race([this.context.resume(), late]);
  },

  // The strongest frequency in hertz; null in silence.
  frequency() {
    const bins = new Float32Array(this.analyser.frequencyBinCount);
    this.analyser.getFloatFrequencyData(bins);
    let peak = 1;
    for (let i = 2; i < bins.length - 1; i++) if (bins[i] > bins[peak]) peak = i;
    if (!(bins[peak] > -70)) return null;
    const [low, middle, high] = [bins[peak - 1], bins[peak], bins[peak + 1]];
    const curve = low - 2 * middle + high;
    const offset = curve ? (0.5 * (low - high)) / curve : 0;
    return ((peak + offset) * this.context.sampleRate) / this.analyser.fftSize;
  },

  // Waits until the strongest frequency is within 2 % of `hertz`; the milliseconds since `start`.
  async hears(hertz, timeout, start = performance.now()) {
    let frequency = null;
    while (performance.now() - start < timeout) {
      frequency = this.frequency();
      if (frequency && Math.abs(frequency / hertz - 1) < 0.02) return performance.now() - start;
      await sleep(5);
    }
    throw new Error(`no ${hertz} Hz within ${timeout} ms, last ${frequency}`);
  },

  // Waits until the strongest frequency has been within 2 % of `hertz` for 300 ms without a break.
  // A browser may stretch or conceal the first moments of a stream; that passes.
  async settles(hertz, timeout) {
    const end = performance.now() + timeout;
    let since = null;
    let strayed = null;
    while (performance.now() < end) {
      const frequency = this.frequency();
      if (frequency && Math.abs(frequency / hertz - 1) < 0.02) {
        since ??= performance.now();
        if (performance.now() - since >= 300) return frequency;
      } else {
        since = null;
        strayed = frequency;
      }
      await sleep(5);
    }
    throw new Error(`no steady ${hertz} Hz within ${timeout} ms, last astray ${strayed}`);
  },

  // Prepares `this.swapped`: the milliseconds from the next click on the element to the new tone.
  timeSwap(selector, hertz, timeout) {
    this.swapped = new Promise((resolve, reject) => {
      const clicked = (event) =>
        this.hears(hertz, timeout, event.timeStamp).then(resolve, reject);
      document.querySelector(selector).addEventListener("click", clicked, { once: true });
    });
    this.swapped.catch(() => {});
  },

  // The W3C statistics of the one audio stream, by type; a type without an entry is null.
  async stats(pc) {
    const entries = [...(await pc.getStats()).values()];
    const first = (type) => entries.find((entry) => entry.type === type) ?? null;
    return {
      connectionState: pc.connectionState,
      dtlsState: pc.getReceivers()[0]?.transport?.state ?? null,
      inbound: first("inbound-rtp"),
      remoteOutbound: first("remote-outbound-rtp"),
      transport: first("transport"),
      codec: first("codec"),
    };
  },
};

function sleep(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
