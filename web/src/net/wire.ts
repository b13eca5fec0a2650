/** What travels between this page and its server, as JSON. */

import type { Axis, Triple } from "../core/axes";

export interface Preset {
  name: string;
  level: number;
  width: number;
}

export interface ScanInfo {
  name: string;
  shape: Triple;
  spacing_mm: Triple;
  affine: number[][];
  hu: [number, number];
  presets: Preset[];
  /** How the file counts its slices. */
  stored: Record<Axis, { flipped: boolean; count: number }>;
  bytes: number;
}

export interface ModelInfo {
  name: string;
  state: "loading" | "ready" | "failed";
  error?: Problem;
}

export interface LabelInfo {
  id: number;
  name: string;
  colour: string;
  visible: boolean;
  locked: boolean;
  outlines: number;
}

export interface Place {
  label: number;
  axis: Axis;
  slice: number;
}

export interface OutlineInfo extends Place {
  kind: "mask" | "box" | "points";
}

export interface LabelResultInfo {
  expected: { dice: number; spread: number; outlines: number } | null;
  why_not?: string | null;
  stale: boolean;
  slices: Partial<Record<Axis, { first: number; confidence: (number | null)[] }>>;
}

export interface SuggestionInfo extends Place {
  reason: string;
  score: number;
}

export interface Running {
  done: number;
  total: number;
  seconds_left: number | null;
  what?: string;
}

export interface FormatInfo {
  suffix: string;
  name: string;
  available: boolean;
  why_not?: string | null;
}

/** All that the server tells; answers to changes carry some of it. */
export interface ServerState {
  notice: string;
  version: string;
  scan: ScanInfo | null;
  model: ModelInfo;
  labels: LabelInfo[];
  outlines: OutlineInfo[];
  can_undo: boolean;
  can_redo: boolean;
  undo_what: string | null;
  redo_what: string | null;
  results: Record<string, LabelResultInfo>;
  suggestions: SuggestionInfo[];
  /** What the last propagation has to say, such as a label that ran into its crop. */
  warnings: string[];
  running: Running | null;
  session_file: string | null;
  revision: number;
  formats: FormatInfo[];
}

/** Some of it; `stale` tells of which labels the results are older than what is drawn. */
export type StateParts = Partial<ServerState> & { stale?: number[] };

/** What was wrong, what was received, what is accepted and what to do. */
export interface Problem {
  what: string;
  received?: string | null;
  accepted?: string | null;
  remedy?: string | null;
}

/** An answer to a change; `changed` is null where all labels may look different. */
export interface ChangeAnswer extends StateParts {
  changed?: Place[] | null;
}

export interface FileEntry {
  name: string;
  kind: string;
  bytes: number | null;
}

export interface FolderListing {
  path: string;
  parent: string | null;
  entries: FileEntry[];
}

export interface ExportAnswer {
  path: string;
  /** How it was made, as written beside it; outlines have none. */
  record: unknown;
}

export type ServerEvent =
  | ({ type: "state" } & StateParts)
  | ({ type: "progress" } & Running)
  | ({ type: "end"; complete: boolean } & StateParts)
  | { type: "error"; error: Problem }
  | { type: "other_tab" }
  | { type: "editor" }
  | { type: "encoded"; axis: Axis; slices: number[] }
  | { type: "model"; model: ModelInfo };
