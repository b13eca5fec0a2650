/** Write the labels to a file of the server's folder, or fetch them as a download. */

import { useSignal } from "@preact/signals";
import { api } from "../net/api";
import { RefusedError } from "../net/http";
import type { ExportAnswer, Problem } from "../net/wire";
import { Told } from "../panels/Notices";
import { tellFailure } from "../state/notices";
import { scan, server } from "../state/server";
import { Dialog } from "./Dialog";

const USUAL = ".nii.gz";
/** The suffix of what is drawn, without what was found. */
const OUTLINES = ".json";

export function ExportDialog() {
  const formats = server.value?.formats ?? [];
  const suffix = useSignal(USUAL);
  const entered = useSignal<string | null>(null);
  const overwrite = useSignal(false);
  const busy = useSignal(false);
  const written = useSignal<ExportAnswer | null>(null);
  const refused = useSignal<Problem | null>(null);
  const scanName = (scan.value?.name ?? "scan").replace(/(\.nii)?\.[a-z0-9]+$/i, "");
  const stem = entered.value ?? `${scanName}-${suffix.value === OUTLINES ? "outlines" : "labels"}`;
  const format = formats.find((one) => one.suffix === suffix.value);

  const write = async (): Promise<void> => {
    busy.value = true;
    written.value = refused.value = null;
    try {
      written.value = await api.export(stem + suffix.value, overwrite.value);
    } catch (error) {
      if (error instanceof RefusedError) refused.value = error.problem;
      else tellFailure(error);
    } finally {
      busy.value = false;
    }
  };

  return (
    <Dialog title="Export the labels">
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          void write();
        }}
      >
        <label class="field">
          Format
          <select value={suffix.value} onChange={(event) => (suffix.value = event.currentTarget.value)}>
            {formats.map((one) => (
              <option key={one.suffix} value={one.suffix} disabled={!one.available}>
                {one.name} ({one.suffix}){one.available ? "" : ` · ${one.why_not ?? "not installed"}`}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          File name
          <span class="row">
            <input
              type="text"
              required
              value={stem}
              onInput={(event) => (entered.value = event.currentTarget.value)}
            />
            <span class="muted">{suffix.value}</span>
          </span>
        </label>
        <label class="row">
          <input
            type="checkbox"
            checked={overwrite.value}
            onChange={(event) => (overwrite.value = event.currentTarget.checked)}
          />
          Replace a file of that name
        </label>
        <p class="hint">
          Written into the folder that voxtrail annotate was started in, with a record of how it was made.
        </p>
        {refused.value && (
          <div class="answer bad" role="alert">
            <Told problem={refused.value} />
          </div>
        )}
        {written.value && (
          <p class="answer good" role="status">
            Written: <code>{written.value.path}</code>
            {written.value.record !== null && ", with its record beside it"}
          </p>
        )}
        <div class="row spread">
          <a class="button" href={`/api/download/${encodeURIComponent(suffix.value)}`} download>
            Download
          </a>
          <button class="primary" type="submit" disabled={busy.value || !format?.available}>
            {busy.value ? "Writing…" : "Write"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
