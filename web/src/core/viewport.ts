/** Which part of a slice is seen, how large and where. */

import type { Plane } from "./axes";
import type { Point } from "./brush";

/** What a person chose: `zoom` 1 shows the whole slice; the centre is in pixels of the slice. */
export interface Gaze {
  readonly zoom: number;
  readonly centre: Point;
}

/** Where the slice lies on the canvas, in CSS pixels; x and y run against the screen's. */
export interface Viewport {
  /** Where the centre of the slice's pixel (0, 0) is. */
  readonly origin: Point;
  /** CSS pixels a slice's pixel takes. */
  readonly scale: Point;
}

export const MIN_ZOOM = 0.5;
export const MAX_ZOOM = 40;
/** How much of a view the whole slice takes: letters stand beside it. */
const FILLED = 0.94;

export function wholeSlice(plane: Plane): Gaze {
  return { zoom: 1, centre: { x: (plane.width - 1) / 2, y: (plane.height - 1) / 2 } };
}

export function viewportOf(
  plane: Plane,
  spacing: readonly number[],
  gaze: Gaze,
  canvasWidth: number,
  canvasHeight: number,
): Viewport {
  const [dx, dy] = [spacing[plane.xAxis], spacing[plane.yAxis]];
  const fitting = FILLED * Math.min(canvasWidth / (plane.width * dx), canvasHeight / (plane.height * dy));
  const scale = { x: fitting * gaze.zoom * dx, y: fitting * gaze.zoom * dy };
  return {
    origin: {
      x: canvasWidth / 2 + gaze.centre.x * scale.x,
      y: canvasHeight / 2 + gaze.centre.y * scale.y,
    },
    scale,
  };
}

export function toScreen({ origin, scale }: Viewport, point: Point): Point {
  return { x: origin.x - point.x * scale.x, y: origin.y - point.y * scale.y };
}

export function toSlice({ origin, scale }: Viewport, screen: Point): Point {
  return { x: (origin.x - screen.x) / scale.x, y: (origin.y - screen.y) / scale.y };
}

/** Return a gaze that is `factor` times nearer and keeps a point of the slice where it is. */
export function zoomed(gaze: Gaze, factor: number, around: Point): Gaze {
  const zoom = Math.max(MIN_ZOOM, Math.min(MAX_ZOOM, gaze.zoom * factor));
  const kept = gaze.zoom / zoom;
  return {
    zoom,
    centre: {
      x: around.x + (gaze.centre.x - around.x) * kept,
      y: around.y + (gaze.centre.y - around.y) * kept,
    },
  };
}
