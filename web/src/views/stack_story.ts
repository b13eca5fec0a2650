/** What a slice bar tells of one stack: where it is drawn, how sure the rest is, what comes next. */

import type { Axis } from "../core/axes";
import { suggestions, server, outlines, planes } from "../state/server";
import { streamedConfidence } from "../state/link";

export interface StackStory {
  readonly count: number;
  readonly drawn: ReadonlySet<number>;
  /** Confidence of each predicted slice, 0 to 1. */
  readonly confidence: ReadonlyMap<number, number>;
  readonly suggested: number | null;
}

/** Return what is known of a label's stack along an axis. */
export function stackStory(axis: Axis, label: number | null): StackStory {
  const drawn = new Set<number>();
  const confidence = new Map<number, number>();
  for (const outline of outlines.value.values())
    if (outline.axis === axis && outline.label === label) drawn.add(outline.slice);
  const stack = label === null ? undefined : server.value?.results[label]?.slices[axis];
  stack?.confidence.forEach((one, i) => {
    if (one !== null) confidence.set(stack.first + i, one);
  });
  for (const [key, one] of streamedConfidence.value) {
    const [ofLabel, ofAxis, slice] = key.split("/");
    if (Number(ofLabel) === label && ofAxis === axis && one !== null) confidence.set(Number(slice), one);
  }
  const next = suggestions.value.find((one) => one.axis === axis && one.label === label);
  return { count: planes.value?.[axis].count ?? 1, drawn, confidence, suggested: next?.slice ?? null };
}
