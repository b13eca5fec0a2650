/** The scan and the labels as shown, voxel by voxel; the two large arrays of the page. */

import { signal } from "@preact/signals";
import { putSlice, takeSlice, type Axis } from "../core/axes";
import { api } from "../net/api";
import type { Place, ScanInfo } from "../net/wire";
import { labelOf, planes } from "./server";

/** How often a scan that is still arriving is painted anew. */
const REPAINT_MS = 250;

class Volumes {
  /** Hounsfield units, i fastest. */
  scan = new Int16Array(0);
  /** The label of each voxel, i fastest; 0 is none. */
  shown: Uint8Array = new Uint8Array(0);
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
  arrived.value = 0;
  const scan = volumes.scan;
  const bytes = new Uint8Array(scan.buffer);
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
      repaint();
    }
  }
  if (at !== bytes.length) throw new Error(`the scan broke off after ${at} of ${bytes.length} bytes`);
  arrived.value = 1;
  repaint();
}

/** Fetch all labels as the server shows them. */
export async function fetchShown(): Promise<void> {
  const shown = await api.labels();
  if (shown.length !== volumes.scan.length)
    throw new Error(`the labels have ${shown.length} voxels, the scan ${volumes.scan.length}`);
  volumes.shown = shown;
}

/** Fetch the labels of one slice as the server shows them. */
export async function fetchShownSlice(axis: Axis, slice: number): Promise<void> {
  const plane = planes.value![axis];
  putSlice(volumes.shown, plane, slice, await api.labelSlice(axis, slice));
}

export function shownSlice(axis: Axis, slice: number): Uint8Array {
  return takeSlice(volumes.shown, planes.value![axis], slice);
}

/** Show a mask as all that there is of a label on a slice; locked labels keep their voxels. */
export function showMask({ label, axis, slice }: Place, mask: Uint8Array): void {
  paintWhere(axis, slice, mask, label, (there) => there === 0 || !labelOf(there)?.locked);
}

/** Show a predicted mask where no other label is shown. */
export function showPredicted({ label, axis, slice }: Place, mask: Uint8Array): void {
  paintWhere(axis, slice, mask, label, (there) => there === 0);
}

function paintWhere(
  axis: Axis,
  slice: number,
  mask: Uint8Array,
  label: number,
  mayCover: (there: number) => boolean,
): void {
  const { width, height, xStep, yStep, sliceStep } = planes.value![axis];
  const { shown } = volumes;
  let row = slice * sliceStep;
  for (let y = 0, at = 0; y < height; y++, row += yStep)
    for (let x = 0, voxel = row; x < width; x++, voxel += xStep, at++) {
      const there = shown[voxel];
      if (mask[at]) {
        if (there !== label && mayCover(there)) shown[voxel] = label;
      } else if (there === label) shown[voxel] = 0;
    }
  repaint();
}
