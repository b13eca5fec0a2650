/** The three directions in which the scan is cut, and where a slice's pixels lie in the volume. */

export type Axis = "axial" | "coronal" | "sagittal";
/** Voxels along the right, front and head of the patient (RAS+). */
export type Triple = readonly [number, number, number];

export const AXES: readonly Axis[] = ["axial", "coronal", "sagittal"];

/** Number of the RAS+ array axis along which slices follow each other. */
export const ALONG: Readonly<Record<Axis, 0 | 1 | 2>> = { sagittal: 0, coronal: 1, axial: 2 };

/**
 * One direction's slices. A pixel (x, y) counts along the lower and the higher RAS+ axis of the
 * slice; in a mask it has the index x + width * y.
 */
export interface Plane {
  readonly axis: Axis;
  /** RAS+ axes of slices, of x and of y. */
  readonly along: 0 | 1 | 2;
  readonly xAxis: 0 | 1 | 2;
  readonly yAxis: 0 | 1 | 2;
  readonly width: number;
  readonly height: number;
  /** How many slices there are. */
  readonly count: number;
  /** Steps in the volume from slice to slice, along x and along y. */
  readonly sliceStep: number;
  readonly xStep: number;
  readonly yStep: number;
}

/** Return how a volume of a shape, i fastest, is cut along an axis. */
export function planeOf(axis: Axis, shape: Triple): Plane {
  const along = ALONG[axis];
  const xAxis = along === 0 ? 1 : 0;
  const yAxis = along === 2 ? 1 : 2;
  const steps: Triple = [1, shape[0], shape[0] * shape[1]];
  return {
    axis,
    along,
    xAxis,
    yAxis,
    width: shape[xAxis],
    height: shape[yAxis],
    count: shape[along],
    sliceStep: steps[along],
    xStep: steps[xAxis],
    yStep: steps[yAxis],
  };
}

/** Return the voxel that a pixel of a slice is. */
export function voxelAt(plane: Plane, slice: number, x: number, y: number): [number, number, number] {
  const voxel: [number, number, number] = [0, 0, 0];
  voxel[plane.along] = slice;
  voxel[plane.xAxis] = x;
  voxel[plane.yAxis] = y;
  return voxel;
}

/** Return a slice's pixels, x fastest. */
export function takeSlice<Values extends Uint8Array | Int16Array>(
  volume: Values,
  plane: Plane,
  slice: number,
): Values {
  const { width, height, xStep, yStep } = plane;
  const pixels = volume.slice(0, width * height) as Values; // an array of the same kind
  let row = slice * plane.sliceStep;
  for (let y = 0, at = 0; y < height; y++, row += yStep)
    for (let x = 0, voxel = row; x < width; x++, voxel += xStep) pixels[at++] = volume[voxel];
  return pixels;
}

/** Return a number held within 0 and below a count. */
export function clampIndex(value: number, count: number): number {
  return Math.max(0, Math.min(count - 1, Math.round(value)));
}
