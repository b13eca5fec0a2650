/** Paints one view: the slice, labels over it, contours, a mask that waits, crosshair, letters. */

import { effect } from "@preact/signals";
import { borderLetters } from "../core/affine";
import type { Axis, Plane } from "../core/axes";
import { boundsByLabel, contourOf, type Bounds } from "../core/contour";
import { paintSlice, rgbOf } from "../core/grey";
import { toScreen, viewportOf, type Viewport } from "../core/viewport";
import type { Point } from "../core/brush";
import { CLICK, preview, type Preview } from "../draw/prompting";
import { sketched } from "../draw/tool";
import { isPrompting, tool } from "../draw/tools";
import { unconfirmed } from "../state/changes";
import { isDrawn } from "../state/drawn";
import {
  crosshairShown,
  cursor,
  gazes,
  greys,
  overlayShown,
  overlayStyle,
  paints,
  sliceOf,
} from "../state/look";
import { labelOf, labels, outlines, planes, scan } from "../state/server";
import { arrived, painted, scanSlice, shownSlice, volumes } from "../state/volumes";

/** What a frame costs is measured under this name; see benchmarks/page.py. */
const MEASURE = "voxtrail:frame";
const DRAWN_LINE = 2;
const PREDICTED_LINE = 1.25;
const PREVIEW_OPACITY = 0.5;

interface Outline {
  readonly label: number;
  readonly lines: Float32Array;
  readonly drawn: boolean;
}

