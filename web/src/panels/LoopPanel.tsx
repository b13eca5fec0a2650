/** The loop: propagate, see how it goes, draw what is worth drawing next. */

import { toSuggested } from "../keys";
import { propagate, stopPropagation } from "../state/link";
import { chosen, labelOf, running, server, suggestions } from "../state/server";
import { Icon } from "./icons";

export function LoopPanel() {
  const model = server.value?.model;
  const drawn = server.value?.outlines.length ?? 0;
  return (
    <section class="panel loop" aria-label="propagation">
      <h2>Propagate</h2>
      {running.value ? (
        <Progress />
      ) : (
        <button
          class="primary large"
          disabled={drawn === 0 || model?.state === "failed"}
          onClick={propagate}
          title="Carry what is drawn through the scan (G)"
        >
          <Icon name="play" /> Propagate <kbd>G</kbd>
        </button>
      )}
      {model?.state === "loading" && <p class="hint">The model {model.name} is being loaded…</p>}
      {model?.state === "failed" && (
        <p class="hint bad" role="alert">
          The model {model.name} could not be loaded: {model.error?.what ?? "no reason given"}.{" "}
          {model.error?.remedy} Drawing, saving and export work without it.
        </p>
      )}
      {drawn === 0 && <p class="hint">Outline a structure on two or three slices first.</p>}
      <Suggested />
      {server.value?.warnings.map((warning) => (
        <p key={warning} class="hint warning">
          {warning}
        </p>
      ))}
    </section>
  );
}

function Progress() {
  const now = running.value!;
  return (
    <>
      <div class="row">
        <progress max={now.total} value={now.done} aria-label="propagation" />
        <output>
          {now.done} / {now.total}
        </output>
      </div>
      <div class="row spread">
        <span role="status">
          {now.what && <span class="muted">{now.what}: </span>}
          {now.seconds_left === null ? "…" : `${timeLeft(now.seconds_left)} left`}
        </span>
        <button class="stop" onClick={stopPropagation} title="Stop; what was found is kept (Shift+G)">
          <Icon name="stop" /> Stop <kbd>⇧G</kbd>
        </button>
      </div>
    </>
  );
}

function timeLeft(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return `${Math.ceil(seconds / 60)} min`;
}

function Suggested() {
  const next = suggestions.value.find(({ label }) => label === chosen.value?.id) ?? suggestions.value[0];
  if (!next) return null;
  return (
    <div class="suggested">
      <div class="row spread">
        <strong>
          Draw next: {next.axis} {next.slice}
        </strong>
        <button onClick={toSuggested} title="Go to the suggested slice (N)">
          <Icon name="next" /> Go <kbd>N</kbd>
        </button>
      </div>
      <p class="hint">
        {labelOf(next.label)?.name ?? `label ${next.label}`}: {next.reason}
      </p>
    </div>
  );
}
