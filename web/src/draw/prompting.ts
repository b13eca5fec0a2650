/** Box and clicks: the model's mask of one slice, shown at once, an outline when it is accepted. */

import { signal } from "@preact/signals";
import type { Point } from "../core/brush";
import { toScreen } from "../core/viewport";
import { api } from "../net/api";
import type { Place } from "../net/wire";
import { beginning, draw, isDrawn, isPredicted, placeToDraw } from "../state/drawn";
import { remark, tellFailure } from "../state/notices";
import { keyOf, planes, server } from "../state/server";
import { redrawSketches, type Sketch, type Spot, type Tool } from "./tool";

export interface Click extends Point {
  readonly positive: boolean;
}

export interface Preview {
  readonly place: Place;
  /** x0, y0, x1, y1 in pixels of the slice. */
  readonly box: readonly [number, number, number, number] | null;
  readonly clicks: readonly Click[];
  /** What the model says; null until it has answered. */
  readonly mask: Uint8Array | null;
  readonly predictedIou: number | null;
}

/** The mask that waits to be accepted. */
export const preview = signal<Preview | null>(null);
export const previewBusy = signal(false);

let asked: AbortController | null = null;

function ask(next: Preview): void {
  asked?.abort();
  preview.value = next;
  if (!next.box && next.clicks.length === 0) {
    preview.value = null;
    previewBusy.value = false;
    return;
  }
  asked = new AbortController();
  void fetchMask(next, asked.signal);
}

async function fetchMask(wanted: Preview, signal: AbortSignal): Promise<void> {
  const plane = planes.value![wanted.place.axis];
  previewBusy.value = true;
  try {
    const answer = await api.preview(
      {
        ...wanted.place,
        box: wanted.box ? [...wanted.box] : null,
        points: wanted.clicks.map(({ x, y }) => ({ x, y })),
        positive: wanted.clicks.map(({ positive }) => positive),
        from_mask: isDrawn(wanted.place) && !wanted.box,
      },
      plane.width * plane.height,
      signal,
    );
    if (preview.value === wanted)
      preview.value = { ...wanted, mask: answer.mask, predictedIou: answer.predictedIou };
  } catch (error) {
    tellFailure(error);
  } finally {
    if (!signal.aborted) previewBusy.value = false;
  }
}

function drop(): boolean {
  const had = preview.value !== null;
  asked?.abort();
  preview.value = null;
  previewBusy.value = false;
  return had;
}

/** Make an outline of the previewed mask. */
function accept(): boolean {
  const now = preview.value;
  if (!now) return false;
  if (!now.mask || previewBusy.value) remark("the model has not answered yet", "look at its mask first");
  else {
    draw(now.place, now.mask, "accept a mask", true);
    drop();
  }
  return true;
}

/** Make an outline of what is predicted on a slice, as it is. */
export function acceptPredicted(place: Place): void {
  if (isDrawn(place)) remark("this slice is drawn already");
  else if (!isPredicted(place.label)) remark("nothing is predicted on this slice", "draw it first");
  else draw(place, beginning(place), "accept a prediction", true);
}

function placeFor(spot: Spot): Place | null {
  const place = placeToDraw(spot.axis, spot.slice);
  const model = server.value?.model;
  if (place && model?.state === "failed") {
    remark(`the model ${model.name} could not be loaded`, "brush and polygon work without it");
    return null;
  }
  return place;
}

abstract class Prompting {
  readonly cursor = "crosshair";
  readonly finish = accept;
  readonly cancel = drop;

  stepBack(): boolean {
    const now = preview.value;
    if (!now) return false;
    if (now.clicks.length > 0) ask({ ...now, clicks: now.clicks.slice(0, -1), predictedIou: null });
    else drop();
    return true;
  }

