/** Scans of the folder that the server was started in, and the demo. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api } from "../net/api";
import { RefusedError } from "../net/http";
import type { FolderListing, Problem } from "../net/wire";
import { Told } from "../panels/Notices";
import { openScan } from "../state/link";
import { Icon } from "../panels/icons";
import { Dialog } from "./Dialog";
import { dialog } from "./open_dialog";

export function FileChooser() {
  const listing = useSignal<FolderListing | null>(null);
  const busy = useSignal<string | null>(null);
  const refused = useSignal<Problem | null>(null);

  const guard = async (what: string, work: () => Promise<void>): Promise<void> => {
    busy.value = what;
    refused.value = null;
    try {
      await work();
    } catch (error) {
      refused.value =
        error instanceof RefusedError
          ? error.problem
          : { what: error instanceof Error ? error.message : String(error) };
    } finally {
      busy.value = null;
    }
  };
  const list = (path: string) =>
    guard("the folder", async () => {
      listing.value = await api.files(path);
    });
  const open = (what: { path: string } | { demo: true }) =>
    guard("path" in what ? what.path : "the demo scan", async () => {
      await openScan(what);
      dialog.value = null;
    });
  useEffect(() => void list(""), []);

  const { path, parent, entries } = listing.value ?? { path: "", parent: null, entries: [] };
  return (
    <div class="chooser">
      <div class="row spread">
        <span class="path">
          <Icon name="folder" /> {path || "start folder"}
        </span>
        <button onClick={() => void open({ demo: true })} disabled={busy.value !== null}>
          Open the demo scan
        </button>
      </div>
      <ul role="list" aria-label="files">
        {parent !== null && (
          <li>
            <button onClick={() => void list(parent)}>
              <Icon name="undo" /> up
            </button>
          </li>
        )}
        {entries.map((entry) => {
          const full = path ? `${path}/${entry.name}` : entry.name;
          return (
            <li key={entry.name}>
              <button
                disabled={busy.value !== null}
                onClick={() => void (entry.kind === "folder" ? list(full) : open({ path: full }))}
              >
                <Icon name={entry.kind === "folder" ? "folder" : "window"} /> {entry.name}
                <span class="muted">{entry.kind === "folder" ? "" : entry.kind}</span>
                <span class="muted size">{entry.bytes ? size(entry.bytes) : ""}</span>
              </button>
            </li>
          );
        })}
        {listing.value && entries.length === 0 && <li class="muted">No scan and no folder here.</li>}
      </ul>
      {busy.value && <p role="status">Opening {busy.value}…</p>}
      {refused.value && (
        <div class="answer bad" role="alert">
          <Told problem={refused.value} />
        </div>
      )}
    </div>
  );
}

export function OpenDialog() {
  return (
    <Dialog title="Open a scan" wide>
      <FileChooser />
    </Dialog>
  );
}

function size(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${Math.round(bytes / 1e6)} MB`;
}
