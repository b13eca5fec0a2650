/** Polygon: a closed outline from clicks, or drawn freehand. */

import type { Point } from "../core/brush";
import { fillPolygon } from "../core/polygon";
import { toScreen } from "../core/viewport";
import { placeToDraw } from "../state/drawn";
import { remark } from "../state/notices";
import { MaskEdit } from "./mask_edit";
import { redrawSketches, type Sketch, type Spot, type Tool } from "./tool";

/** How near to the first point a click closes the outline, CSS pixels. */
const CLOSING_PX = 9;
/** How far the pen goes between the points of a freehand line, pixels of the slice. */
const FREEHAND_STEP = 0.7;

interface Begun {
  readonly edit: MaskEdit;
  readonly points: Point[];
  /** Where the first point was clicked, CSS pixels. */
  readonly first: Point;
  /** Points before the line that is being dragged. */
  pressedAt: number | null;
}

class Polygon implements Tool {
  readonly id = "polygon";
  readonly name = "Polygon";
  readonly key = "3";
  readonly hint = "Click points or drag; the right button or Enter closes. Shift cuts out.";
  readonly cursor = "crosshair";
  private begun: Begun | null = null;
  private cutting = false;

  down(spot: Spot): void {
    if (this.begun && !this.isOn(spot)) this.cancel();
    if (!this.begun) {
      const place = placeToDraw(spot.axis, spot.slice);
      if (!place) return;
      this.cutting = spot.inverse;
      this.begun = {
        edit: new MaskEdit(place, spot.plane),
        points: [spot.point],
        first: spot.screen,
        pressedAt: 1,
      };
    } else {
      const { points, first } = this.begun;
      const near = Math.hypot(spot.screen.x - first.x, spot.screen.y - first.y) < CLOSING_PX;
      if (points.length > 2 && (near || (spot.inverse && !this.cutting))) {
        this.finish();
        return;
      }
      points.push(spot.point);
      this.begun.pressedAt = points.length;
    }
    redrawSketches();
  }

  move(spot: Spot): void {
    const begun = this.begun;
    if (!begun || !this.isOn(spot)) return;
    if (begun.pressedAt !== null) {
      const last = begun.points[begun.points.length - 1];
      if (Math.hypot(spot.point.x - last.x, spot.point.y - last.y) > FREEHAND_STEP)
        begun.points.push(spot.point);
    }
    redrawSketches();
  }

  up(): void {
    const begun = this.begun;
    if (!begun || begun.pressedAt === null) return;
    // A line that was dragged some way is an outline by itself.
    const freehand = begun.points.length - begun.pressedAt > 8 && begun.pressedAt === 1;
    begun.pressedAt = null;
    if (freehand) this.finish();
  }

  finish(): boolean {
    const begun = this.begun;
    if (!begun) return false;
    if (begun.points.length < 3) {
      remark("an outline needs three points", "click more, or Escape gives up");
      return true;
    }
    this.begun = null;
    const inside = fillPolygon(begun.edit.plane, begun.points);
    for (let index = 0; index < inside.length; index++)
      if (inside[index]) begun.edit.set(index, !this.cutting);
    begun.edit.save("polygon");
    redrawSketches();
    return true;
  }

  cancel(): boolean {
    const begun = this.begun !== null;
    this.begun = null;
    redrawSketches();
    return begun;
  }

  stepBack(): boolean {
    if (!this.begun) return false;
    this.begun.points.pop();
    if (this.begun.points.length === 0) this.begun = null;
    redrawSketches();
    return true;
  }

  sketch({ context, axis, slice, viewport, pointer }: Sketch): void {
    const begun = this.begun;
    if (!begun || begun.edit.place.axis !== axis || begun.edit.place.slice !== slice) return;
    const points = begun.points.map((point) => toScreen(viewport, point));
    context.beginPath();
    points.forEach(({ x, y }, i) => (i === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
    if (pointer && begun.pressedAt === null) {
      const at = toScreen(viewport, pointer);
      context.lineTo(at.x, at.y);
    }
    context.lineWidth = 3;
    context.strokeStyle = "rgba(0, 0, 0, 0.6)";
    context.stroke();
    context.lineWidth = 1.5;
    context.strokeStyle = this.cutting ? "#ff9d9d" : "#ffffff";
    context.stroke();
    points.forEach(({ x, y }, i) => {
      if (i > 0 && points.length > 40) return;
      context.beginPath();
      context.arc(x, y, i === 0 ? 5 : 3, 0, 2 * Math.PI);
      context.fillStyle = i === 0 ? "#5cc8ff" : "#ffffff";
      context.fill();
    });
  }

  private isOn(spot: Spot): boolean {
    return this.begun?.edit.place.axis === spot.axis && this.begun.edit.place.slice === spot.slice;
  }
}

export const POLYGON = new Polygon();
