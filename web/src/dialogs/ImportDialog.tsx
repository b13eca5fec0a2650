/** Take over a label map: as slices that are drawn, or as a prediction to correct. */

import { useSignal } from "@preact/signals";
import { api } from "../net/api";
import { RefusedError } from "../net/http";
import type { Problem } from "../net/wire";
import { Told } from "../panels/Notices";
import { showAll } from "../state/changes";
import { forgetDrawn } from "../state/drawn";
import { labelsSettled } from "../state/link";
import { remark, tellFailure } from "../state/notices";
import { mergeParts } from "../state/server";
import { Dialog } from "./Dialog";
import { dialog } from "./open_dialog";

export function ImportDialog() {
  const file = useSignal<File | null>(null);
  const as = useSignal<"outlines" | "predictions">("outlines");
  const busy = useSignal(false);
  const refused = useSignal<Problem | null>(null);

  const take = async (): Promise<void> => {
    if (!file.value) return;
    busy.value = true;
    refused.value = null;
    try {
      mergeParts(await api.importFile(file.value, as.value));
      forgetDrawn();
      await showAll();
      labelsSettled.value++;
      remark(`imported ${file.value.name}`);
      dialog.value = null;
    } catch (error) {
      if (error instanceof RefusedError) refused.value = error.problem;
      else tellFailure(error);
    } finally {
      busy.value = false;
    }
  };

  return (
    <Dialog title="Import labels">
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          void take();
        }}
      >
        <label class="field">
          Label map on this scan's grid
          <input
            type="file"
            required
            onChange={(event) => (file.value = event.currentTarget.files?.[0] ?? null)}
          />
        </label>
        <fieldset>
          <legend>Take it as</legend>
          <label class="row">
            <input
              type="radio"
              name="as"
              checked={as.value === "outlines"}
              onChange={() => (as.value = "outlines")}
            />
            drawn slices: each slice with voxels was outlined by a person
          </label>
          <label class="row">
            <input
              type="radio"
              name="as"
              checked={as.value === "predictions"}
              onChange={() => (as.value = "predictions")}
            />
            predictions: to be looked at and corrected
          </label>
        </fieldset>
        {refused.value && (
          <div class="answer bad" role="alert">
            <Told problem={refused.value} />
          </div>
        )}
        <div class="row right">
          <button class="primary" type="submit" disabled={busy.value || !file.value}>
            {busy.value ? "Importing…" : "Import"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
