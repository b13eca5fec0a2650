/** Brush, eraser and threshold brush: pixels under a round pen. */

import { alongLine, brushRadii, snapped, visitDisc, type Point, type Radii } from "../core/brush";
import { toScreen } from "../core/viewport";
import { placeToDraw } from "../state/drawn";
import { scan } from "../state/server";
import { MaskEdit } from "./mask_edit";
import { brushSize, huRange } from "./options";
import type { Sketch, Spot, Tool } from "./tool";

interface Stroke {
  readonly edit: MaskEdit;
  readonly radii: Radii;
  readonly inside: boolean;
  last: Point;
}

class Painting implements Tool {
  readonly cursor = "crosshair";
  private stroke: Stroke | null = null;

  constructor(
    readonly id: string,
    readonly name: string,
    readonly key: string,
    readonly hint: string,
    private readonly kind: "brush" | "eraser" | "threshold",
  ) {}

  down(spot: Spot): void {
    const place = placeToDraw(spot.axis, spot.slice);
    if (!place) return;
    const radii = brushRadii(brushSize.value, spot.plane, scan.value!.spacing_mm);
    const inside = (this.kind !== "eraser") !== spot.inverse;
    const last = snapped(spot.point, brushSize.value);
    this.stroke = { edit: new MaskEdit(place, spot.plane), radii, inside, last };
    this.dab(this.stroke, last);
    this.stroke.edit.show();
  }

  move(spot: Spot): void {
    const stroke = this.stroke;
    if (!stroke || spot.axis !== stroke.edit.place.axis) return;
    const next = snapped(spot.point, brushSize.value);
    for (const point of alongLine(stroke.last, next, stroke.radii)) this.dab(stroke, point);
    stroke.last = next;
    stroke.edit.show();
  }

  up(): void {
    this.stroke?.edit.save(this.name.toLowerCase());
    this.stroke = null;
  }

  cancel(): boolean {
    const stroke = this.stroke;
    this.stroke = null;
    stroke?.edit.drop();
    return stroke !== null;
  }

  sketch({ context, plane, viewport, pointer }: Sketch): void {
    if (!pointer) return;
    const radii = brushRadii(brushSize.value, plane, scan.value!.spacing_mm);
    const centre = toScreen(viewport, snapped(pointer, brushSize.value));
    context.beginPath();
    context.ellipse(
      centre.x,
      centre.y,
      radii.x * viewport.scale.x,
      radii.y * viewport.scale.y,
      0,
      0,
      2 * Math.PI,
    );
    context.lineWidth = 3;
    context.strokeStyle = "rgba(0, 0, 0, 0.6)";
    context.stroke();
    context.lineWidth = 1.25;
    context.strokeStyle = "#ffffff";
    context.stroke();
  }

  private dab({ edit, radii, inside }: Stroke, centre: Point): void {
    const [lowest, highest] = huRange.value;
    visitDisc(edit.plane, centre, radii, (index, x, y) => {
      if (this.kind === "threshold") {
        const hu = edit.huAt(x, y);
        if (hu < lowest || hu > highest) return;
      }
      edit.set(index, inside);
    });
  }
}

export const BRUSH = new Painting(
  "brush",
  "Brush",
  "4",
  "Drag to paint, right button to erase. [ and ] change the size.",
  "brush",
);
export const ERASER = new Painting(
  "eraser",
  "Eraser",
  "5",
  "Drag to erase, right button to paint.",
  "eraser",
);
export const THRESHOLD = new Painting(
  "threshold",
  "Threshold brush",
  "6",
  "Paints only what lies within the HU range, right button erases it.",
  "threshold",
);
