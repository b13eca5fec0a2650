/** The scan and the labels as shown, voxel by voxel; the two large arrays of the page. */

import { signal } from "@preact/signals";
import { takeSlice, type Axis } from "../core/axes";
import type { Bounds } from "../core/contour";
import { LabelRows } from "../core/label_rows";
import { Slabs } from "../core/slabs";
import { api } from "../net/api";
import type { Place, ScanInfo } from "../net/wire";
import { labelOf, planes, scan } from "./server";

/** How often a scan that is still arriving is painted anew. */
const REPAINT_MS = 250;
/** How long slices are made ready at a stretch. */
const PREPARE_MS = 4;

class Volumes {
  /** Hounsfield units, i fastest. */
  scan = new Int16Array(0);
  /** The label of each voxel, i fastest; 0 is none. */
  shown: Uint8Array = new Uint8Array(0);
  /** Where the rows of `shown` hold labels. */
  rows = new LabelRows(1, 0);
  slabs: Slabs | null = null;
}

export const volumes = new Volumes();
/** Counts up whenever a voxel of either array changes. */
export const painted = signal(0);
/** How much of the scan has arrived, 0 to 1. */
export const arrived = signal(0);

export function repaint(): void {
  painted.value++;
}

/** Fetch the scan, painting what has arrived. */
export async function fetchScan(info: ScanInfo): Promise<void> {
  const voxels = info.shape[0] * info.shape[1] * info.shape[2];
  volumes.scan = new Int16Array(voxels);
  volumes.shown = new Uint8Array(voxels);
  volumes.rows = LabelRows.of(volumes.shown, info.shape[0]);
  volumes.slabs = null;
  arrived.value = 0;
  const bytes = new Uint8Array(volumes.scan.buffer);
  const reader = (await api.scan()).body!.getReader();
  let at = 0;
  let paintedAt = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes.set(value, at);
    at += value.length;
    if (performance.now() - paintedAt > REPAINT_MS) {
      paintedAt = performance.now();
      arrived.value = at / bytes.length;
      volumes.slabs = null;
      repaint();
    }
  }
  if (at !== bytes.length) throw new Error(`the scan broke off after ${at} of ${bytes.length} bytes`);
  arrived.value = 1;
  volumes.slabs = null;
  repaint();
}

/** Fetch all labels as the server shows them. */
export async function fetchShown(): Promise<void> {
  const shown = await api.labels();
  if (shown.length !== volumes.scan.length)
    throw new Error(`the labels have ${shown.length} voxels, the scan ${volumes.scan.length}`);
  volumes.shown = shown;
  volumes.rows = LabelRows.of(shown, scan.value!.shape[0]);
}

/** Fetch the labels of one slice as the server shows them. */
export async function fetchShownSlice(axis: Axis, slice: number): Promise<void> {
  const pixels = await api.labelSlice(axis, slice);
  const { shown, rows } = volumes;
  visitSlice(axis, slice, null, (voxel, at) => {
    if (shown[voxel] === pixels[at]) return;
    shown[voxel] = pixels[at];
    rows.note(voxel);
  });
}

/** Return the labels of a slice, x fastest. */
export function shownSlice(axis: Axis, slice: number): Uint8Array {
  const plane = planes.value![axis];
  if (axis === "sagittal") return volumes.rows.takeSliceAcross(volumes.shown, plane, slice);
  return takeSlice(volumes.shown, plane, slice);
}

/** Return the Hounsfield units of a slice, x fastest. */
export function scanSlice(axis: Axis, slice: number): Int16Array {
  const plane = planes.value![axis];
  if (axis !== "sagittal") return takeSlice(volumes.scan, plane, slice);
  volumes.slabs ??= new Slabs(volumes.scan, plane);
  const found = volumes.slabs.slice(slice);
  requestIdleCallback(() => prepare(slice));
  return found;
}

/** Make the sagittal slices beside one ready, a little at a time. */
function prepare(slice: number): void {
  if (arrived.value === 1 && volumes.slabs?.prepare(slice, PREPARE_MS))
    requestIdleCallback(() => prepare(slice));
}

/** Show a mask as all that there is of a label on a slice, or in a part of it; locked labels stay. */
export function showMask({ label, axis, slice }: Place, mask: Uint8Array, part: Bounds | null = null): void {
  paintWhere({ label, axis, slice }, mask, part, (there) => there === 0 || !labelOf(there)?.locked);
}

/** Show a predicted mask where no other label is shown. */
export function showPredicted(place: Place, mask: Uint8Array): void {
  paintWhere(place, mask, null, (there) => there === 0);
}

function paintWhere(
  { label, axis, slice }: Place,
  mask: Uint8Array,
  part: Bounds | null,
  mayCover: (there: number) => boolean,
): void {
  const { shown, rows } = volumes;
  visitSlice(axis, slice, part, (voxel, at) => {
    const there = shown[voxel];
    if (mask[at]) {
      if (there === label || !mayCover(there)) return;
      shown[voxel] = label;
      rows.note(voxel);
    } else if (there === label) shown[voxel] = 0;
  });
  repaint();
}

/** Call `visit` with the voxel and the pixel of each place of a slice, or of a part of it. */
function visitSlice(
  axis: Axis,
  slice: number,
  part: Bounds | null,
  visit: (voxel: number, at: number) => void,
): void {
  const { width, height, xStep, yStep, sliceStep } = planes.value![axis];
  const { x0, y0, x1, y1 } = part ?? { x0: 0, y0: 0, x1: width - 1, y1: height - 1 };
  for (let y = y0; y <= y1; y++) {
    let voxel = slice * sliceStep + y * yStep + x0 * xStep;
    for (let x = x0; x <= x1; x++, voxel += xStep) visit(voxel, x + width * y);
  }
}
