/** What is drawn on a slice: where an edit begins, and how its end is saved. */

import { signal } from "@preact/signals";
import type { Axis } from "../core/axes";
import { countOf } from "../core/bits";
import { api } from "../net/api";
import type { Place } from "../net/wire";
import { change, noteChanged, onChangedElsewhere, unconfirmedAt } from "./changes";
import { attempt, remark } from "./notices";
import { chosen, keyOf, outlines, planes, server } from "./server";
import { fetchShownSlice, repaint, showMask, shownSlice } from "./volumes";

/** Confirmed masks that were looked at, by place. */
const known = new Map<string, Uint8Array>();
/** Labels of which a prediction was streamed that the server's results do not tell of yet. */
const streamed = signal<ReadonlySet<number>>(new Set());

onChangedElsewhere((places) => {
  if (places) for (const place of places) known.delete(keyOf(place));
  else known.clear();
});

export function forgetDrawn(): void {
  known.clear();
  streamed.value = new Set();
}

export function noteStreamed(label: number): void {
  if (!streamed.value.has(label)) streamed.value = new Set([...streamed.value, label]);
}

export function isDrawn(place: Place): boolean {
  return outlines.value.has(keyOf(place)) || unconfirmedAt(place) !== null;
}

/** Whether there is a prediction of a label, which an edit then begins with. */
export function isPredicted(label: number): boolean {
  return streamed.value.has(label) || Object.hasOwn(server.value?.results ?? {}, String(label));
}

/** Fetch the mask of a slice that is looked at, so that an edit can begin with it at once. */
export async function learnDrawn(place: Place): Promise<void> {
  const key = keyOf(place);
  const plane = planes.value?.[place.axis];
  if (!plane || !outlines.value.has(key) || known.has(key) || unconfirmedAt(place)) return;
  const mask = await api.outline(place, plane.width * plane.height);
  if (mask) known.set(key, mask);
}

/**
 * Return what an edit of a slice begins with: what is drawn there, else what is predicted, else
 * nothing. (Where nothing is predicted, lines of crossing slices are no beginning.)
 */
export function beginning(place: Place): Uint8Array {
  const plane = planes.value![place.axis];
  const drawn = unconfirmedAt(place) ?? known.get(keyOf(place));
  if (drawn) return drawn.slice();
  const begun = new Uint8Array(plane.width * plane.height);
  if (!isDrawn(place) && !isPredicted(place.label)) return begun;
  const shown = shownSlice(place.axis, place.slice);
  for (let i = 0; i < shown.length; i++) if (shown[i] === place.label) begun[i] = 1;
  return begun;
}

/** Return the chosen label's place on a slice, or say why nothing can be drawn. */
export function placeToDraw(axis: Axis, slice: number): Place | null {
  const label = chosen.value;
  if (!label) remark("there is no label to draw", "add one in the list of labels");
  else if (label.locked) remark(`${label.name} is locked`, "unlock it in the list of labels");
  else if (!label.visible) remark(`${label.name} is hidden`, "show it in the list of labels");
  else return { label: label.id, axis, slice };
  return null;
}

/** Draw a mask, or take the model's: it is shown at once and saved as the slice's outline. */
export function draw(place: Place, mask: Uint8Array, what: string, accepted = false): void {
  showMask(place, mask);
  change({
    what,
    send: () => api.putOutline(place, mask, accepted),
    drawn: { place, mask },
    confirmed: () => known.set(keyOf(place), mask),
  });
}

/** Take back what is drawn of the chosen label on a slice. */
export function takeBack(axis: Axis, slice: number): void {
  const place = placeToDraw(axis, slice);
  if (!place) return;
  if (!isDrawn(place)) {
    remark("nothing is drawn on this slice", "undo takes back the last change");
    return;
  }
  change({
    what: "take back an outline",
    send: () => api.deleteOutline(place),
    confirmed: () => {
      known.delete(keyOf(place));
      noteChanged([place]);
      attempt(fetchShownSlice(axis, slice).then(repaint));
    },
  });
}

/** Say that there is nothing of the chosen label on a slice. */
export function drawNothing(axis: Axis, slice: number): void {
  const place = placeToDraw(axis, slice);
  const plane = planes.value?.[axis];
  if (place && plane) draw(place, new Uint8Array(plane.width * plane.height), "nothing here");
}

/** Draw what is drawn on the nearest slice of the same view on this one, too. */
export async function copyNeighbour(axis: Axis, slice: number): Promise<void> {
  const place = placeToDraw(axis, slice);
  if (!place) return;
  const neighbours = [...outlines.value.values()]
    .filter((one) => one.label === place.label && one.axis === axis && one.slice !== slice)
    .sort((a, b) => Math.abs(a.slice - slice) - Math.abs(b.slice - slice));
  for (const neighbour of neighbours) {
    await learnDrawn(neighbour);
    const mask = beginning(neighbour);
    if (countOf(mask) === 0) continue;
    draw(place, mask, `copy slice ${neighbour.slice}`);
    remark(`copied from slice ${neighbour.slice}`);
    return;
  }
  remark("no other slice of this view is drawn", "draw one first");
}

export function undo(): void {
  change({ what: "undo", send: api.undo });
}

export function redo(): void {
  change({ what: "redo", send: api.redo });
}
