/** Tools that draw nothing: crosshair, zoom and pan, window. */

import { voxelAt } from "../core/axes";
import type { Point } from "../core/brush";
import { zoomed, type Gaze } from "../core/viewport";
import { gazes, huWindow, moveCursor } from "../state/look";
import type { Spot, Tool } from "./tool";

/** A drag of this many CSS pixels doubles the size. */
const DOUBLING_PX = 120;
/** Hounsfield units that a drag of one CSS pixel moves the window. */
const HU_PER_PX = 2;

function follow({ slice, plane, point }: Spot): void {
  moveCursor(voxelAt(plane, slice, Math.round(point.x), Math.round(point.y)));
}

export const CROSSHAIR: Tool = {
  id: "crosshair",
  name: "Crosshair",
  key: "1",
  hint: "Click or drag to move the crosshair; the other views follow.",
  cursor: "crosshair",
  down: follow,
  move: follow,
};

class ZoomPan implements Tool {
  readonly id = "zoom";
  readonly name = "Zoom and pan";
  readonly key = "2";
  readonly hint =
    "Drag to move the slice, right button up and down to zoom. Ctrl and wheel zoom with any tool.";
  readonly cursor = "grab";
  private from: { screen: Point; around: Point; gaze: Gaze; inverse: boolean } | null = null;

  down(spot: Spot): void {
    const gaze = gazes[spot.axis].value;
    this.from = { screen: spot.screen, around: spot.point, gaze, inverse: spot.inverse };
  }

  move(spot: Spot): void {
    const { from } = this;
    if (!from) return;
    if (from.inverse) {
      const factor = 2 ** ((from.screen.y - spot.screen.y) / DOUBLING_PX);
      gazes[spot.axis].value = zoomed(from.gaze, factor, from.around);
      return;
    }
    // The point that was taken stays under the pointer.
    const now = gazes[spot.axis].value;
    gazes[spot.axis].value = {
      zoom: now.zoom,
      centre: {
        x: now.centre.x + from.around.x - spot.point.x,
        y: now.centre.y + from.around.y - spot.point.y,
      },
    };
  }

  up(): void {
    this.from = null;
  }
}

class WindowTool implements Tool {
  readonly id = "window";
  readonly name = "Window";
  readonly key = "0";
  readonly hint = "Drag up and down for the level, left and right for the width.";
  readonly cursor = "ns-resize";
  private last: Point | null = null;

  down(spot: Spot): void {
    this.last = spot.screen;
  }

  move(spot: Spot): void {
    if (!this.last) return;
    const { level, width } = huWindow.value;
    huWindow.value = {
      level: Math.round(level - (spot.screen.y - this.last.y) * HU_PER_PX),
      width: Math.max(1, Math.round(width + (spot.screen.x - this.last.x) * HU_PER_PX)),
    };
    this.last = spot.screen;
  }

  up(): void {
    this.last = null;
  }
}

export const ZOOM = new ZoomPan();
export const WINDOW = new WindowTool();
