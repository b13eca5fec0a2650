/** The connected area around a pixel. */

export interface Flooded {
  readonly mask: Uint8Array;
  readonly count: number;
  /** Whether the area ran into the border of the slice. */
  readonly touchesBorder: boolean;
}

/** Return the pixels that a path of passable pixels (up, down, left, right) joins to (x, y). */
export function flood(
  width: number,
  height: number,
  x: number,
  y: number,
  passable: (index: number) => boolean,
): Flooded {
  const mask = new Uint8Array(width * height);
  const start = x + width * y;
  if (!passable(start)) return { mask, count: 0, touchesBorder: false };
  const stack = [start];
  mask[start] = 1;
  let count = 0;
  let touchesBorder = false;
  const offer = (index: number): void => {
    if (!mask[index] && passable(index)) {
      mask[index] = 1;
      stack.push(index);
    }
  };
  for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
    count++;
    const column = index % width;
    const row = (index - column) / width;
    if (column === 0 || row === 0 || column === width - 1 || row === height - 1) touchesBorder = true;
    if (column > 0) offer(index - 1);
    if (column < width - 1) offer(index + 1);
    if (row > 0) offer(index - width);
    if (row < height - 1) offer(index + width);
  }
  return { mask, count, touchesBorder };
}
