/** What the tool in hand does and can be told. */

import { brushSize, fillMode, huRange, MAX_BRUSH } from "../draw/options";
import { tool } from "../draw/tools";
import { copyNeighbour, drawNothing, takeBack } from "../state/drawn";
import { activeAxis, sliceOf } from "../state/look";
import { attempt } from "../state/notices";
import { NumberField } from "./NumberField";

export function ToolOptions() {
  const { id, name, hint } = tool.value;
  return (
    <section class="panel" aria-label="tool">
      <h2>{name}</h2>
      <p class="hint">{hint}</p>
      {["brush", "eraser", "threshold"].includes(id) && <BrushSize />}
      {id === "fill" && <FillMode />}
      {(id === "threshold" || (id === "fill" && fillMode.value === "range")) && <HuRange />}
      <div class="row wrap">
        <button
          title="Copy the outline of the nearest drawn slice (C)"
          onClick={() => attempt(copyNeighbour(activeAxis.value, sliceOf(activeAxis.value)))}
        >
          Copy neighbour <kbd>C</kbd>
        </button>
        <button
          title="Take back what is drawn on this slice (Delete)"
          onClick={() => takeBack(activeAxis.value, sliceOf(activeAxis.value))}
        >
          Take back <kbd>Del</kbd>
        </button>
        <button
          title="Say that the label is not on this slice (Shift+Delete)"
          onClick={() => drawNothing(activeAxis.value, sliceOf(activeAxis.value))}
        >
          Nothing here
        </button>
      </div>
    </section>
  );
}

function BrushSize() {
  return (
    <label class="row">
      <span>Size</span>
      <input
        type="range"
        min={1}
        max={MAX_BRUSH}
        value={brushSize.value}
        onInput={(event) => (brushSize.value = Number(event.currentTarget.value))}
        aria-valuetext={`${brushSize.value} pixels`}
      />
      <output>{brushSize.value} px</output>
    </label>
  );
}

function HuRange() {
  const [lowest, highest] = huRange.value;
  return (
    <div class="row">
      <span>HU</span>
      <NumberField
        name="lowest HU"
        value={lowest}
        onValue={(hu) => (huRange.value = [hu, Math.max(hu, highest)])}
      />
      <span>to</span>
      <NumberField
        name="highest HU"
        value={highest}
        onValue={(hu) => (huRange.value = [Math.min(hu, lowest), hu])}
      />
    </div>
  );
}

function FillMode() {
  return (
    <div class="row" role="radiogroup" aria-label="what is filled">
      {(["hole", "range"] as const).map((mode) => (
        <label key={mode} class="row">
          <input
            type="radio"
            name="fill-mode"
            checked={fillMode.value === mode}
            onChange={() => (fillMode.value = mode)}
          />
          {mode === "hole" ? "Closed outline" : "HU range"}
        </label>
      ))}
    </div>
  );
}
