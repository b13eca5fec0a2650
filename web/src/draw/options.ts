/** How tools draw. */

import { signal } from "@preact/signals";

/** Diameter of the brush in pixels of the slice. */
export const brushSize = signal(9);
export const MAX_BRUSH = 120;
/** What the threshold brush and filling by range take, Hounsfield units. */
export const huRange = signal<readonly [number, number]>([150, 3000]);
/** Fill what a closed outline leaves open, or connected pixels within the range. */
export const fillMode = signal<"hole" | "range">("hole");

export function resizeBrush(step: number): void {
  brushSize.value = Math.max(1, Math.min(MAX_BRUSH, brushSize.value + step));
}
