/** A propagated slice as the server streams it. */

import type { Axis } from "./axes";

export interface SliceHeader {
  readonly label: number;
  readonly axis: Axis;
  readonly slice: number;
  readonly confidence: number | null;
}

/** Return the header and packed mask: a little-endian length, that much JSON, then the mask. */
export function readSliceMessage(message: ArrayBuffer): { header: SliceHeader; packed: Uint8Array } {
  const length = new DataView(message).getUint32(0, true);
  const text = new TextDecoder().decode(new Uint8Array(message, 4, length));
  return { header: JSON.parse(text) as SliceHeader, packed: new Uint8Array(message, 4 + length) };
}
