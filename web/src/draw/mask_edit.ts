/** A mask that is being edited on one slice. */

import type { Plane } from "../core/axes";
import type { Bounds } from "../core/contour";
import { setUnderPen } from "../state/changes";
import { beginning, draw, isDrawn } from "../state/drawn";
import { labelOf } from "../state/server";
import { showMask, shownSlice, volumes } from "../state/volumes";
import type { Place } from "../net/wire";

export class MaskEdit {
  readonly mask: Uint8Array;
  private readonly before: Uint8Array;
  private readonly there: Uint8Array;
  /** Where pixels changed since they were shown. */
  private touched: Bounds | null = null;

  constructor(
    readonly place: Place,
    readonly plane: Plane,
  ) {
    this.before = beginning(place);
    this.mask = this.before.slice();
    this.there = shownSlice(place.axis, place.slice);
  }

  /** Whether a pixel may be drawn: it belongs to no other label that is locked. */
  isFree(index: number): boolean {
    const there = this.there[index];
    return there === 0 || there === this.place.label || !labelOf(there)?.locked;
  }

  /** Add a pixel or take it away. */
  set(index: number, inside: boolean): void {
    if (inside && !this.isFree(index)) return;
    this.mask[index] = inside ? 1 : 0;
    this.touch(index);
  }

  huAt(x: number, y: number): number {
    const { sliceStep, xStep, yStep } = this.plane;
    return volumes.scan[this.place.slice * sliceStep + x * xStep + y * yStep];
  }

  /** Show the mask as it is now: what changed since it was shown last. */
  show(): void {
    setUnderPen({ place: this.place, mask: this.mask });
    if (this.touched) showMask(this.place, this.mask, this.touched);
    this.touched = null;
  }

  /** Make an outline of it, if anything was changed. */
  save(what: string): void {
    setUnderPen(null);
    const same = this.mask.every((inside, index) => inside === this.before[index]);
    if (same && (isDrawn(this.place) || !this.mask.includes(1))) return;
    draw(this.place, this.mask, what);
  }

  private touch(index: number): void {
    const x = index % this.plane.width;
    const y = Math.floor(index / this.plane.width);
    const { x0, y0, x1, y1 } = this.touched ?? { x0: x, y0: y, x1: x, y1: y };
    this.touched = { x0: Math.min(x0, x), y0: Math.min(y0, y), x1: Math.max(x1, x), y1: Math.max(y1, y) };
  }

  /** Show what was there before. */
  drop(): void {
    setUnderPen(null);
    showMask(this.place, this.before);
  }
}
