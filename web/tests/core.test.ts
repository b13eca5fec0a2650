import { describe, expect, it } from "vitest";
import { borderLetters, toMillimetres } from "../src/core/affine";
import { planeOf, takeSlice, voxelAt, type Triple } from "../src/core/axes";
import { countOf, packBits, unpackBits } from "../src/core/bits";
import { alongLine, brushRadii, snapped, visitDisc } from "../src/core/brush";
import { boundsByLabel, contourOf } from "../src/core/contour";
import { flood } from "../src/core/flood";
import { paintSlice, paintTable, windowTable } from "../src/core/grey";
import { LabelRows } from "../src/core/label_rows";
import { fillPolygon } from "../src/core/polygon";
import { Slabs } from "../src/core/slabs";
import { readSliceMessage } from "../src/core/slice_message";
import { toScreen, toSlice, viewportOf, wholeSlice, zoomed } from "../src/core/viewport";

const SHAPE: Triple = [4, 5, 6];

describe("planes", () => {
  it("take the lower axis as x and find each pixel in the volume", () => {
    // Each voxel holds its own index, so that a slice says where its pixels came from.
    const volume = Uint8Array.from({ length: 120 }, (_, i) => i);
    for (const [axis, voxel, pixel] of [
      ["axial", [1, 2, 3], 1 + 4 * 2],
      ["coronal", [1, 2, 3], 1 + 4 * 3],
      ["sagittal", [1, 2, 3], 2 + 5 * 3],
    ] as const) {
      const plane = planeOf(axis, SHAPE);
      const slice = takeSlice(volume, plane, voxel[plane.along]);
      expect(slice[pixel]).toBe(1 + 4 * (2 + 5 * 3));
      expect(voxelAt(plane, voxel[plane.along], voxel[plane.xAxis], voxel[plane.yAxis])).toEqual(voxel);
    }
  });

  it("say what lies at their borders as a radiologist sees it", () => {
    expect(borderLetters(planeOf("axial", SHAPE))).toEqual({ left: "R", right: "L", top: "A", bottom: "P" });
    expect(borderLetters(planeOf("coronal", SHAPE))).toEqual({
      left: "R",
      right: "L",
      top: "S",
      bottom: "I",
    });
    expect(borderLetters(planeOf("sagittal", SHAPE))).toEqual({
      left: "A",
      right: "P",
      top: "S",
      bottom: "I",
    });
  });

  it("become millimetres by the affine", () => {
    const affine = [
      [2, 0, 0, -10],
      [0, 3, 0, 5],
      [0, 0, 4, 1],
      [0, 0, 0, 1],
    ];
    expect(toMillimetres(affine, [1, 2, 3])).toEqual([-8, 11, 13]);
  });
});

describe("slices across rows", () => {
  const shape: Triple = [70, 3, 2];
  const plane = planeOf("sagittal", shape);

  it("are the same by slabs, wherever one begins, also made ahead", () => {
    const volume = Int16Array.from({ length: 420 }, (_, i) => i * 3);
    const slabs = new Slabs(volume, plane);
    expect(slabs.prepare(30, 1000)).toBe(false);
    for (const slice of [0, 31, 32, 69, 5])
      expect(slabs.slice(slice)).toEqual(takeSlice(volume, plane, slice));
  });

  it("look only where labels are, or were", () => {
    const volume = new Uint8Array(420);
    const rows = LabelRows.of(volume, 70);
    for (const voxel of [3, 69, 70, 419]) {
      volume[voxel] = 7;
      rows.note(voxel);
    }
    volume[69] = 0;
    for (const known of [rows, LabelRows.of(volume, 70)])
      for (const slice of [0, 3, 69])
        expect(known.takeSliceAcross(volume, plane, slice)).toEqual(takeSlice(volume, plane, slice));
  });
});

