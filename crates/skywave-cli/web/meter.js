// The level of what is really heard: two bars, and the ring of the button.

/** Bars are two elements to scale; `ring` gets the loudness as the property --level. */
export class Meter {
  constructor(bars, ring) {
    this.bars = bars;
    this.ring = ring;
    this.context = null;
    this.analysers = [];
    this.source = null;
    this.shown = [0, 0];
    this.samples = new Float32Array(2048);
  }

  attach(stream) {
    if (!window.AudioContext) return;
    if (!this.context) this.prepare();
    this.resume();
    this.source = this.context.createMediaStreamSource(stream);
    this.source.connect(this.input);
    if (!this.drawing) {
      this.drawing = true;
      requestAnimationFrame(() => this.draw());
    }
  }

  prepare() {
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

  detach() {
    this.source?.disconnect();
    this.source = null;
  }

  resume() {
    this.context?.resume().catch(() => {});
  }

  /** The louder side just now: 0 for -60 dBFS or less, 1 for full scale; null if unknown. */
  loudness() {
    if (!this.source || this.context.state !== 'running') return null;
    return Math.max(...this.analysers.map((analyser) => this.level(analyser)));
  }

  draw() {
    this.analysers.forEach((analyser, channel) => {
      const level = this.source ? this.level(analyser) : 0;
      // Up at once, down slowly, as meters do.
      this.shown[channel] = Math.max(level, this.shown[channel] - 0.02);
      this.bars[channel].style.transform = `scaleX(${this.shown[channel].toFixed(3)})`;
    });
    const loudest = Math.max(...this.shown);
    this.ring.style.setProperty('--level', loudest.toFixed(3));
    this.drawing = this.source !== null || loudest > 0;
    if (this.drawing) requestAnimationFrame(() => this.draw());
  }

  /** 0 for -60 dBFS or less, 1 for a full-scale peak. */
  level(analyser) {
    analyser.getFloatTimeDomainData(this.samples);
    let peak = 0;
    for (const sample of this.samples) peak = Math.max(peak, Math.abs(sample));
    return Math.min(Math.max(1 + (20 * Math.log10(peak || 1e-9)) / RANGE_DB, 0), 1);
  }
}

/** A loudness of 0 to 1 in words. */
export function decibels(loudness) {
  if (loudness == null) return '–';
  return loudness === 0 ? 'silent' : `${((loudness - 1) * RANGE_DB).toFixed(0)} dB`;
}

const RANGE_DB = 60;
