/** Where the person looks and how: crosshair, zoom, window, overlay. */

import { computed, signal, type Signal } from "@preact/signals";
import { ALONG, AXES, clampIndex, type Axis, type Triple } from "../core/axes";
import { paintTable, windowTable, type HuWindow } from "../core/grey";
import { wholeSlice, type Gaze } from "../core/viewport";
import { labels, planes, scan } from "./server";

/** The voxel under the crosshair. */
export const cursor = signal<Triple>([0, 0, 0]);
/** The voxel under the pointer, while it is over a slice. */
export const pointed = signal<Triple | null>(null);
/** The view that keys act on. */
export const activeAxis = signal<Axis>("axial");
/** The one view that fills the page, if any. */
export const enlarged = signal<Axis | "3d" | null>(null);
export const crosshairShown = signal(true);

const WHOLE: Gaze = { zoom: 1, centre: { x: 0, y: 0 } };
export const gazes: Record<Axis, Signal<Gaze>> = {
  axial: signal(WHOLE),
  coronal: signal(WHOLE),
  sagittal: signal(WHOLE),
};

export const huWindow = signal<HuWindow>({ level: 40, width: 400 });
export const greys = computed(() => windowTable(huWindow.value));

export const opacity = signal(0.45);
export const overlayShown = signal(true);
export const overlayStyle = signal<"fill" | "outline">("fill");
export const paints = computed(() =>
  paintTable(
    labels.value.map(({ id, colour, visible }) => ({
      id,
      colour,
      opacity: visible && overlayShown.value && overlayStyle.value === "fill" ? opacity.value : 0,
    })),
  ),
);

export function sliceOf(axis: Axis): number {
  return cursor.value[ALONG[axis]];
}

/** Put the crosshair on a voxel, or on the nearest one inside the scan. */
export function moveCursor(voxel: Triple): void {
  const shape = scan.value?.shape;
  if (!shape) return;
  const [i, j, k] = voxel.map((index, axis) => clampIndex(index, shape[axis]));
  const now = cursor.value;
  if (i !== now[0] || j !== now[1] || k !== now[2]) cursor.value = [i, j, k];
}

export function showSlice(axis: Axis, slice: number): void {
  const voxel: [number, number, number] = [...cursor.value];
  voxel[ALONG[axis]] = slice;
  moveCursor(voxel);
}

export function stepSlice(axis: Axis, step: number): void {
  showSlice(axis, sliceOf(axis) + step);
}

/** Show all of each slice. */
export function resetGazes(): void {
  for (const axis of AXES) gazes[axis].value = planes.value ? wholeSlice(planes.value[axis]) : WHOLE;
}

/** Look at a scan for the first time: its middle, the first window. */
export function lookAnew(): void {
  const info = scan.value;
  if (!info) return;
  resetGazes();
  moveCursor([info.shape[0] >> 1, info.shape[1] >> 1, info.shape[2] >> 1]);
  const preset = info.presets[0];
  if (preset) huWindow.value = { level: preset.level, width: preset.width };
}

export function nextPreset(): void {
  const presets = scan.value?.presets ?? [];
  if (presets.length === 0) return;
  const { level, width } = huWindow.value;
  const now = presets.findIndex((preset) => preset.level === level && preset.width === width);
  const { level: nextLevel, width: nextWidth } = presets[(now + 1) % presets.length];
  huWindow.value = { level: nextLevel, width: nextWidth };
}
