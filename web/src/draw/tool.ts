/** What a tool is: something that a pointer, or the space bar at the crosshair, does on a slice. */

import { signal } from "@preact/signals";
import type { Axis, Plane } from "../core/axes";
import type { Point } from "../core/brush";
import type { Viewport } from "../core/viewport";

/** A place that is pointed at. */
export interface Spot {
  readonly axis: Axis;
  readonly slice: number;
  readonly plane: Plane;
  /** In pixels of the slice; a pixel's centre is whole. */
  readonly point: Point;
  /** On the canvas, CSS pixels. */
  readonly screen: Point;
  /** The tool's opposite: the right button, or Shift. */
  readonly inverse: boolean;
}

/** What a tool draws over a slice before it is an outline. */
export interface Sketch {
  readonly context: CanvasRenderingContext2D;
  readonly axis: Axis;
  readonly slice: number;
  readonly plane: Plane;
  readonly viewport: Viewport;
  /** Where the pointer is over this slice. */
  readonly pointer: Point | null;
}

export interface Tool {
  readonly id: string;
  readonly name: string;
  /** The key that takes the tool. */
  readonly key: string;
  /** One line on what it does. */
  readonly hint: string;
  readonly cursor: string;
  down?(spot: Spot): void;
  move?(spot: Spot): void;
  up?(spot: Spot): void;
  /** Finish (Enter); tell whether there was something to finish. */
  finish?(): boolean;
  /** Give up (Escape); tell whether there was something to give up. */
  cancel?(): boolean;
  /** Take the last step back (undo); tell whether there was one. */
  stepBack?(): boolean;
  sketch?(sketch: Sketch): void;
}

/** Counts up when a sketch changes. */
export const sketched = signal(0);

export function redrawSketches(): void {
  sketched.value++;
}
