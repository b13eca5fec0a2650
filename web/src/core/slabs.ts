/**
 * Slices across the rows of a volume. Each voxel of a sagittal slice lies on a row of its own, so
 * that one slice costs as many reads of memory as the thirty beside it. They are taken together,
 * a slab at a time, and the slab that comes next is made ahead of the person.
 */

import type { Plane } from "./axes";

/** Slices of a slab: as many int16 values as processors read at once. */
const THICKNESS = 32;
/** Slabs that are kept: the one that is looked at and both its neighbours. */
const KEPT = 3;
/** How near the end of a slab its neighbour is made. */
const AHEAD = 12;

interface Slab {
  readonly first: number;
  readonly slices: readonly Int16Array[];
  /** Rows that are filled already. */
  filled: number;
}

export class Slabs {
  private readonly slabs = new Map<number, Slab>();

  constructor(
    private readonly volume: Int16Array,
    /** The plane whose slices lie one voxel apart. */
    private readonly plane: Plane,
  ) {}

  /** Return a slice, x fastest. */
  slice(index: number): Int16Array {
    const slab = this.slab(index);
    while (slab.filled < this.plane.height) this.fillRow(slab);
    this.slabs.delete(slab.first); // the last that was looked at is the last to go
    this.slabs.set(slab.first, slab);
    return slab.slices[index - slab.first];
  }

  /**
   * Work on the slabs that a person who looks at a slice may come to, for some milliseconds; tell
   * whether there is more to do.
   */
  prepare(index: number, budgetMs: number): boolean {
    const until = performance.now() + budgetMs;
    for (const near of [index - AHEAD, index + AHEAD]) {
      if (near < 0 || near >= this.plane.count) continue;
      const slab = this.slab(near);
      while (slab.filled < this.plane.height) {
        if (performance.now() > until) return true;
        this.fillRow(slab);
      }
    }
    return false;
  }

  private slab(index: number): Slab {
    const first = index - (index % THICKNESS);
    const known = this.slabs.get(first);
    if (known) return known;
    if (this.slabs.size >= KEPT) this.slabs.delete(this.slabs.keys().next().value!);
    const { width, height, count } = this.plane;
    const slices = Array.from(
      { length: Math.min(THICKNESS, count - first) },
      () => new Int16Array(width * height),
    );
    const slab = { first, slices, filled: 0 };
    this.slabs.set(first, slab);
    return slab;
  }

  private fillRow(slab: Slab): void {
    const { width, xStep, yStep } = this.plane;
    const { slices } = slab;
    let voxel = slab.filled * yStep + slab.first;
    const start = slab.filled * width;
    for (let x = 0; x < width; x++, voxel += xStep)
      for (let i = 0; i < slices.length; i++) slices[i][start + x] = this.volume[voxel + i];
    slab.filled++;
  }
}
