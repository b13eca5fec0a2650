/** The pixels inside a closed outline. */

import type { Plane } from "./axes";
import type { Point } from "./brush";

/** Return the mask of the pixels whose centres lie inside a polygon (even-odd rule). */
export function fillPolygon(plane: Plane, vertices: readonly Point[]): Uint8Array {
  const mask = new Uint8Array(plane.width * plane.height);
  if (vertices.length < 3) return mask;
  for (let y = 0; y < plane.height; y++) {
    const crossings: number[] = [];
    for (let i = 0; i < vertices.length; i++) {
      const a = vertices[i];
      const b = vertices[(i + 1) % vertices.length];
      // Half open: a vertex on the line belongs to one of its two edges only.
      if (a.y <= y === b.y <= y) continue;
      crossings.push(a.x + ((y - a.y) * (b.x - a.x)) / (b.y - a.y));
    }
    crossings.sort((a, b) => a - b);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const first = Math.max(0, Math.ceil(crossings[i]));
      const last = Math.min(plane.width - 1, Math.floor(crossings[i + 1]));
      if (first <= last) mask.fill(1, first + plane.width * y, last + 1 + plane.width * y);
    }
  }
  return mask;
}
