/** Every key of the page: what it does, and what the help says of it. */

import { AXES, type Axis } from "./core/axes";
import { wholeSlice, zoomed } from "./core/viewport";
import { dialog } from "./dialogs/open_dialog";
import { brushSize, resizeBrush } from "./draw/options";
import { acceptPredicted } from "./draw/prompting";
import { engage, takeTool, tool, TOOLS } from "./draw/tools";
import { copyNeighbour, drawNothing, placeToDraw, redo, takeBack, undo } from "./state/drawn";
import { propagate, stopPropagation } from "./state/link";
import {
  activeAxis,
  crosshairShown,
  cursor,
  enlarged,
  gazes,
  moveCursor,
  nextPreset,
  opacity,
  overlayShown,
  overlayStyle,
  showSlice,
  sliceOf,
  stepSlice,
} from "./state/look";
import { attempt, remark } from "./state/notices";
import { chosen, chosenId, labels, outlines, planes, suggestions } from "./state/server";
import { focusView, viewPointers } from "./views/SliceView";

export interface Binding {
  /** As `nameOf` writes them; the first is shown. */
  readonly keys: readonly string[];
  readonly help: string;
  readonly group: "Tools" | "Slices" | "Drawing" | "Model" | "Labels" | "View";
  run(): void;
}

const OPACITY_STEP = 0.1;
const ZOOM_STEP = 1.25;
const FAR = 10;

const here = (): [Axis, number] => [activeAxis.value, sliceOf(activeAxis.value)];

export const BINDINGS: readonly Binding[] = [
  ...TOOLS.map((one): Binding => ({
    keys: [one.key],
    help: one.name,
    group: "Tools",
    run: () => takeTool(one),
  })),
  {
    keys: ["["],
    help: "Smaller brush",
    group: "Tools",
    run: () => resizeBrush(brushSize.value > 20 ? -5 : -1),
  },
  {
    keys: ["]"],
    help: "Larger brush",
    group: "Tools",
    run: () => resizeBrush(brushSize.value >= 20 ? 5 : 1),
  },

  {
    keys: ["PageUp"],
    help: "Next slice (towards head, front, right)",
    group: "Slices",
    run: () => stepSlice(activeAxis.value, 1),
  },
  { keys: ["PageDown"], help: "Previous slice", group: "Slices", run: () => stepSlice(activeAxis.value, -1) },
  {
    keys: ["Shift+PageUp"],
    help: "Ten slices on",
    group: "Slices",
    run: () => stepSlice(activeAxis.value, FAR),
  },
  {
    keys: ["Shift+PageDown"],
    help: "Ten slices back",
    group: "Slices",
    run: () => stepSlice(activeAxis.value, -FAR),
  },
  { keys: ["Alt+PageUp"], help: "Next drawn slice", group: "Slices", run: () => toDrawn(1) },
  { keys: ["Alt+PageDown"], help: "Previous drawn slice", group: "Slices", run: () => toDrawn(-1) },
  { keys: ["n"], help: "Go to the suggested next slice", group: "Slices", run: toSuggested },
  { keys: ["q"], help: "Next view", group: "Slices", run: nextView },
  { keys: ["Arrows"], help: "Move the crosshair (Shift: ten voxels)", group: "Slices", run: () => undefined },

  {
    keys: ["Space"],
    help: "Use the tool at the crosshair; hold and move for strokes and boxes (Shift: its opposite)",
    group: "Drawing",
    run: () => undefined,
  },
  {
    keys: ["Enter"],
    help: "Close the outline; accept the mask, or what is predicted on this slice",
    group: "Drawing",
    run: finish,
  },
  { keys: ["Escape"], help: "Give up what was begun", group: "Drawing", run: () => void engage("cancel") },
  {
    keys: ["Ctrl+z", "Meta+z"],
    help: "Undo",
    group: "Drawing",
    run: () => {
      if (!engage("stepBack")) undo();
    },
  },
  { keys: ["Ctrl+y", "Ctrl+Shift+z", "Meta+Shift+z"], help: "Redo", group: "Drawing", run: redo },
  {
    keys: ["c"],
    help: "Copy the outline of the nearest drawn slice",
    group: "Drawing",
    run: () => attempt(copyNeighbour(...here())),
  },
  {
    keys: ["Delete", "Backspace"],
    help: "Take back what is drawn on this slice",
    group: "Drawing",
    run: () => takeBack(...here()),
  },
  {
    keys: ["Shift+Delete"],
    help: "Say that the label is not on this slice",
    group: "Drawing",
    run: () => drawNothing(...here()),
  },

  {
    keys: ["g"],
    help: "Propagate through the scan; while it runs, begin again with what is drawn since",
    group: "Model",
    run: propagate,
  },
  { keys: ["Shift+g"], help: "Stop", group: "Model", run: stopPropagation },

  { keys: [","], help: "Previous label", group: "Labels", run: () => nextLabel(-1) },
  { keys: ["."], help: "Next label", group: "Labels", run: () => nextLabel(1) },
  {
    keys: ["s"],
    help: "Show or hide all labels",
    group: "Labels",
    run: () => {
      overlayShown.value = !overlayShown.value;
    },
  },
  { keys: ["a"], help: "Labels fainter", group: "Labels", run: () => shade(-OPACITY_STEP) },
  { keys: ["d"], help: "Labels stronger", group: "Labels", run: () => shade(OPACITY_STEP) },
  {
    keys: ["o"],
    help: "Outlines or filled",
    group: "Labels",
    run: () => {
      overlayStyle.value = overlayStyle.value === "fill" ? "outline" : "fill";
    },
  },

  { keys: ["w"], help: "Next window", group: "View", run: nextPreset },
  { keys: ["+", "="], help: "Nearer", group: "View", run: () => zoom(ZOOM_STEP) },
  { keys: ["-"], help: "Further", group: "View", run: () => zoom(1 / ZOOM_STEP) },
  { keys: ["f"], help: "Fit the slice into the view", group: "View", run: fit },
  {
    keys: ["v"],
    help: "Only this view, or all",
    group: "View",
    run: () => {
      enlarged.value = enlarged.value ? null : activeAxis.value;
    },
  },
  {
    keys: ["x"],
    help: "Show or hide the crosshair",
    group: "View",
    run: () => {
      crosshairShown.value = !crosshairShown.value;
    },
  },
  {
    keys: ["?"],
    help: "This help",
    group: "View",
    run: () => {
      dialog.value = "help";
    },
  },
];

