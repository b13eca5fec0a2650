/** Fill: the hole that an outline leaves, or connected pixels within the HU range. */

import { flood } from "../core/flood";
import { placeToDraw } from "../state/drawn";
import { remark } from "../state/notices";
import { MaskEdit } from "./mask_edit";
import { fillMode, huRange } from "./options";
import type { Spot, Tool } from "./tool";

class Fill implements Tool {
  readonly id = "fill";
  readonly name = "Fill";
  readonly key = "7";
  readonly hint =
    "Click inside a closed outline, or on connected pixels of the HU range. Right button empties.";
  readonly cursor = "crosshair";

  down(spot: Spot): void {
    const place = placeToDraw(spot.axis, spot.slice);
    if (!place) return;
    const { width, height } = spot.plane;
    const [x, y] = [Math.round(spot.point.x), Math.round(spot.point.y)];
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    const edit = new MaskEdit(place, spot.plane);
    if (spot.inverse) {
      this.take(edit, flood(width, height, x, y, (index) => edit.mask[index] === 1).mask, false);
      return;
    }
    const [lowest, highest] = huRange.value;
    const inRange = (index: number): boolean => {
      const hu = edit.huAt(index % width, Math.floor(index / width));
      return hu >= lowest && hu <= highest && edit.isFree(index);
    };
    const open = (index: number): boolean => edit.mask[index] === 0;
    const area = flood(width, height, x, y, fillMode.value === "hole" ? open : inRange);
    if (area.count === 0) {
      remark(
        fillMode.value === "hole" ? "this pixel is inside already" : "this pixel is outside the HU range",
        fillMode.value === "hole" ? "click into the hole" : `the range is ${lowest} to ${highest} HU`,
      );
    } else if (fillMode.value === "hole" && area.touchesBorder) {
      remark("the outline is not closed here", "close it with the brush, or fill by HU range");
    } else this.take(edit, area.mask, true);
  }

  private take(edit: MaskEdit, area: Uint8Array, inside: boolean): void {
    for (let index = 0; index < area.length; index++) if (area[index]) edit.set(index, inside);
    edit.save("fill");
  }
}

export const FILL = new Fill();