  sketch(sketch: Sketch): void {
    const now = preview.value;
    if (now?.place.axis !== sketch.axis || now.place.slice !== sketch.slice) return;
    const { context, viewport } = sketch;
    if (now.box) drawBox(sketch, now.box);
    for (const click of now.clicks) {
      const { x, y } = toScreen(viewport, click);
      context.beginPath();
      context.arc(x, y, 6, 0, 2 * Math.PI);
      context.fillStyle = click.positive ? "#2fd06b" : "#ff5c5c";
      context.fill();
      context.lineWidth = 1.5;
      context.strokeStyle = "#ffffff";
      context.stroke();
      context.beginPath();
      context.moveTo(x - 3, y);
      context.lineTo(x + 3, y);
      if (click.positive) {
        context.moveTo(x, y - 3);
        context.lineTo(x, y + 3);
      }
      context.stroke();
    }
  }
}

function drawBox({ context, viewport }: Sketch, box: readonly number[]): void {
  const a = toScreen(viewport, { x: box[0], y: box[1] });
  const b = toScreen(viewport, { x: box[2], y: box[3] });
  context.lineWidth = 3;
  context.strokeStyle = "rgba(0, 0, 0, 0.6)";
  context.strokeRect(a.x, a.y, b.x - a.x, b.y - a.y);
  context.lineWidth = 1.5;
  context.strokeStyle = "#ffd92f";
  context.strokeRect(a.x, a.y, b.x - a.x, b.y - a.y);
}

class ClickTool extends Prompting implements Tool {
  readonly id = "click";
  readonly name = "Click";
  readonly key = "9";
  readonly hint = "Click what belongs to it, right button what does not. Enter accepts, Escape gives up.";

  down(spot: Spot): void {
    const place = placeFor(spot);
    if (!place) return;
    const x = Math.round(spot.point.x);
    const y = Math.round(spot.point.y);
    if (x < 0 || y < 0 || x >= spot.plane.width || y >= spot.plane.height) return;
    const now = preview.value;
    const here = now && keyOf(now.place) === keyOf(place) ? now : null;
    const clicks = [...(here?.clicks ?? []), { x, y, positive: !spot.inverse }];
    ask({ place, box: here?.box ?? null, clicks, mask: here?.mask ?? null, predictedIou: null });
  }
}

class BoxTool extends Prompting implements Tool {
  readonly id = "box";
  readonly name = "Box";
  readonly key = "8";
  readonly hint = "Drag a box around it; clicks correct the mask. Enter accepts, Escape gives up.";
  private dragged: { place: Place; from: Point; to: Point } | null = null;

  down(spot: Spot): void {
    const place = placeFor(spot);
    if (place) this.dragged = { place, from: spot.point, to: spot.point };
  }

  move(spot: Spot): void {
    if (!this.dragged || this.dragged.place.axis !== spot.axis) return;
    this.dragged.to = spot.point;
    redrawSketches();
  }

  up(spot: Spot): void {
    const dragged = this.dragged;
    this.dragged = null;
    redrawSketches();
    if (!dragged) return;
    const box = boxBetween(dragged.from, dragged.to, spot.plane.width, spot.plane.height);
    if (box[2] - box[0] < 1 || box[3] - box[1] < 1) {
      remark("the box is empty", "drag from one corner to the other");
      return;
    }
    ask({ place: dragged.place, box, clicks: [], mask: null, predictedIou: null });
  }

  override sketch(sketch: Sketch): void {
    const dragged = this.dragged;
    if (dragged?.place.axis === sketch.axis && dragged.place.slice === sketch.slice)
      drawBox(sketch, [dragged.from.x, dragged.from.y, dragged.to.x, dragged.to.y]);
    else super.sketch(sketch);
  }
}

function boxBetween(a: Point, b: Point, width: number, height: number): [number, number, number, number] {
  const inX = (x: number): number => Math.max(0, Math.min(width - 1, Math.round(x)));
  const inY = (y: number): number => Math.max(0, Math.min(height - 1, Math.round(y)));
  return [inX(Math.min(a.x, b.x)), inY(Math.min(a.y, b.y)), inX(Math.max(a.x, b.x)), inY(Math.max(a.y, b.y))];
}

export const CLICK = new ClickTool();
export const BOX = new BoxTool();
