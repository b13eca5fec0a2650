/** Line icons, 20 by 20. */

import type { ComponentChildren } from "preact";

const SHAPES: Record<string, ComponentChildren> = {
  crosshair: <path d="M10 2v6M10 12v6M2 10h6M12 10h6" />,
  zoom: (
    <>
      <circle cx="8.5" cy="8.5" r="5.5" />
      <path d="M13 13l5 5M8.5 6v5M6 8.5h5" />
    </>
  ),
  polygon: <path d="M4 7l7-4 6 6-3 8H6z" />,
  brush: (
    <>
      <path d="M17 3l-8 8" />
      <path d="M9 11c-3 0-3 4-6 5 2 2 8 2 8-3z" fill="currentColor" />
    </>
  ),
  eraser: (
    <>
      <path d="M8 16l-5-5 8-8 6 6-7 7z" />
      <path d="M7 7l6 6M8 17h9" />
    </>
  ),
  threshold: (
    <>
      <circle cx="10" cy="10" r="7" />
      <path d="M10 3a7 7 0 010 14z" fill="currentColor" />
    </>
  ),
  fill: (
    <>
      <path d="M9 3L3 9l6 6 6-6z" />
      <path d="M3.5 9.5h11L9 15z" fill="currentColor" />
      <path d="M17 12c1.5 2 1.5 4 0 4s-1.5-2 0-4z" fill="currentColor" />
    </>
  ),
  box: <path d="M3 3h3M8 3h4M14 3h3v3M17 8v4M17 14v3h-3M12 17H8M6 17H3v-3M3 12V8M3 6V3" />,
  click: (
    <>
      <path d="M8 8l3 9 1.8-3.7L17 11z" fill="currentColor" />
      <path d="M6 2v3M2 6h3M3 3l2 2" />
    </>
  ),
  window: (
    <>
      <circle cx="10" cy="10" r="3.5" />
      <path d="M10 1.5v2M10 16.5v2M1.5 10h2M16.5 10h2M4 4l1.4 1.4M14.6 14.6L16 16M4 16l1.4-1.4M14.6 5.4L16 4" />
    </>
  ),
  undo: <path d="M7 4L3 8l4 4M3 8h9a4.5 4.5 0 010 9H8" />,
  redo: <path d="M13 4l4 4-4 4M17 8H8a4.5 4.5 0 000 9h4" />,
  eye: (
    <>
      <path d="M1.5 10S4.5 4.5 10 4.5 18.5 10 18.5 10 15.5 15.5 10 15.5 1.5 10 1.5 10z" />
      <circle cx="10" cy="10" r="2.5" />
    </>
  ),
  hidden: <path d="M2 9c2 3 5 4.5 8 4.5S16 12 18 9M4 12l-1.5 2M10 13.5V16M16 12l1.5 2" />,
  lock: (
    <>
      <rect x="4.5" y="9" width="11" height="8" rx="1.5" fill="currentColor" />
      <path d="M7 9V6.5a3 3 0 016 0V9" />
    </>
  ),
  unlocked: (
    <>
      <rect x="4.5" y="9" width="11" height="8" rx="1.5" />
      <path d="M7 9V6.5a3 3 0 015.8-1" />
    </>
  ),
  bin: <path d="M4 5.5h12M8 5.5V3.5h4v2M5.5 5.5l.8 11h7.4l.8-11M8.5 8.5v5M11.5 8.5v5" />,
  plus: <path d="M10 4v12M4 10h12" />,
  play: <path d="M6 3.5l10 6.5-10 6.5z" fill="currentColor" />,
  stop: <rect x="5" y="5" width="10" height="10" rx="1" fill="currentColor" />,
  next: <path d="M4 4l7 6-7 6zM14 4v12" fill="currentColor" />,
  folder: <path d="M2.5 5h5l2 2h8v9h-15z" />,
  export: <path d="M10 12V2.5M6.5 6L10 2.5 13.5 6M4 10v7h12v-7" />,
  import: <path d="M10 2.5V12M6.5 8.5L10 12l3.5-3.5M4 10v7h12v-7" />,
  enlarge: <path d="M3 8V3h5M12 3h5v5M17 12v5h-5M8 17H3v-5" />,
  all: <path d="M3 3h6v6H3zM11 3h6v6h-6zM3 11h6v6H3zM11 11h6v6h-6z" />,
  help: (
    <>
      <circle cx="10" cy="10" r="7.5" />
      <path d="M7.8 7.8c0-3 4.6-2.9 4.4 0-.1 1.7-2.2 1.7-2.2 3.4M10 14v.5" />
    </>
  ),
};

export function Icon({ name }: { name: string }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
      {SHAPES[name]}
    </svg>
  );
}
