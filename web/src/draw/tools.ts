/** All tools, in the order in which they are shown, and the one in hand. */

import { signal } from "@preact/signals";
import { FILL } from "./filling";
import { CROSSHAIR, WINDOW, ZOOM } from "./moving";
import { POLYGON } from "./outlining";
import { BRUSH, ERASER, THRESHOLD } from "./painting";
import { BOX, CLICK, preview } from "./prompting";
import type { Tool } from "./tool";

export const TOOLS: readonly Tool[] = [
  CROSSHAIR,
  ZOOM,
  POLYGON,
  BRUSH,
  ERASER,
  THRESHOLD,
  FILL,
  BOX,
  CLICK,
  WINDOW,
];

export const tool = signal<Tool>(CROSSHAIR);

/** Take a tool; an outline or stroke that another has begun is given up. */
export function takeTool(next: Tool): void {
  if (tool.value === next) return;
  if (!isPrompting(tool.value)) tool.value.cancel?.();
  tool.value = next;
}

/** Whether a tool asks the model; its mask waits to be accepted whatever tool is in hand. */
export function isPrompting(one: Tool): boolean {
  return one === BOX || one === CLICK;
}

/** Let the tool in hand, or else the mask that waits, do a step; tell whether one did. */
export function engage(step: "finish" | "cancel" | "stepBack"): boolean {
  if (tool.value[step]?.()) return true;
  return preview.value !== null && CLICK[step]();
}
