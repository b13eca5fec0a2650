/** The bar beside a view: the whole stack, drawn slices, confidence, the suggested one. */

import { useEffect, useRef } from "preact/hooks";
import { effect } from "@preact/signals";
import type { Axis } from "../core/axes";
import { activeAxis, cursor, showSlice, sliceOf, stepSlice } from "../state/look";
import { chosen, planes } from "../state/server";
import { stackStory, type StackStory } from "./stack_story";

const SURE = [64, 190, 122] as const;
const UNSURE = [240, 96, 72] as const;

/** Return a colour from unsure (0) to sure (1). */
function confidenceColour(confidence: number): string {
  const mixed = SURE.map((part, i) => Math.round(UNSURE[i] + (part - UNSURE[i]) * confidence));
  return `rgb(${mixed.join()})`;
}

export function SliceBar({ axis }: { axis: Axis }) {
  const bar = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const canvas = bar.current!;
    let frame = 0;
    const request = (): void => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => paintBar(canvas, axis));
    };
    const resized = new ResizeObserver(request);
    resized.observe(canvas);
    const unsubscribe = effect(() => {
      void [cursor.value, stackStory(axis, chosen.value?.id ?? null), chosen.value?.colour];
      request();
    });
    return () => {
      cancelAnimationFrame(frame);
      resized.disconnect();
      unsubscribe();
    };
  }, [axis]);

  const count = planes.value?.[axis].count ?? 1;
  const slice = sliceOf(axis);
  const goTo = (event: PointerEvent): void => {
    const box = bar.current!.getBoundingClientRect();
    activeAxis.value = axis;
    showSlice(axis, (1 - (event.clientY - box.top) / box.height) * count - 0.5);
  };
  return (
    <canvas
      ref={bar}
      class="slice-bar"
      tabIndex={0}
      role="slider"
      aria-label={`${axis} slice`}
      aria-orientation="vertical"
      aria-valuemin={0}
      aria-valuemax={count - 1}
      aria-valuenow={slice}
      aria-valuetext={spoken(stackStory(axis, chosen.value?.id ?? null), slice)}
      onPointerDown={(event) => {
        bar.current!.setPointerCapture(event.pointerId);
        goTo(event);
      }}
      onPointerMove={(event) => {
        if (event.buttons & 1) goTo(event);
      }}
      onKeyDown={(event) => {
        const step = { ArrowUp: 1, ArrowDown: -1, ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        stepSlice(axis, event.shiftKey ? 10 * step : step);
      }}
    />
  );
}

function spoken(story: StackStory, slice: number): string {
  const parts = [`slice ${slice}`];
  if (story.drawn.has(slice)) parts.push("drawn");
  const confidence = story.confidence.get(slice);
  if (confidence !== undefined) parts.push(`confidence ${confidence.toFixed(2)}`);
  if (story.suggested === slice) parts.push("suggested next");
  return parts.join(", ");
}

function paintBar(canvas: HTMLCanvasElement, axis: Axis): void {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = Math.round(width * devicePixelRatio);
  canvas.height = Math.round(height * devicePixelRatio);
  const context = canvas.getContext("2d")!;
  context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  context.clearRect(0, 0, width, height);
  const story = stackStory(axis, chosen.value?.id ?? null);
  const step = height / story.count;
  const top = (slice: number): number => height - (slice + 1) * step;
  const thick = Math.max(1, step);
  for (const [slice, confidence] of story.confidence) {
    context.fillStyle = confidenceColour(confidence);
    const length = 2 + (width - 9) * confidence;
    context.fillRect(0, top(slice), length, thick + 0.3);
  }
  context.fillStyle = chosen.value?.colour ?? "#ffffff";
  for (const slice of story.drawn) {
    const y = top(slice) + step / 2;
    context.fillRect(0, y - Math.max(1.5, thick / 2), width, Math.max(3, thick));
  }
  if (story.suggested !== null) {
    const y = top(story.suggested) + step / 2;
    context.beginPath();
    context.moveTo(width, y - 6);
    context.lineTo(width - 9, y);
    context.lineTo(width, y + 6);
    context.closePath();
    context.fillStyle = "#ffd92f";
    context.fill();
    context.lineWidth = 1;
    context.strokeStyle = "#000000";
    context.stroke();
  }
  const y = top(sliceOf(axis)) + step / 2;
  context.fillStyle = "#000000";
  context.fillRect(0, y - 2.5, width, 5);
  context.fillStyle = "#ffffff";
  context.fillRect(0, y - 1.5, width, 3);
}
