/**
 * Changes on their way to the server, one after the other. A drawn mask that was not confirmed is
 * kept and sent again when the server is back; so nothing drawn is lost.
 */

import { signal } from "@preact/signals";
import { LostError, RefusedError } from "../net/http";
import type { ChangeAnswer, Place, Problem } from "../net/wire";
import { remark, tellProblem } from "./notices";
import { keyOf, mergeParts, planes } from "./server";
import { fetchShown, fetchShownSlice, repaint, showMask } from "./volumes";

export interface Change {
  /** What a person would call it. */
  readonly what: string;
  send(): Promise<ChangeAnswer>;
  /** The mask that it draws: kept until it is confirmed. */
  readonly drawn?: { readonly place: Place; readonly mask: Uint8Array };
  /** Called when the server has it on disk. */
  confirmed?(answer: ChangeAnswer): void;
}

/** Places above which all labels are fetched instead of slice by slice. */
const MANY_PLACES = 24;

const GRACE_MS = 300;

const waiting: Change[] = [];
/** What is shown and not yet sent: the stroke under the pen. */
let underPen: Change["drawn"] | null = null;
/** How many changes the server has not confirmed. */
export const unconfirmed = signal(0);
/** Why what is drawn cannot be saved now; it is sent again when the person says so. */
export const held = signal<Problem | null>(null);
export const connected = signal(false);
/** Another tab draws on this scan; this one only looks. */
export const otherTab = signal(false);
/** The server wants the secret of its printed address. */
export const keyWanted = signal(false);

let sending = false;
const forgetters: ((places: readonly Place[] | null) => void)[] = [];

/** Have a function called with the places whose outlines another than this page's pen changed. */
export function onChangedElsewhere(forget: (places: readonly Place[] | null) => void): void {
  forgetters.push(forget);
}

/** Send a change after those before it. */
export function change(one: Change): void {
  waiting.push(one);
  unconfirmed.value = waiting.length;
  void sendWaiting();
}

/** Return the mask that is drawn at a place and not yet confirmed. */
export function unconfirmedAt(place: Place): Uint8Array | null {
  const key = keyOf(place);
  return waiting.findLast(({ drawn }) => drawn && keyOf(drawn.place) === key)?.drawn?.mask ?? null;
}

export function setUnderPen(drawn: Change["drawn"] | null): void {
  underPen = drawn;
}

/** Show again what is drawn and not yet confirmed, over labels that the server just sent. */
function showUnconfirmed(): void {
  for (const { drawn } of waiting) if (drawn) showMask(drawn.place, drawn.mask);
  if (underPen) showMask(underPen.place, underPen.mask);
  repaint();
}

/** Places that changed while all labels were being fetched, which may be from before. */
const fetchesUnderWay = new Set<Place[]>();

/** Take notice that a place looks different from now on, on the server, too. */
export function noteChanged(places: readonly Place[]): void {
  for (const missed of fetchesUnderWay) missed.push(...places);
}

/** Fetch and show all labels, with what is not yet confirmed over them. */
export async function showAll(): Promise<void> {
  const missed: Place[] = [];
  fetchesUnderWay.add(missed);
  try {
    await fetchShown();
  } finally {
    fetchesUnderWay.delete(missed);
  }
  for (const { axis, slice } of bySlice(missed)) await fetchShownSlice(axis, slice);
  showUnconfirmed();
}

/** Return one of the places of each slice. */
function bySlice(places: readonly Place[]): Place[] {
  return [...new Map(places.map((place) => [`${place.axis}/${place.slice}`, place])).values()];
}

/** Send what waits, as long as the server takes it. */
export async function sendWaiting(): Promise<void> {
  if (sending || !connected.value || otherTab.value || keyWanted.value) return;
  sending = true;
  held.value = null;
  try {
    while (waiting.length > 0 && connected.value) {
      if (!(await sent(waiting[0]))) break;
      waiting.shift();
      unconfirmed.value = waiting.length;
    }
  } finally {
    sending = false;
  }
}

/** Send one change; tell whether it is dealt with, well or not. */
async function sent(one: Change): Promise<boolean> {
  try {
    const answer = await one.send();
    mergeParts(answer);
    if (one.drawn) noteChanged([one.drawn.place]);
    one.confirmed?.(answer);
    if (answer.changed !== undefined) await showChanged(answer.changed, one);
    return true;
  } catch (error) {
    if (error instanceof LostError) connected.value = false;
    else if (!(error instanceof RefusedError)) throw error;
    else if (error.status === 401) keyWanted.value = true;
    else if (error.status === 409 && one.drawn && (await isOtherTab())) return false;
    else if (error.status >= 500 && one.drawn) held.value = error.problem;
    else {
      tellProblem(error.problem);
      if (one.drawn) await showChanged([one.drawn.place], one);
      return true;
    }
    if (one.drawn) return false;
    // What is no drawing is not repeated behind the person's back: it may have been done already.
    remark(`not done: ${one.what}`, "try again when the server answers");
    return true;
  }
}

/** Whether another tab has taken over: the server may say so just after it refused a change. */
async function isOtherTab(): Promise<boolean> {
  if (!otherTab.value) await new Promise((resolve) => setTimeout(resolve, GRACE_MS));
  return otherTab.value;
}

async function showChanged(places: readonly Place[] | null, cause: Change): Promise<void> {
  for (const forget of forgetters) forget(places);
  if (!planes.value) return;
  if (places) noteChanged(places);
  const slices = places ? bySlice(places) : [];
  if (places === null || slices.length > MANY_PLACES) await fetchShown();
  else for (const { axis, slice } of slices) await fetchShownSlice(axis, slice);
  for (const { drawn } of waiting.slice(waiting.indexOf(cause) + 1))
    if (drawn) showMask(drawn.place, drawn.mask);
  if (underPen) showMask(underPen.place, underPen.mask);
  repaint();
}
