/** Masks as they travel: eight pixels a byte, the first in the lowest bit. */

/** Return a mask (0 or not, a byte a pixel) as packed bits. */
export function packBits(mask: Uint8Array): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array((mask.length + 7) >> 3);
  for (let i = 0; i < mask.length; i++) if (mask[i]) packed[i >> 3] |= 1 << (i & 7);
  return packed;
}

/**
 * Return packed bits as a mask of `count` pixels, 0 or 1.
 * @throws RangeError If there are more or fewer bytes than the pixels need.
 */
export function unpackBits(packed: Uint8Array, count: number): Uint8Array {
  if (packed.length !== (count + 7) >> 3)
    throw new RangeError(`a mask of ${count} pixels has ${(count + 7) >> 3} bytes, not ${packed.length}`);
  const mask = new Uint8Array(count);
  for (let i = 0; i < count; i++) mask[i] = (packed[i >> 3] >> (i & 7)) & 1;
  return mask;
}

/** Return how many pixels a mask holds. */
export function countOf(mask: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < mask.length; i++) if (mask[i]) count++;
  return count;
}