export class SlicePainter {
  /** Where the pointer is over the slice. */
  pointer: Point | null = null;
  viewport: Viewport = { origin: { x: 0, y: 0 }, scale: { x: 1, y: 1 } };
  private readonly context: CanvasRenderingContext2D;
  private readonly image = new OffscreenCanvas(1, 1);
  private readonly ghost = new OffscreenCanvas(1, 1);
  private readonly resized: ResizeObserver;
  private readonly unsubscribe: () => void;
  private data: ImageData | null = null;
  private pixels = new Uint32Array(0);
  private labels: Uint8Array = new Uint8Array(0);
  private bounds = new Map<number, Bounds>();
  private contours: readonly Outline[] = [];
  private ghostLines: Float32Array = new Float32Array(0);
  private imageOf: readonly unknown[] = [];
  private labelsOf: readonly unknown[] = [];
  private contoursOf: readonly unknown[] = [];
  private ghostOf: Uint8Array | null = null;
  private frame = 0;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly axis: Axis,
  ) {
    this.context = canvas.getContext("2d", { alpha: false })!;
    this.resized = new ResizeObserver(() => this.fit());
    this.resized.observe(canvas);
    this.unsubscribe = effect(() => {
      // All that a frame shows: each of these makes a new one.
      void [painted.value, cursor.value, greys.value, paints.value, gazes[axis].value, labels.value];
      void [overlayStyle.value, overlayShown.value, crosshairShown.value, outlines.value];
      void [preview.value, sketched.value, tool.value, planes.value, unconfirmed.value];
      this.request();
    });
  }

  /** Paint before the next picture of the screen. */
  request(): void {
    if (this.frame === 0)
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        const start = performance.now();
        this.paint();
        performance.measure(MEASURE, { start });
        performance.clearMeasures(MEASURE); // observers have it; the browser need not keep it
      });
  }

  stop(): void {
    cancelAnimationFrame(this.frame);
    this.resized.disconnect();
    this.unsubscribe();
  }

  private fit(): void {
    const ratio = devicePixelRatio;
    this.canvas.width = Math.max(1, Math.round(this.canvas.clientWidth * ratio));
    this.canvas.height = Math.max(1, Math.round(this.canvas.clientHeight * ratio));
    this.request();
  }

  private paint(): void {
    const { context, canvas, axis } = this;
    const plane = planes.value?.[axis];
    const info = scan.value;
    if (canvas.clientWidth === 0) return; // another view fills the page
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.fillStyle = "#000000";
    context.fillRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    if (!plane || !info || volumes.scan.length === 0) return;
    const slice = sliceOf(axis);
    this.viewport = viewportOf(
      plane,
      info.spacing_mm,
      gazes[axis].value,
      canvas.clientWidth,
      canvas.clientHeight,
    );
    const { origin, scale } = this.viewport;
    canvas.dataset.origin = `${origin.x} ${origin.y}`;
    canvas.dataset.scale = `${scale.x} ${scale.y}`;
    this.updateLabels(plane, slice);
    this.updateImage(plane, slice);
    this.updateContours(slice);
    this.drawImage(this.image, plane);
    for (const { label, lines, drawn } of this.contours)
      this.strokeLines(lines, labelOf(label)?.colour ?? "#ffffff", drawn ? DRAWN_LINE : PREDICTED_LINE);
    const waiting = preview.value;
    if (waiting?.mask && waiting.place.axis === axis && waiting.place.slice === slice)
      this.drawGhost(waiting, waiting.mask, plane);
    if (crosshairShown.value) this.drawCrosshair(plane);
    const sketch = { context, axis, slice, plane, viewport: this.viewport, pointer: this.pointer };
    tool.value.sketch?.(sketch);
    if (waiting && !isPrompting(tool.value)) CLICK.sketch(sketch);
    this.drawLetters(plane);
    this.drawRuler(info.spacing_mm[plane.xAxis]);
  }

  private updateLabels(plane: Plane, slice: number): void {
    const of = [volumes.shown, painted.value, slice];
    if (same(of, this.labelsOf)) return;
    this.labelsOf = of;
    this.labels = shownSlice(this.axis, slice);
    this.bounds = boundsByLabel(this.labels, plane.width);
  }

  private updateImage(plane: Plane, slice: number): void {
    const of = [this.labels, slice, greys.value, paints.value, volumes.scan, arrived.value];
    if (same(of, this.imageOf)) return;
    this.imageOf = of;
    if (this.data?.width !== plane.width || this.data.height !== plane.height) {
      [this.image.width, this.image.height] = [plane.width, plane.height];
      this.data = new ImageData(plane.width, plane.height);
      this.pixels = new Uint32Array(this.data.data.buffer);
    }
    paintSlice(this.pixels, scanSlice(this.axis, slice), this.labels, greys.value, paints.value);
    this.image.getContext("2d")!.putImageData(this.data, 0, 0);
  }

  private updateContours(slice: number): void {
    const drawn = [...this.bounds.keys()].filter((label) => isDrawn({ label, axis: this.axis, slice }));
    const of = [this.labels, overlayStyle.value, overlayShown.value, labels.value, drawn.join()];
    if (same(of, this.contoursOf)) return;
    this.contoursOf = of;
    const width = planes.value![this.axis].width;
    this.contours = [...this.bounds]
      .filter(([label]) => overlayShown.value && labelOf(label)?.visible)
      .filter(([label]) => overlayStyle.value === "outline" || drawn.includes(label))
      .map(([label, bounds]) => ({
        label,
        lines: contourOf(this.labels, width, label, bounds),
        drawn: drawn.includes(label),
      }));
  }

  private drawImage(image: OffscreenCanvas, plane: Plane): void {
    // Pixels stay pixels: what is drawn is exact to the voxel.
    this.context.imageSmoothingEnabled = false;
    const { scale } = this.viewport;
    const corner = toScreen(this.viewport, { x: plane.width - 0.5, y: plane.height - 0.5 });
    this.context.drawImage(image, corner.x, corner.y, plane.width * scale.x, plane.height * scale.y);
  }

  private strokeLines(lines: Float32Array, colour: string, width: number): void {
    const { context } = this;
    const { origin, scale } = this.viewport;
    context.beginPath();
    for (let i = 0; i < lines.length; i += 4) {
      context.moveTo(origin.x - lines[i] * scale.x, origin.y - lines[i + 1] * scale.y);
      context.lineTo(origin.x - lines[i + 2] * scale.x, origin.y - lines[i + 3] * scale.y);
    }
    context.lineWidth = width;
    context.lineCap = "square";
    context.strokeStyle = colour;
    context.stroke();
  }

  private drawGhost(waiting: Preview, mask: Uint8Array, plane: Plane): void {
    if (this.ghostOf !== mask) {
      this.ghostOf = mask;
      [this.ghost.width, this.ghost.height] = [plane.width, plane.height];
      const data = new ImageData(plane.width, plane.height);
      const pixels = new Uint32Array(data.data.buffer);
      const [red, green, blue] = rgbOf(labelOf(waiting.place.label)?.colour ?? "#ffffff");
      const colour = ((Math.round(PREVIEW_OPACITY * 255) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
      for (let i = 0; i < mask.length; i++) if (mask[i]) pixels[mask.length - 1 - i] = colour;
      this.ghost.getContext("2d")!.putImageData(data, 0, 0);
      const bounds = boundsByLabel(mask, plane.width).get(1);
      this.ghostLines = bounds ? contourOf(mask, plane.width, 1, bounds) : new Float32Array(0);
    }
    this.drawImage(this.ghost, plane);
    this.strokeLines(this.ghostLines, "#000000", 3);
    this.strokeLines(this.ghostLines, "#ffffff", 1.5);
  }

  private drawCrosshair(plane: Plane): void {
    const { context, canvas } = this;
    const [x, y] = [cursor.value[plane.xAxis], cursor.value[plane.yAxis]];
    const at = toScreen(this.viewport, { x, y });
    const gap = 8;
    context.beginPath();
    for (const [x0, y0, x1, y1] of [
      [0, at.y, at.x - gap, at.y],
      [at.x + gap, at.y, canvas.clientWidth, at.y],
      [at.x, 0, at.x, at.y - gap],
      [at.x, at.y + gap, at.x, canvas.clientHeight],
    ]) {
      context.moveTo(x0, y0);
      context.lineTo(x1, y1);
    }
    context.lineWidth = 1;
    context.strokeStyle = "rgba(92, 200, 255, 0.65)";
    context.stroke();
  }

  private drawLetters(plane: Plane): void {
    const { context, canvas } = this;
    const { left, right, top, bottom } = borderLetters(plane);
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    context.font = "600 13px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (const [letter, x, y] of [
      [left, 12, height / 2],
      [right, width - 12, height / 2],
      [top, width / 2, 12],
      [bottom, width / 2, height - 12],
    ] as const) {
      context.lineWidth = 3;
      context.strokeStyle = "rgba(0, 0, 0, 0.8)";
      context.strokeText(letter, x, y);
      context.fillStyle = "#ffd479";
      context.fillText(letter, x, y);
    }
  }

  /** Draw a line of a round number of millimetres along x. */
  private drawRuler(spacing: number): void {
    const { context, canvas } = this;
    const pixelsPerMm = this.viewport.scale.x / spacing;
    const fitting = (0.3 * canvas.clientWidth) / pixelsPerMm;
    const mm = [100, 50, 20, 10, 5, 2, 1].find((length) => length <= fitting);
    if (!mm) return;
    const [x, y] = [12, canvas.clientHeight - 14];
    context.beginPath();
    context.moveTo(x, y - 4);
    context.lineTo(x, y);
    context.lineTo(x + mm * pixelsPerMm, y);
    context.lineTo(x + mm * pixelsPerMm, y - 4);
    context.lineWidth = 1.5;
    context.strokeStyle = "#c8d0da";
    context.stroke();
    context.font = "11px system-ui, sans-serif";
    context.textAlign = "left";
    context.textBaseline = "bottom";
    context.fillStyle = "#c8d0da";
    context.fillText(mm >= 10 ? `${mm / 10} cm` : `${mm} mm`, x + 2, y - 5);
  }
}

function same(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i]);
}
