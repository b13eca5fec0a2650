/** The pointer, the wheel and the keyboard's pen over one view. */

import { ALONG, voxelAt, type Axis } from "../core/axes";
import type { Point } from "../core/brush";
import { toScreen, toSlice, zoomed } from "../core/viewport";
import type { Spot } from "../draw/tool";
import { tool } from "../draw/tools";
import { activeAxis, cursor, gazes, pointed, sliceOf, stepSlice } from "../state/look";
import { planes } from "../state/server";
import { arrived } from "../state/volumes";
import type { SlicePainter } from "./slice_painter";

const WHEEL_ZOOM = 1.0015;
/** A wheel that counts pixels moves one slice for so many. */
const WHEEL_STEP_PX = 40;

export class ViewPointer {
  private drag: "tool" | "pan" | null = null;
  private panned: Point | null = null;
  private wheel = 0;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly axis: Axis,
    private readonly painter: SlicePainter,
  ) {
    canvas.onpointerdown = (event) => this.down(event);
    canvas.onpointermove = (event) => this.move(event);
    canvas.onpointerup = (event) => this.up(event);
    canvas.onpointercancel = () => this.lose();
    canvas.onpointerleave = () => this.leave();
    canvas.oncontextmenu = (event) => event.preventDefault();
    canvas.addEventListener("wheel", (event) => this.turn(event), { passive: false });
  }

  /** Return the place of the crosshair, as if it was pointed at. */
  atCursor(inverse: boolean): Spot | null {
    const plane = planes.value?.[this.axis];
    if (!plane) return null;
    const point = { x: cursor.value[plane.xAxis], y: cursor.value[plane.yAxis] };
    return {
      axis: this.axis,
      slice: cursor.value[ALONG[this.axis]],
      plane,
      point,
      screen: toScreen(this.painter.viewport, point),
      inverse,
    };
  }

  private spot(event: PointerEvent): Spot | null {
    const plane = planes.value?.[this.axis];
    if (!plane || arrived.value < 1) return null;
    const { left, top } = this.canvas.getBoundingClientRect();
    const screen = { x: event.clientX - left, y: event.clientY - top };
    return {
      axis: this.axis,
      slice: sliceOf(this.axis),
      plane,
      point: toSlice(this.painter.viewport, screen),
      screen,
      inverse: event.button === 2 || (event.buttons & 2) !== 0 || event.shiftKey,
    };
  }

  private down(event: PointerEvent): void {
    this.canvas.focus({ preventScroll: true });
    activeAxis.value = this.axis;
    const spot = this.spot(event);
    if (!spot || this.drag) return;
    this.canvas.setPointerCapture(event.pointerId);
    if (event.button === 1) {
      event.preventDefault();
      this.drag = "pan";
      this.panned = spot.screen;
    } else {
      this.drag = "tool";
      tool.value.down?.(spot);
    }
  }

  private move(event: PointerEvent): void {
    const spot = this.spot(event);
    if (!spot) return;
    this.painter.pointer = spot.point;
    this.painter.request();
    const { x, y } = spot.point;
    const inside = x > -0.5 && y > -0.5 && x < spot.plane.width - 0.5 && y < spot.plane.height - 0.5;
    pointed.value = inside ? voxelAt(spot.plane, spot.slice, Math.round(x), Math.round(y)) : null;
    if (this.drag === "pan" && this.panned) {
      const { scale } = this.painter.viewport;
      const { zoom, centre } = gazes[this.axis].value;
      gazes[this.axis].value = {
        zoom,
        centre: {
          x: centre.x + (spot.screen.x - this.panned.x) / scale.x,
          y: centre.y + (spot.screen.y - this.panned.y) / scale.y,
        },
      };
      this.panned = spot.screen;
    } else if (this.drag === "tool" || tool.value.id === "polygon") {
      // A quick pen leaves more places than the screen has pictures.
      const places = this.drag === "tool" ? event.getCoalescedEvents() : [];
      for (const place of places.length > 0 ? places : [event]) {
        const at = this.spot(place);
        if (at) tool.value.move?.(at);
      }
    }
  }

  private up(event: PointerEvent): void {
    const spot = this.spot(event);
    if (this.drag === "tool" && spot) tool.value.up?.(spot);
    this.drag = null;
    this.panned = null;
  }

  private lose(): void {
    if (this.drag === "tool") tool.value.cancel?.();
    this.drag = null;
  }

  private leave(): void {
    this.painter.pointer = null;
    pointed.value = null;
    this.painter.request();
  }

  private turn(event: WheelEvent): void {
    event.preventDefault();
    activeAxis.value = this.axis;
    if (event.ctrlKey || event.metaKey) {
      const around = toSlice(this.painter.viewport, { x: event.offsetX, y: event.offsetY });
      gazes[this.axis].value = zoomed(gazes[this.axis].value, WHEEL_ZOOM ** -event.deltaY, around);
      return;
    }
    if (this.drag) return; // a stroke stays on its slice
    const lines =
      event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY / WHEEL_STEP_PX : event.deltaY;
    this.wheel += Math.abs(lines) >= 1 ? Math.sign(lines) : lines;
    const steps = Math.trunc(this.wheel);
    this.wheel -= steps;
    if (steps !== 0) stepSlice(this.axis, -steps);
  }
}
