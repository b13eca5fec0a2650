/** The way between page and server: opening a scan, following it, coming back after a loss. */

import { effect, signal } from "@preact/signals";
import { AXES, type Axis } from "../core/axes";
import { unpackBits } from "../core/bits";
import type { SliceHeader } from "../core/slice_message";
import { api } from "../net/api";
import { listen } from "../net/events";
import { RefusedError } from "../net/http";
import type { ScanInfo, ServerEvent, ServerState } from "../net/wire";
import { connected, keyWanted, otherTab, sendWaiting, showAll, unconfirmed } from "./changes";
import { forgetDrawn, isDrawn, learnDrawn, noteStreamed } from "./drawn";
import { activeAxis, cursor, lookAnew, sliceOf } from "./look";
import { attempt, tellProblem } from "./notices";
import { chosen, chosenId, mergeParts, outlines, planes, scan, server } from "./server";
import { fetchScan, showPredicted } from "./volumes";

/** Slices that were streamed in the propagation that runs: confidence by label, axis and slice. */
export const streamedConfidence = signal<ReadonlyMap<string, number | null>>(new Map());
/** Counts up when the labels changed enough for the 3D view to be made anew. */
export const labelsSettled = signal(0);
const LOOK_DELAY_MS = 150;

let fetched: ScanInfo | null = null;

/** Connect, and follow the server for as long as the page lives. */
export function begin(): void {
  listen({
    connected: () => attempt(comeBack()),
    lost: () => {
      connected.value = false;
      void askWhy();
    },
    event: onEvent,
    slice: onSlice,
  });
  effect(() => {
    void cursor.value;
    void chosen.value;
    void outlines.value;
    learnWhatIsSeen();
  });
  effect(() => {
    const [axis, slice] = [activeAxis.value, sliceOf(activeAxis.value)];
    if (!scan.value || !connected.value) return undefined;
    const timer = setTimeout(() => sayLook(axis, slice), LOOK_DELAY_MS);
    return () => clearTimeout(timer);
  });
  addEventListener("beforeunload", (event) => {
    if (unconfirmed.value > 0) event.preventDefault();
  });
}

/** Find out whether the server is gone, or only wants its key. */
async function askWhy(): Promise<void> {
  try {
    await api.state();
  } catch (error) {
    if (error instanceof RefusedError && error.status === 401) keyWanted.value = true;
  }
}

/** Take up the server's state, fetch what is missing, and send what waits. */
export async function comeBack(): Promise<void> {
  try {
    await takeUp(await api.state());
    keyWanted.value = false;
  } catch (error) {
    if (error instanceof RefusedError && error.status === 401) keyWanted.value = true;
    else throw error;
    return;
  }
  connected.value = true;
  await sendWaiting();
}

/** Show a state, of the same scan as before or of another. */
export async function takeUp(state: ServerState): Promise<void> {
  const info = state.scan;
  const same = fetched !== null && info !== null && isSameScan(fetched, info);
  server.value = state;
  forgetDrawn();
  if (!info) return;
  if (!same) {
    chosenId.value = state.labels[0]?.id ?? 1;
    lookAnew();
    fetched = info;
    try {
      await fetchScan(info);
    } catch (error) {
      fetched = null;
      throw error;
    }
  }
  await showAll();
  labelsSettled.value++;
}

function isSameScan(a: ScanInfo, b: ScanInfo): boolean {
  return a.name === b.name && a.bytes === b.bytes && JSON.stringify(a.affine) === JSON.stringify(b.affine);
}

function onEvent(event: ServerEvent): void {
  switch (event.type) {
    case "state":
      if (event.scan === undefined) mergeParts(event);
      else attempt(comeBack()); // another tab opened a scan
      break;
    case "progress":
      mergeParts({ running: event });
      break;
    case "end":
      mergeParts({ ...event, running: null });
      streamedConfidence.value = new Map();
      attempt(showAll().then(() => labelsSettled.value++));
      break;
    case "error":
      tellProblem(event.error);
      break;
    case "other_tab":
      otherTab.value = true;
      break;
    case "editor":
      otherTab.value = false;
      attempt(comeBack());
      break;
    case "model":
      mergeParts({ model: event.model });
      break;
    case "encoded":
      break;
  }
}

function onSlice(header: SliceHeader, packed: Uint8Array): void {
  const plane = planes.value?.[header.axis];
  if (!plane) return;
  noteStreamed(header.label);
  const key = `${header.label}/${header.axis}/${header.slice}`;
  streamedConfidence.value = new Map(streamedConfidence.value).set(key, header.confidence);
  if (isDrawn(header)) return;
  showPredicted(header, unpackBits(packed, plane.width * plane.height));
}

function learnWhatIsSeen(): void {
  const label = chosen.value;
  if (!label || !connected.value) return;
  for (const axis of AXES) attempt(learnDrawn({ label: label.id, axis, slice: sliceOf(axis) }));
}

/** Tell the server where the person looks, so that it encodes what is near. */
function sayLook(axis: Axis, slice: number): void {
  api.look(axis, slice, chosen.value?.id ?? null).catch(() => {
    // It only makes a later click quicker; the click itself says what is wrong.
  });
}

/** Draw here, not in the other tab. */
export async function takeOver(): Promise<void> {
  await api.takeOver();
  otherTab.value = false;
  await comeBack();
}

/** Open a scan of the server's folder, or the demo. */
export async function openScan(what: { path: string } | { demo: true }): Promise<void> {
  await takeUp(await api.open(what));
}

/** Carry what is drawn through the scan. */
export function propagate(): void {
  const axis = activeAxis.value;
  attempt(api.propagate({ axis, slice: sliceOf(axis) }).then(mergeParts));
}

export function stopPropagation(): void {
  attempt(api.stop().then(mergeParts));
}