const byKey = new Map(BINDINGS.flatMap((binding) => binding.keys.map((key) => [key, binding] as const)));

/** Listen to the keyboard for as long as the page lives. */
export function listenToKeys(): void {
  addEventListener("keydown", onDown);
  addEventListener("keyup", onUp);
  addEventListener("blur", () => {
    if (penDown) pen("up", false); // the key may come up in another window
  });
}

/** Return a key's name: modifiers, then the key; signs are named as they are written. */
export function nameOf(
  event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">,
): string {
  const key = event.key === " " ? "Space" : event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const isSign = event.key.length === 1 && event.key.toLowerCase() === event.key.toUpperCase();
  const shift = event.shiftKey && !(isSign && event.key !== " ");
  return [event.ctrlKey && "Ctrl", event.metaKey && "Meta", event.altKey && "Alt", shift && "Shift", key]
    .filter(Boolean)
    .join("+");
}

const ARROWS: Record<string, readonly [number, number]> = {
  // Both axes of a slice run against the screen's.
  ArrowLeft: [1, 0],
  ArrowRight: [-1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

let penDown = false;

function onDown(event: KeyboardEvent): void {
  if (dialog.value || !planes.value || isTyping(event)) return;
  const name = nameOf(event);
  if (event.key === " " && !isControl(event)) {
    event.preventDefault();
    if (!event.repeat) pen("down", event.shiftKey);
    return;
  }
  if (event.key in ARROWS && !isControl(event)) {
    event.preventDefault();
    step(ARROWS[event.key], event.shiftKey ? FAR : 1);
    if (penDown) pen("move", false);
    return;
  }
  if (event.key === "Enter" && isControl(event)) return;
  const binding = byKey.get(name);
  if (!binding || binding.keys[0] === "Arrows" || binding.keys[0] === "Space") return;
  event.preventDefault();
  binding.run();
}

function onUp(event: KeyboardEvent): void {
  if (event.key !== " " || !penDown) return;
  pen("up", false);
}

/** Use the tool in hand at the crosshair, as a pointer would. */
function pen(what: "down" | "move" | "up", inverse: boolean): void {
  const spot = viewPointers.get(activeAxis.value)?.atCursor(inverse);
  penDown = what !== "up";
  if (!spot) return;
  if (what === "up") tool.value.move?.(spot);
  tool.value[what]?.(spot);
}

function step([dx, dy]: readonly [number, number], by: number): void {
  const plane = planes.value![activeAxis.value];
  const voxel: [number, number, number] = [...cursor.value];
  voxel[plane.xAxis] += dx * by;
  voxel[plane.yAxis] += dy * by;
  moveCursor(voxel);
}

function isTyping({ target }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.matches("input:not([type=range], [type=checkbox], [type=radio]), select, textarea");
}

function isControl({ target }: KeyboardEvent): boolean {
  return target instanceof HTMLElement && target.matches("button, a, input, summary, [role=slider]");
}

function finish(): void {
  if (engage("finish")) return;
  const place = placeToDraw(...here());
  if (place) acceptPredicted(place);
}

function toDrawn(direction: 1 | -1): void {
  const [axis, slice] = here();
  const label = chosen.value?.id;
  const next = [...outlines.value.values()]
    .filter((one) => one.axis === axis && one.label === label && Math.sign(one.slice - slice) === direction)
    .sort((a, b) => direction * (a.slice - b.slice))[0];
  if (next) showSlice(axis, next.slice);
  else remark("no further drawn slice this way");
}

/** Go to the slice that is worth drawing next, of the chosen label first. */
export function toSuggested(): void {
  const next = suggestions.value.find(({ label }) => label === chosen.value?.id) ?? suggestions.value[0];
  if (!next) {
    remark("no slice is suggested yet", "draw two slices and propagate");
    return;
  }
  chosenId.value = next.label;
  showSlice(next.axis, next.slice);
  focusView(next.axis);
}

function nextView(): void {
  focusView(AXES[(AXES.indexOf(activeAxis.value) + 1) % AXES.length]);
  if (enlarged.value) enlarged.value = activeAxis.value;
}

function nextLabel(step: 1 | -1): void {
  const all = labels.value;
  const now = all.findIndex(({ id }) => id === chosen.value?.id);
  if (all.length > 0) chosenId.value = all[(now + step + all.length) % all.length].id;
}

function shade(step: number): void {
  opacity.value = Math.max(0, Math.min(1, Math.round(10 * (opacity.value + step)) / 10));
}

function zoom(factor: number): void {
  const axis = activeAxis.value;
  const plane = planes.value![axis];
  const around = { x: cursor.value[plane.xAxis], y: cursor.value[plane.yAxis] };
  gazes[axis].value = zoomed(gazes[axis].value, factor, around);
}

function fit(): void {
  gazes[activeAxis.value].value = wholeSlice(planes.value![activeAxis.value]);
}
