/** What the page has to tell: errors with their remedy, and short remarks. */

import { signal } from "@preact/signals";
import { LostError, RefusedError } from "../net/http";
import type { Problem } from "../net/wire";

export interface Notice {
  id: number;
  kind: "error" | "remark";
  problem: Problem;
}

const REMARK_MS = 6000;

export const notices = signal<readonly Notice[]>([]);
let next = 1;

/** Say what went wrong, until the person closes it; the same thing is said once. */
export function tellProblem(problem: Problem): void {
  if (
    notices.value.some(
      (one) => one.problem.what === problem.what && one.problem.received === problem.received,
    )
  )
    return;
  notices.value = [...notices.value, { id: next++, kind: "error", problem }];
}

/** Say something that goes away by itself. */
export function remark(what: string, remedy?: string): void {
  const notice: Notice = { id: next++, kind: "remark", problem: remedy ? { what, remedy } : { what } };
  notices.value = [...notices.value.filter((one) => one.kind === "error"), notice];
  setTimeout(() => dismiss(notice.id), REMARK_MS);
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((one) => one.id !== id);
}

/** Say why a request came to nothing. */
export function tellFailure(error: unknown): void {
  if (error instanceof RefusedError) tellProblem(error.problem);
  else if (error instanceof LostError)
    tellProblem({
      what: "the server does not answer",
      remedy: "start voxtrail annotate again on the same port; this page connects again by itself",
    });
  else if (error instanceof DOMException && error.name === "AbortError") return;
  else tellProblem({ what: error instanceof Error ? error.message : String(error) });
}

/** Do something whose failure the person is told. */
export function attempt(work: Promise<unknown>): void {
  work.catch(tellFailure);
}
