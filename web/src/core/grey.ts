/** From Hounsfield units to what is seen: window, colours of labels, pixels. */

export interface HuWindow {
  readonly level: number;
  readonly width: number;
}

/** Return the grey level, 0 to 255, of each int16 value; the value v has the index v + 32768. */
export function windowTable({ level, width }: HuWindow): Uint8Array {
  const table = new Uint8Array(65536);
  const lowest = level - width / 2;
  const range = Math.max(1, width);
  for (let i = 0; i < 65536; i++)
    table[i] = Math.max(0, Math.min(255, Math.round(((i - 32768 - lowest) * 255) / range)));
  return table;
}

/** Return red, green and blue, 0 to 255, of a colour written as #rrggbb. */
export function rgbOf(colour: string): [number, number, number] {
  const value = Number.parseInt(colour.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

export interface Paint {
  readonly id: number;
  readonly colour: string;
  /** 0: nothing is seen of it, 1: nothing is seen of the scan beneath. */
  readonly opacity: number;
}

/**
 * Return the pixel of each label over each grey level, at the index label * 256 + grey, in the
 * byte order of a canvas (little endian: alpha, blue, green, red).
 */
export function paintTable(paints: readonly Paint[]): Uint32Array {
  const table = new Uint32Array(65536);
  for (let label = 0; label < 256; label++)
    for (let grey = 0; grey < 256; grey++)
      table[label * 256 + grey] = (0xff000000 | (grey << 16) | (grey << 8) | grey) >>> 0;
  for (const { id, colour, opacity } of paints) {
    if (opacity === 0) continue;
    const [red, green, blue] = rgbOf(colour);
    for (let grey = 0; grey < 256; grey++) {
      const mix = (part: number): number => Math.round(grey + (part - grey) * opacity);
      table[id * 256 + grey] = (0xff000000 | (mix(blue) << 16) | (mix(green) << 8) | mix(red)) >>> 0;
    }
  }
  return table;
}

/** Paint a slice of the scan under its labels (both x fastest), turned against the screen's axes. */
export function paintSlice(
  pixels: Uint32Array,
  scan: Int16Array,
  labels: Uint8Array,
  greys: Uint8Array,
  paints: Uint32Array,
): void {
  for (let at = 0, from = scan.length - 1; from >= 0; at++, from--)
    pixels[at] = paints[(labels[from] << 8) | greys[scan[from] + 32768]];
}