describe("masks on the wire", () => {
  it("have the first pixel in the lowest bit", () => {
    expect([...packBits(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0, 1))]).toEqual([1, 2]);
  });

  it("come back as they went, and are refused at another size", () => {
    const mask = Uint8Array.from({ length: 13 }, (_, i) => ((i * 5) % 3 === 0 ? 1 : 0));
    expect(unpackBits(packBits(mask), 13)).toEqual(mask);
    expect(countOf(mask)).toBe(5);
    expect(() => unpackBits(new Uint8Array(3), 13)).toThrow(RangeError);
  });

  it("arrive with a header", () => {
    const header = new TextEncoder().encode('{"label":2,"axis":"axial","slice":7,"confidence":0.5}');
    const message = new Uint8Array(4 + header.length + 2);
    new DataView(message.buffer).setUint32(0, header.length, true);
    message.set(header, 4);
    message.set([9, 8], 4 + header.length);
    const read = readSliceMessage(message.buffer);
    expect(read.header).toEqual({ label: 2, axis: "axial", slice: 7, confidence: 0.5 });
    expect([...read.packed]).toEqual([9, 8]);
  });
});

describe("a brush", () => {
  const plane = planeOf("axial", [9, 9, 1]);
  const covered = (x: number, y: number, rx: number, ry: number): number[] => {
    const indices: number[] = [];
    visitDisc(plane, { x, y }, { x: rx, y: ry }, (index) => indices.push(index));
    return indices;
  };

  it("of size 1 is the pixel under it, of size 3 a cross", () => {
    const spacing = [1, 1, 1];
    const one = brushRadii(1, plane, spacing);
    expect(covered(4, 4, one.x, one.y)).toEqual([40]);
    expect(covered(4, 4, 1.2, 1.2)).toEqual([31, 39, 40, 41, 49]);
  });

  it("is cut off at the border", () => {
    expect(covered(0, 0, 1, 1)).toEqual([0, 1, 9]);
  });

  it("is round on the patient", () => {
    const tall = planeOf("coronal", [9, 1, 9]);
    expect(brushRadii(8, tall, [1, 1, 2])).toEqual({ x: 4, y: 2 });
  });

  it("leaves no gap along a line and ends where the line ends", () => {
    const places = alongLine({ x: 0, y: 0 }, { x: 8, y: 4 }, { x: 1, y: 1 });
    expect(places.at(-1)).toEqual({ x: 8, y: 4 });
    expect(Math.max(...places.slice(1).map((p, i) => p.x - places[i].x))).toBeLessThanOrEqual(0.5);
  });

  it("of an odd size centres on a pixel, of an even one between pixels", () => {
    expect(snapped({ x: 2.4, y: 2.6 }, 3)).toEqual({ x: 2, y: 3 });
    expect(snapped({ x: 2.4, y: 2.6 }, 4)).toEqual({ x: 2.5, y: 2.5 });
  });
});

describe("a polygon", () => {
  const plane = planeOf("axial", [8, 8, 1]);

  it("holds the pixels whose centres it encloses", () => {
    const square = [
      { x: 1.5, y: 1.5 },
      { x: 4.5, y: 1.5 },
      { x: 4.5, y: 3.5 },
      { x: 1.5, y: 3.5 },
    ];
    const mask = fillPolygon(plane, square);
    expect(countOf(mask)).toBe(6);
    expect(mask[2 + 8 * 2]).toBe(1);
    expect(mask[1 + 8 * 2]).toBe(0);
  });

  it("counts a vertex on a row once", () => {
    const diamond = [
      { x: 3, y: 0 },
      { x: 6, y: 3 },
      { x: 3, y: 6 },
      { x: 0, y: 3 },
    ];
    const mask = fillPolygon(plane, diamond);
    expect([...mask.slice(8 * 3, 8 * 4)]).toEqual([1, 1, 1, 1, 1, 1, 1, 0]);
  });

  it("of two points holds nothing", () => {
    expect(
      countOf(
        fillPolygon(plane, [
          { x: 0, y: 0 },
          { x: 5, y: 5 },
        ]),
      ),
    ).toBe(0);
  });
});

