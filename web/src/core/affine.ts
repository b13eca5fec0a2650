/** From voxels to millimetres, and the letters at the borders of a slice. */

import type { Plane, Triple } from "./axes";

/** Return where a voxel's centre lies, RAS+ millimetres. */
export function toMillimetres(affine: readonly (readonly number[])[], voxel: Triple): Triple {
  const [x, y, z] = affine
    .slice(0, 3)
    .map((row) => row[0] * voxel[0] + row[1] * voxel[1] + row[2] * voxel[2] + row[3]);
  return [x, y, z];
}

const LETTERS = [
  ["L", "R"],
  ["P", "A"],
  ["I", "S"],
] as const;

/**
 * Return the letters at a slice's borders as it is shown: voxels grow to the right, front and
 * head, and both axes of a slice run against the screen's.
 */
export function borderLetters(plane: Plane): { left: string; right: string; top: string; bottom: string } {
  return {
    left: LETTERS[plane.xAxis][1],
    right: LETTERS[plane.xAxis][0],
    top: LETTERS[plane.yAxis][1],
    bottom: LETTERS[plane.yAxis][0],
  };
}
