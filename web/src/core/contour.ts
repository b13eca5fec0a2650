/** The border of an area of pixels, as lines along the pixels' sides. */

/** A rectangle of pixels, both ends included. */
export interface Bounds {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

/** Return where each label of a slice lies; 0 is none. */
export function boundsByLabel(labels: Uint8Array, width: number): Map<number, Bounds> {
  const found = new Map<number, Bounds>();
  for (let index = 0; index < labels.length; index++) {
    const label = labels[index];
    if (label === 0) continue;
    const x = index % width;
    const y = (index - x) / width;
    const bounds = found.get(label);
    if (!bounds) found.set(label, { x0: x, y0: y, x1: x, y1: y });
    else {
      if (x < bounds.x0) bounds.x0 = x;
      if (x > bounds.x1) bounds.x1 = x;
      bounds.y1 = y; // rows come in order
    }
  }
  return found;
}

/**
 * Return the sides between pixels of a value and others within `bounds`, which hold them all, as
 * x0, y0, x1, y1 one after the other; neighbouring sides in a row are one line. A pixel's sides lie
 * half a pixel from its centre.
 */
export function contourOf(pixels: Uint8Array, width: number, value: number, bounds: Bounds): Float32Array {
  const { x0, y0, x1, y1 } = bounds;
  const lines: number[] = [];
  const holds = (x: number, y: number): boolean =>
    x >= x0 && x <= x1 && y >= y0 && y <= y1 && pixels[x + width * y] === value;
  for (let y = y0; y <= y1 + 1; y++)
    for (let x = x0, begun = -1; x <= x1 + 1; x++) {
      const differs = holds(x, y - 1) !== holds(x, y);
      if (differs && begun < 0) begun = x;
      else if (!differs && begun >= 0) {
        lines.push(begun - 0.5, y - 0.5, x - 0.5, y - 0.5);
        begun = -1;
      }
    }
  for (let x = x0; x <= x1 + 1; x++)
    for (let y = y0, begun = -1; y <= y1 + 1; y++) {
      const differs = holds(x - 1, y) !== holds(x, y);
      if (differs && begun < 0) begun = y;
      else if (!differs && begun >= 0) {
        lines.push(x - 0.5, begun - 0.5, x - 0.5, y - 0.5);
        begun = -1;
      }
    }
  return Float32Array.from(lines);
}
