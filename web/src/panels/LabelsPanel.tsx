/** The labels: which one is drawn, how each is called and shown. */

import { signal } from "@preact/signals";
import { api } from "../net/api";
import type { LabelInfo } from "../net/wire";
import { change } from "../state/changes";
import { opacity, overlayShown, overlayStyle } from "../state/look";
import { attempt } from "../state/notices";
import { chosen, chosenId, labels, mergeParts, server } from "../state/server";
import { Icon } from "./icons";

/** The label whose name is being written. */
const renamed = signal<number | null>(null);
/** The label whose removal waits for a second press. */
const doomed = signal<number | null>(null);

type Part = Partial<Pick<LabelInfo, "name" | "colour" | "visible" | "locked">>;

function alter(label: LabelInfo, part: Part): void {
  change({ what: `change ${label.name}`, send: () => api.changeLabel(label.id, part) });
}

function add(): void {
  attempt(
    api.addLabel().then((answer) => {
      mergeParts(answer);
      chosenId.value = answer.id;
      renamed.value = answer.id;
    }),
  );
}

function remove(label: LabelInfo): void {
  // A label with drawings asks once more; an empty one goes at once. Undo brings either back.
  if (label.outlines > 0 && doomed.value !== label.id) {
    doomed.value = label.id;
    return;
  }
  doomed.value = null;
  change({ what: `remove ${label.name}`, send: () => api.deleteLabel(label.id) });
}

export function LabelsPanel() {
  return (
    <section class="panel labels" aria-label="labels">
      <h2>
        Labels
        <button class="quiet" onClick={add} title="Add a label" aria-label="add a label">
          <Icon name="plus" />
        </button>
      </h2>
      <ul role="list">
        {labels.value.map((label) => (
          <LabelRow key={label.id} label={label} />
        ))}
      </ul>
      {labels.value.length === 0 && (
        <p class="hint">
          <button class="primary" onClick={add}>
            Add the first label
          </button>
        </p>
      )}
      <Overlay />
    </section>
  );
}

function LabelRow({ label }: { label: LabelInfo }) {
  const isChosen = chosen.value?.id === label.id;
  return (
    <li class={isChosen ? "chosen" : ""}>
      <input
        type="color"
        value={label.colour}
        aria-label={`colour of ${label.name}`}
        title="Colour"
        onChange={(event) => alter(label, { colour: event.currentTarget.value })}
      />
      {renamed.value === label.id ? (
        <NameField label={label} />
      ) : (
        <button
          class="label-name"
          aria-pressed={isChosen}
          title={`Draw ${label.name} (value ${label.id}); double-click renames`}
          onClick={() => (chosenId.value = label.id)}
          onDblClick={() => (renamed.value = label.id)}
          onKeyDown={(event) => {
            if (event.key === "F2") renamed.value = label.id;
          }}
        >
          {label.name}
          <Quality label={label} />
        </button>
      )}
      <button
        class="quiet"
        aria-pressed={!label.visible}
        aria-label={label.visible ? `hide ${label.name}` : `show ${label.name}`}
        title={label.visible ? "Hide" : "Show"}
        onClick={() => alter(label, { visible: !label.visible })}
      >
        <Icon name={label.visible ? "eye" : "hidden"} />
      </button>
      <button
        class={`quiet ${label.locked ? "on" : ""}`}
        aria-pressed={label.locked}
        aria-label={label.locked ? `unlock ${label.name}` : `lock ${label.name}`}
        title={label.locked ? "Unlock" : "Lock: nothing is drawn over it"}
        onClick={() => alter(label, { locked: !label.locked })}
      >
        <Icon name={label.locked ? "lock" : "unlocked"} />
      </button>
      <button
        class={`quiet ${doomed.value === label.id ? "danger" : ""}`}
        aria-label={
          doomed.value === label.id
            ? `remove ${label.name} with ${label.outlines} drawn slices: press again`
            : `remove ${label.name}`
        }
        title={
          doomed.value === label.id ? `Press again: ${label.outlines} drawn slices go with it` : "Remove"
        }
        onClick={() => remove(label)}
        onBlur={() => (doomed.value = null)}
      >
        <Icon name="bin" />
      </button>
    </li>
  );
}

/** Say how good the label is likely to be, and how many slices of it are drawn. */
function Quality({ label }: { label: LabelInfo }) {
  const result = server.value?.results[label.id];
  const expected = result?.expected;
  return (
    <small>
      {expected && (
        <span title={`Expected Dice from ${expected.outlines} outlines, each foretold from the others`}>
          <b>Dice {expected.dice.toFixed(2)}</b> ± {expected.spread.toFixed(2)}
          {" · "}
        </span>
      )}
      {label.outlines} drawn
      {!expected && result?.why_not && <span title={result.why_not}> · Dice not known yet</span>}
      {result?.stale && (
        <span class="stale" title="Drawn on since the last propagation">
          {" "}
          · old
        </span>
      )}
    </small>
  );
}

function NameField({ label }: { label: LabelInfo }) {
  const finish = (name: string): void => {
    if (renamed.value !== label.id) return; // Enter blurs the field, which ends it once more
    renamed.value = null;
    if (name.trim() !== "" && name !== label.name) alter(label, { name: name.trim() });
  };
  return (
    <input
      class="label-name"
      aria-label={`name of ${label.name}`}
      defaultValue={label.name}
      maxLength={64}
      ref={(field) => {
        if (field && document.activeElement !== field) {
          field.focus();
          field.select();
        }
      }}
      onBlur={(event) => finish(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Enter") finish(event.currentTarget.value);
        if (event.key === "Escape") renamed.value = null;
      }}
    />
  );
}

function Overlay() {
  return (
    <>
      <label class="row">
        <span>Opacity</span>
        <input
          type="range"
          min={0}
          max={100}
          value={Math.round(100 * opacity.value)}
          onInput={(event) => (opacity.value = Number(event.currentTarget.value) / 100)}
        />
        <output>{Math.round(100 * opacity.value)} %</output>
      </label>
      <div class="row">
        <button
          aria-pressed={overlayStyle.value === "outline"}
          title="Outlines or filled (O)"
          onClick={() => (overlayStyle.value = overlayStyle.value === "fill" ? "outline" : "fill")}
        >
          Outlines only <kbd>O</kbd>
        </button>
        <button
          aria-pressed={!overlayShown.value}
          title="Show or hide all labels (S)"
          onClick={() => (overlayShown.value = !overlayShown.value)}
        >
          Hide all <kbd>S</kbd>
        </button>
      </div>
    </>
  );
}