describe("flooding", () => {
  // A ring of ones around one pixel.
  const ring = Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0);
  const open = (index: number): boolean => ring[index] === 0;

  it("stays inside a closed line", () => {
    const inside = flood(5, 5, 2, 2, open);
    expect([inside.count, inside.touchesBorder]).toEqual([1, false]);
  });

  it("says where it ran into the border, and nothing where it may not start", () => {
    expect(flood(5, 5, 0, 0, open)).toMatchObject({ count: 16, touchesBorder: true });
    expect(flood(5, 5, 1, 1, open).count).toBe(0);
  });
});

describe("a contour", () => {
  it("is sought where its label lies", () => {
    const found = boundsByLabel(Uint8Array.of(0, 2, 0, 2, 2, 0, 0, 0, 5), 3);
    expect(found).toEqual(
      new Map([
        [2, { x0: 0, y0: 0, x1: 1, y1: 1 }],
        [5, { x0: 2, y0: 2, x1: 2, y1: 2 }],
      ]),
    );
  });

  it("goes around a pixel", () => {
    const lines = contourOf(Uint8Array.of(0, 0, 0, 0, 3, 0, 0, 0, 0), 3, 3, { x0: 1, y0: 1, x1: 1, y1: 1 });
    expect([...lines]).toEqual([
      0.5, 0.5, 1.5, 0.5, 0.5, 1.5, 1.5, 1.5, 0.5, 0.5, 0.5, 1.5, 1.5, 0.5, 1.5, 1.5,
    ]);
  });

  it("is closed at the border and joins sides in a row", () => {
    expect([...contourOf(Uint8Array.of(1, 1, 1, 1), 2, 1, { x0: 0, y0: 0, x1: 1, y1: 1 })]).toEqual([
      -0.5, -0.5, 1.5, -0.5, -0.5, 1.5, 1.5, 1.5, -0.5, -0.5, -0.5, 1.5, 1.5, -0.5, 1.5, 1.5,
    ]);
  });
});

describe("grey levels", () => {
  it("run from black to white over the window", () => {
    const table = windowTable({ level: 40, width: 400 });
    expect([-160, 40, 240, -2000, 3000].map((hu) => table[hu + 32768])).toEqual([0, 128, 255, 0, 255]);
  });

  it("show through a label", () => {
    const table = paintTable([{ id: 2, colour: "#ff0000", opacity: 0.5 }]);
    expect(table[2 * 256 + 100].toString(16)).toBe("ff3232b2");
    expect(table[3 * 256 + 100].toString(16)).toBe("ff646464");
  });

  it("are painted with both axes against the screen's", () => {
    const pixels = new Uint32Array(4);
    const greys = windowTable({ level: 127.5, width: 255 });
    paintSlice(pixels, Int16Array.of(1, 2, 3, 4), new Uint8Array(4), greys, paintTable([]));
    expect([...pixels].map((pixel) => pixel & 255)).toEqual([4, 3, 2, 1]);
  });
});

describe("a viewport", () => {
  const plane = planeOf("coronal", [10, 1, 10]);
  const view = viewportOf(plane, [1, 1, 2], wholeSlice(plane), 200, 400);

  it("fits the slice with its true proportions and centres it", () => {
    expect(view.scale.y).toBeCloseTo(2 * view.scale.x);
    expect(toScreen(view, { x: 4.5, y: 4.5 })).toEqual({ x: 100, y: 200 });
  });

  it("leads back from the screen", () => {
    const back = toSlice(view, toScreen(view, { x: 2, y: 7 }));
    expect(back.x).toBeCloseTo(2);
    expect(back.y).toBeCloseTo(7);
  });

  it("zooms around a point that stays where it is", () => {
    const point = { x: 1, y: 8 };
    const nearer = viewportOf(plane, [1, 1, 2], zoomed(wholeSlice(plane), 2, point), 200, 400);
    expect(toScreen(nearer, point).x).toBeCloseTo(toScreen(view, point).x);
    expect(nearer.scale.x).toBeCloseTo(2 * view.scale.x);
  });
});
