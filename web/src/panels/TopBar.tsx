/** The scan's name, window, history, files. */

import { dialog } from "../dialogs/open_dialog";
import { redo, undo } from "../state/drawn";
import { engage } from "../draw/tools";
import { unconfirmed } from "../state/changes";
import { activeAxis, huWindow } from "../state/look";
import { scan, server } from "../state/server";
import { focusView } from "../views/SliceView";
import { Icon } from "./icons";
import { NumberField } from "./NumberField";

export function TopBar() {
  const state = server.value;
  return (
    <header class="top-bar">
      <span class="brand">
        <img src="./assets/icon.svg" alt="" width="22" height="22" /> voxtrail
      </span>
      <button class="scan-name" onClick={() => (dialog.value = "open")} title="Open another scan">
        <Icon name="folder" /> <span>{scan.value?.name ?? "no scan"}</span>
      </button>
      <div class="row" role="group" aria-label="history">
        <button
          class="quiet"
          disabled={!state?.can_undo}
          onClick={() => {
            if (!engage("stepBack")) undo();
          }}
          title={`Undo${state?.undo_what ? `: ${state.undo_what}` : ""} (Ctrl+Z)`}
          aria-label="undo"
        >
          <Icon name="undo" />
        </button>
        <button
          class="quiet"
          disabled={!state?.can_redo}
          onClick={redo}
          title={`Redo${state?.redo_what ? `: ${state.redo_what}` : ""} (Ctrl+Y)`}
          aria-label="redo"
        >
          <Icon name="redo" />
        </button>
        <Saved />
      </div>
      <WindowFields />
      <div class="row right">
        <button onClick={() => (dialog.value = "import")} title="Import a label map">
          <Icon name="import" /> Import
        </button>
        <button onClick={() => (dialog.value = "export")} title="Export the labels">
          <Icon name="export" /> Export
        </button>
        <button
          class="quiet"
          onClick={() => (dialog.value = "help")}
          title="Keys (?)"
          aria-label="help: all keys"
        >
          <Icon name="help" />
        </button>
      </div>
    </header>
  );
}

function Saved() {
  const waiting = unconfirmed.value;
  return (
    <span
      class={`saved ${waiting > 0 ? "waiting" : ""}`}
      role="status"
      title={server.value?.session_file ?? ""}
    >
      {waiting > 0 ? `saving ${waiting}…` : "saved"}
    </span>
  );
}

function WindowFields() {
  const { level, width } = huWindow.value;
  const presets = scan.value?.presets ?? [];
  const named = presets.find((preset) => preset.level === level && preset.width === width);
  return (
    <div class="row" role="group" aria-label="window">
      <select
        aria-label="window preset"
        title="Window (W for the next)"
        value={named?.name ?? ""}
        onChange={(event) => {
          const chosen = presets.find((preset) => preset.name === event.currentTarget.value);
          if (chosen) huWindow.value = { level: chosen.level, width: chosen.width };
          focusView(activeAxis.value);
        }}
      >
        {!named && <option value="">window</option>}
        {presets.map(({ name }) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      <label class="row">
        <span class="muted">L</span>
        <NumberField
          name="window level, HU"
          value={level}
          onValue={(hu) => (huWindow.value = { level: hu, width })}
        />
      </label>
      <label class="row">
        <span class="muted">W</span>
        <NumberField
          name="window width, HU"
          value={width}
          min={1}
          onValue={(hu) => (huWindow.value = { level, width: hu })}
        />
      </label>
    </div>
  );
}
