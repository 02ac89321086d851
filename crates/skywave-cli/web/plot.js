// A rolling line of one figure, the newest at the right.

export class Plot {
  /**
   * @param {HTMLCanvasElement} canvas sized by the style sheet; its `color` is the line's
   * @param {number} least the smallest value that the upper edge may stand for
   */
  constructor(canvas, least) {
    this.canvas = canvas;
    this.least = least;
    this.values = [];
  }

  /** One more value of 0 and up; null or undefined for one that is not known. */
  push(value) {
    this.values.push(value ?? null);
    if (this.values.length > SHOWN) this.values.shift();
    this.draw();
  }

  clear() {
    this.values = [];
    this.draw();
  }

  /** The largest value in sight. */
  peak() {
    return Math.max(0, ...this.values.filter((value) => value !== null));
  }

  draw() {
    const { canvas } = this;
    const scale = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (width === 0) return;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const context = canvas.getContext('2d');
    context.scale(scale, scale);
    context.strokeStyle = context.fillStyle = getComputedStyle(canvas).color;
    context.lineWidth = 1.5;
    context.lineJoin = 'round';
    for (const stretch of this.stretches(width, height)) {
      context.beginPath();
      stretch.forEach(([x, y]) => context.lineTo(x, y));
      context.stroke();
      context.lineTo(stretch.at(-1)[0], height);
      context.lineTo(stretch[0][0], height);
      context.globalAlpha = 0.14;
      context.fill();
      context.globalAlpha = 1;
    }
  }

  /** The points of each part without a value that is not known. */
  stretches(width, height) {
    const top = Math.max(this.least, this.peak());
    const first = SHOWN - this.values.length;
    const stretches = [];
    let stretch = [];
    this.values.forEach((value, index) => {
      if (value === null) {
        stretch = [];
        return;
      }
      if (stretch.length === 0) stretches.push(stretch);
      const x = ((first + index) / (SHOWN - 1)) * width;
      stretch.push([x, height - 1 - (value / top) * (height - 3)]);
    });
    return stretches;
  }
}

/** Values in sight, one a second. */
const SHOWN = 60;
