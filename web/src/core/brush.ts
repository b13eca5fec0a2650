/** The pixels under a round brush, at one place and along a line. */

import type { Plane } from "./axes";

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Radii of a brush in pixels of a slice: round on the patient where pixels are not square. */
export interface Radii {
  readonly x: number;
  readonly y: number;
}

/** Return the radii of a brush whose diameter is `size` of the slice's smaller pixel sides. */
export function brushRadii(size: number, plane: Plane, spacing: readonly number[]): Radii {
  const [dx, dy] = [spacing[plane.xAxis], spacing[plane.yAxis]];
  const radius = (size / 2) * Math.min(dx, dy);
  return { x: Math.max(0.5, radius / dx), y: Math.max(0.5, radius / dy) };
}

/** Call `visit` with the index of each pixel of a slice whose centre a brush at `centre` covers. */
export function visitDisc(
  plane: Plane,
  centre: Point,
  radii: Radii,
  visit: (index: number, x: number, y: number) => void,
): void {
  const x0 = Math.max(0, Math.ceil(centre.x - radii.x));
  const x1 = Math.min(plane.width - 1, Math.floor(centre.x + radii.x));
  const y0 = Math.max(0, Math.ceil(centre.y - radii.y));
  const y1 = Math.min(plane.height - 1, Math.floor(centre.y + radii.y));
  for (let y = y0; y <= y1; y++)
    for (let x = x0; x <= x1; x++) {
      const u = (x - centre.x) / radii.x;
      const v = (y - centre.y) / radii.y;
      if (u * u + v * v <= 1) visit(x + plane.width * y, x, y);
    }
}

/** Return places from one point to another, no further apart than half a brush. */
export function alongLine(from: Point, to: Point, radii: Radii): Point[] {
  const reach = Math.max(Math.abs(to.x - from.x) / radii.x, Math.abs(to.y - from.y) / radii.y);
  const steps = Math.max(1, Math.ceil(2 * reach));
  return Array.from({ length: steps }, (_, i) => ({
    x: from.x + ((to.x - from.x) * (i + 1)) / steps,
    y: from.y + ((to.y - from.y) * (i + 1)) / steps,
  }));
}

/** Return the centre of a brush of a whole odd size on the pixel under a point, else the point. */
export function snapped(point: Point, size: number): Point {
  if (size % 2 === 1) return { x: Math.round(point.x), y: Math.round(point.y) };
  return { x: Math.floor(point.x) + 0.5, y: Math.floor(point.y) + 0.5 };
}
