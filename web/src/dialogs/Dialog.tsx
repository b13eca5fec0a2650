/** A dialog of the page: it takes the keyboard and gives it back. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { dialog } from "./open_dialog";

export function Dialog({
  title,
  children,
  wide,
}: {
  title: string;
  children: ComponentChildren;
  wide?: boolean;
}) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => element.current!.showModal(), []);
  return (
    <dialog
      ref={element}
      class={wide ? "wide" : ""}
      aria-label={title}
      onClose={() => (dialog.value = null)}
      onClick={(event) => {
        if (event.target === element.current) element.current?.close();
      }}
    >
      <div class="dialog-body">
        <h1>
          {title}
          <button class="quiet" aria-label="close" onClick={() => element.current?.close()}>
            ✕
          </button>
        </h1>
        {children}
      </div>
    </dialog>
  );
}
