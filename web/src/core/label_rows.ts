/**
 * Where the rows of a label volume hold labels. Most rows hold none, and a slice across the rows
 * need not look at those: see `takeSliceAcross`.
 */

import type { Plane } from "./axes";

export class LabelRows {
  private readonly first: Int32Array;
  private readonly last: Int32Array;

  /** @param length Voxels of a row. */
  constructor(
    private readonly length: number,
    rows: number,
  ) {
    this.first = new Int32Array(rows).fill(length);
    this.last = new Int32Array(rows).fill(-1);
  }

  /** Return the rows of a volume as it is. */
  static of(volume: Uint8Array, length: number): LabelRows {
    const rows = new LabelRows(length, volume.length / length);
    for (let voxel = 0; voxel < volume.length; voxel++) if (volume[voxel] !== 0) rows.note(voxel);
    return rows;
  }

  /** Take notice of a voxel that holds a label now; what is cleared need not be told. */
  note(voxel: number): void {
    const row = Math.floor(voxel / this.length);
    const at = voxel - row * this.length;
    if (at < this.first[row]) this.first[row] = at;
    if (at > this.last[row]) this.last[row] = at;
  }

  /** Return a slice across the rows, x fastest. */
  takeSliceAcross(volume: Uint8Array, plane: Plane, slice: number): Uint8Array {
    const pixels = new Uint8Array(plane.width * plane.height);
    for (let row = 0; row < pixels.length; row++)
      if (slice >= this.first[row] && slice <= this.last[row])
        pixels[row] = volume[row * this.length + slice];
    return pixels;
  }
}
