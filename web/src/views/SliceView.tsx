/** One slice view with its name, its slice bar and the bar that accepts a mask. */

import { useEffect, useRef } from "preact/hooks";
import type { Axis } from "../core/axes";
import { preview, previewBusy } from "../draw/prompting";
import { engage, tool } from "../draw/tools";
import { isDrawn } from "../state/drawn";
import { activeAxis, enlarged, sliceOf } from "../state/look";
import { chosen, planes, scan } from "../state/server";
import { Icon } from "../panels/icons";
import { arrived } from "../state/volumes";
import { ViewPointer } from "./pointer";
import { SliceBar } from "./SliceBar";
import { SlicePainter } from "./slice_painter";

const NAMES: Record<Axis, string> = { axial: "Axial", coronal: "Coronal", sagittal: "Sagittal" };

/** The views that are on the page, for keys that draw at the crosshair. */
export const viewPointers = new Map<Axis, ViewPointer>();
const canvases = new Map<Axis, HTMLCanvasElement>();

/** Give a view the keyboard. */
export function focusView(axis: Axis): void {
  activeAxis.value = axis;
  canvases.get(axis)?.focus({ preventScroll: true });
}

/** Whether another view fills the page. */
export function isOff(view: Axis | "3d"): boolean {
  return enlarged.value !== null && enlarged.value !== view;
}

/** Places whose buttons keep the keyboard: what they ask for is not done with one press. */
const KEEPING = ".labels, dialog, .start, .banner";

/** Give the keyboard back to the view after a button was pressed with the pointer. */
export function giveKeyboardBack(event: MouseEvent): void {
  const button = event.target instanceof Element ? event.target.closest("button") : null;
  if (event.detail > 0 && button && !button.closest(KEEPING)) focusView(activeAxis.value);
}

export function SliceView({ axis }: { axis: Axis }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const painter = new SlicePainter(canvas.current!, axis);
    viewPointers.set(axis, new ViewPointer(canvas.current!, axis, painter));
    canvases.set(axis, canvas.current!);
    return () => {
      painter.stop();
      viewPointers.delete(axis);
      canvases.delete(axis);
    };
  }, [axis]);

  const slice = sliceOf(axis);
  const active = activeAxis.value === axis;
  const waiting = preview.value;
  return (
    <section
      class={`view ${active ? "active" : ""} ${isOff(axis) ? "off" : ""}`}
      aria-label={`${NAMES[axis]} view`}
    >
      <canvas
        ref={canvas}
        class={`slice cursor-${tool.value.cursor}`}
        tabIndex={0}
        role="application"
        aria-label={`${NAMES[axis]} slice ${slice}. Arrow keys move the crosshair, space uses the tool.`}
        onFocus={() => (activeAxis.value = axis)}
        onDblClick={() => {
          if (tool.value.id === "crosshair") enlarged.value = enlarged.value === axis ? null : axis;
        }}
      />
      <div class="view-name">
        <strong>{NAMES[axis]}</strong> <SliceNumber axis={axis} slice={slice} />
        <DrawnMark axis={axis} slice={slice} />
      </div>
      <button
        class="enlarge"
        title={`${enlarged.value === axis ? "All views" : "Only this view"} (V)`}
        aria-label={enlarged.value === axis ? "show all views" : `show only the ${axis} view`}
        onClick={() => (enlarged.value = enlarged.value === axis ? null : axis)}
      >
        <Icon name={enlarged.value === axis ? "all" : "enlarge"} />
      </button>
      <SliceBar axis={axis} />
      {waiting?.place.axis === axis && <AcceptBar slice={waiting.place.slice} />}
      {arrived.value < 1 && scan.value && <Arriving />}
    </section>
  );
}

function SliceNumber({ axis, slice }: { axis: Axis; slice: number }) {
  const count = planes.value?.[axis].count ?? 0;
  const stored = scan.value?.stored[axis];
  const inFile = stored?.flipped ? stored.count - 1 - slice : slice;
  return (
    <span title="Slices are counted from 0, to the patient's right, front and head; the file may count from the other end.">
      {slice} / {count - 1}
      {stored?.flipped && <span class="muted"> (file {inFile})</span>}
    </span>
  );
}

function DrawnMark({ axis, slice }: { axis: Axis; slice: number }) {
  const label = chosen.value;
  if (!label || !isDrawn({ label: label.id, axis, slice })) return null;
  return <span class="drawn-mark">drawn</span>;
}

function AcceptBar({ slice }: { slice: number }) {
  const iou = preview.value?.predictedIou;
  return (
    <div class="accept-bar" role="group" aria-label="mask of the model">
      <span>
        {previewBusy.value ? "Asking for" : "Mask on"} slice {slice}
        {iou !== null && iou !== undefined && !Number.isNaN(iou) && (
          <span class="muted" title="predicted IoU: how good the model takes its mask to be">
            {" "}
            · IoU {iou.toFixed(2)}
          </span>
        )}
      </span>
      <button
        class="primary"
        disabled={!preview.value?.mask || previewBusy.value}
        onClick={() => engage("finish")}
      >
        Accept <kbd>Enter</kbd>
      </button>
      <button onClick={() => engage("cancel")}>
        Discard <kbd>Esc</kbd>
      </button>
    </div>
  );
}

function Arriving() {
  return (
    <div class="arriving" role="status">
      <progress max={1} value={arrived.value} aria-label="scan arriving" />
      <span>Loading the scan: {Math.round(100 * arrived.value)} %</span>
    </div>
  );
}
