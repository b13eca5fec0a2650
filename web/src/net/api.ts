/** What the page asks of its server, one function a request. */

import type { Axis } from "../core/axes";
import { packBits, unpackBits } from "../core/bits";
import type { Point } from "../core/brush";
import { request, requestJson } from "./http";
import type {
  ChangeAnswer,
  ExportAnswer,
  FolderListing,
  LabelInfo,
  Place,
  ServerState,
  StateParts,
} from "./wire";

export const api = {
  state: () => requestJson<ServerState>("GET", "/api/state"),
  scan: () => request("GET", "/api/scan"),

  async labels(): Promise<Uint8Array> {
    return bytesOf(await request("GET", "/api/labels"));
  },

  async labelSlice(axis: Axis, slice: number): Promise<Uint8Array> {
    return bytesOf(await request("GET", `/api/labels/${axis}/${slice}`));
  },

  async outline(place: Place, count: number): Promise<Uint8Array | null> {
    const response = await request("GET", outlinePath(place));
    return response.status === 204 ? null : unpackBits(await bytesOf(response), count);
  },

  /** `accepted`: the mask is the model's, which a person took as it is. */
  async putOutline(place: Place, mask: Uint8Array, accepted: boolean): Promise<ChangeAnswer> {
    const response = await request("PUT", `${outlinePath(place)}?accepted=${accepted}`, {
      body: packBits(mask),
      headers: { "Content-Type": "application/octet-stream" },
    });
    return (await response.json()) as ChangeAnswer;
  },

  deleteOutline: (place: Place) => requestJson<ChangeAnswer>("DELETE", outlinePath(place)),

  async preview(
    ask: Place & { box: number[] | null; points: Point[]; positive: boolean[]; from_mask: boolean },
    count: number,
    signal: AbortSignal,
  ): Promise<{ mask: Uint8Array; predictedIou: number; fromMemory: boolean }> {
    const response = await request("POST", "/api/preview", {
      body: JSON.stringify({ ...ask, points: ask.points.map(({ x, y }) => [x, y]) }),
      headers: { "Content-Type": "application/json" },
      signal,
    });
    const meta = JSON.parse(response.headers.get("X-Meta") ?? "{}") as {
      predicted_iou?: number;
      from_memory?: boolean;
    };
    return {
      mask: unpackBits(await bytesOf(response), count),
      predictedIou: meta.predicted_iou ?? Number.NaN,
      fromMemory: meta.from_memory ?? false,
    };
  },

  look: (axis: Axis, slice: number, label: number | null) =>
    requestJson<unknown>("POST", "/api/look", { axis, slice, label }),

  addLabel: (name?: string) => requestJson<ChangeAnswer & { id: number }>("POST", "/api/label", { name }),
  changeLabel: (id: number, part: Partial<Pick<LabelInfo, "name" | "colour" | "visible" | "locked">>) =>
    requestJson<ChangeAnswer>("PATCH", `/api/label/${id}`, part),
  deleteLabel: (id: number) => requestJson<ChangeAnswer>("DELETE", `/api/label/${id}`),

  undo: () => requestJson<ChangeAnswer>("POST", "/api/undo"),
  redo: () => requestJson<ChangeAnswer>("POST", "/api/redo"),

  propagate: (near: { axis: Axis; slice: number }) =>
    requestJson<StateParts>("POST", "/api/propagate", { near }),
  stop: () => requestJson<StateParts>("POST", "/api/stop"),
  takeOver: () => requestJson<StateParts>("POST", "/api/take-over"),

  export: (name: string, overwrite: boolean) =>
    requestJson<ExportAnswer>("POST", "/api/export", { name, overwrite }),

  async importFile(file: File, as: "outlines" | "predictions"): Promise<ChangeAnswer> {
    const query = new URLSearchParams({ as, name: file.name });
    const response = await request("POST", `/api/import?${query.toString()}`, {
      body: file,
      headers: { "Content-Type": "application/octet-stream" },
    });
    return (await response.json()) as ChangeAnswer;
  },

  files: (path: string) =>
    requestJson<FolderListing>("GET", `/api/files?${new URLSearchParams({ path }).toString()}`),
  open: (what: { path: string } | { demo: true }) => requestJson<ServerState>("POST", "/api/open", what),

  async mesh(label: number): Promise<ArrayBuffer | null> {
    const response = await request("GET", `/api/mesh/${label}`);
    return response.status === 204 ? null : response.arrayBuffer();
  },

  /** Exchange the secret of a printed address for this browser's cookie. */
  async useAddress(address: string): Promise<void> {
    const key = new URL(address, location.href).searchParams.get("key") ?? address;
    await request("GET", `/?${new URLSearchParams({ key }).toString()}`);
  },
};

async function bytesOf(response: Response): Promise<Uint8Array> {
  return new Uint8Array(await response.arrayBuffer());
}

function outlinePath({ label, axis, slice }: Place): string {
  return `/api/outline/${label}/${axis}/${slice}`;
}
