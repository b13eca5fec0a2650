/** What the server has told of the scan, the labels and what is drawn. */

import { computed, signal } from "@preact/signals";
import { AXES, planeOf, type Axis, type Plane } from "../core/axes";
import type { LabelInfo, OutlineInfo, Place, ServerState, StateParts } from "../net/wire";

export const server = signal<ServerState | null>(null);

/** Take up the parts of an answer; older ones than what is known already are left. */
export function mergeParts(parts: StateParts): void {
  const now = server.value;
  if (!now || (parts.revision !== undefined && parts.revision < now.revision)) return;
  const known = Object.fromEntries(Object.entries(parts).filter(([key]) => key in now));
  const next: ServerState = { ...now, ...known };
  const { stale } = parts;
  if (stale)
    next.results = Object.fromEntries(
      Object.entries(next.results).map(([id, result]) => [
        id,
        { ...result, stale: stale.includes(Number(id)) },
      ]),
    );
  server.value = next;
}

export const scan = computed(() => server.value?.scan ?? null);
export const labels = computed<readonly LabelInfo[]>(() => server.value?.labels ?? []);
export const suggestions = computed(() => server.value?.suggestions ?? []);
export const running = computed(() => server.value?.running ?? null);

export const planes = computed<Record<Axis, Plane> | null>(() => {
  const shape = scan.value?.shape;
  if (!shape) return null;
  return Object.fromEntries(AXES.map((axis) => [axis, planeOf(axis, shape)])) as Record<Axis, Plane>;
});

/** The label that tools draw. */
export const chosenId = signal(1);
export const chosen = computed<LabelInfo | null>(
  () => labels.value.find((label) => label.id === chosenId.value) ?? labels.value[0] ?? null,
);

export function labelOf(id: number): LabelInfo | undefined {
  return labels.value.find((label) => label.id === id);
}

export function keyOf({ label, axis, slice }: Place): string {
  return `${label}/${axis}/${slice}`;
}

/** What is drawn and confirmed, by place. */
export const outlines = computed<ReadonlyMap<string, OutlineInfo>>(
  () => new Map((server.value?.outlines ?? []).map((outline) => [keyOf(outline), outline])),
);
