/** The labels as surfaces; NiiVue is fetched when there is something to show. */

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { api } from "../net/api";
import { RefusedError } from "../net/http";
import { Icon } from "../panels/icons";
import { labelsSettled } from "../state/link";
import { enlarged } from "../state/look";
import { labels } from "../state/server";
import { painted } from "../state/volumes";
import type { Scene, Surface } from "./niivue";
import { isOff } from "./SliceView";

type Stage = "empty" | "loading" | "shown" | { failed: string };

const stage = signal<Stage>("empty");
/** What was painted when the surfaces were made. */
const madeOf = signal(-1);
/** Surfaces that were fetched since labels last changed; null where a label has no voxel. */
const fetched = new Map<number, ArrayBuffer | null>();

export function View3D() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const scene = useRef<Scene | null>(null);
  const work = useRef(Promise.resolve());

  const show = async (): Promise<void> => {
    stage.value = "loading";
    try {
      const surfaces = await visibleSurfaces();
      if (surfaces.length > 0) scene.current ??= await makeScene(canvas.current!);
      await scene.current?.show(surfaces);
      stage.value = surfaces.length > 0 ? "shown" : "empty";
    } catch (error) {
      if (error instanceof RefusedError)
        stage.value = { failed: `No surfaces: ${error.problem.what}. ${error.problem.remedy ?? ""}` };
      else stage.value = { failed: error instanceof Error ? error.message : String(error) };
    }
  };
  const makeAnew = (): void => {
    fetched.clear();
    madeOf.value = painted.value;
    work.current = work.current.then(show);
  };

  const settled = labelsSettled.value;
  const looks = labels.value.map(({ id, colour, visible }) => `${id}${colour}${visible}`).join();
  useEffect(() => {
    if (settled > 0) makeAnew();
  }, [settled]);
  useEffect(() => {
    if (fetched.size > 0) work.current = work.current.then(show);
  }, [looks]);
  useEffect(
    () => () => {
      scene.current?.end();
      stage.value = "empty";
    },
    [],
  );

  const now = stage.value;
  const old = now === "shown" && madeOf.value !== painted.value;
  return (
    <section class={`view view-3d ${isOff("3d") ? "off" : ""}`} aria-label="3D view">
      <canvas
        ref={canvas}
        class={`scene ${now === "empty" ? "hidden" : ""}`}
        tabIndex={0}
        role="img"
        aria-label="surfaces of the labels; arrow keys turn them"
        onKeyDown={(event) => {
          const turn = { ArrowLeft: [-15, 0], ArrowRight: [15, 0], ArrowUp: [0, 10], ArrowDown: [0, -10] }[
            event.key
          ];
          if (!turn) return;
          event.preventDefault();
          event.stopPropagation();
          scene.current?.turn(turn[0], turn[1]);
        }}
      />
      <div class="view-name">
        <strong>3D</strong> {old && <span class="muted">older than what is drawn</span>}
      </div>
      <button
        class="enlarge"
        title={enlarged.value === "3d" ? "All views" : "Only this view"}
        aria-label={enlarged.value === "3d" ? "show all views" : "show only the 3D view"}
        onClick={() => (enlarged.value = enlarged.value === "3d" ? null : "3d")}
      >
        <Icon name={enlarged.value === "3d" ? "all" : "enlarge"} />
      </button>
      <button class="update-3d" onClick={makeAnew} disabled={now === "loading"}>
        {now === "loading" ? "Making surfaces…" : "Update 3D"}
      </button>
      {now === "empty" && <p class="view-message">Surfaces appear here after a propagation.</p>}
      {typeof now === "object" && (
        <p class="view-message" role="alert">
          {now.failed}
        </p>
      )}
    </section>
  );
}

async function makeScene(canvas: HTMLCanvasElement): Promise<Scene> {
  try {
    const { Scene } = await import("./niivue");
    return await Scene.on(canvas);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`3D needs WebGL 2, which this browser does not give (${why}). The slices do without.`, {
      cause: error,
    });
  }
}

async function visibleSurfaces(): Promise<Surface[]> {
  const surfaces: Surface[] = [];
  for (const { id, colour, visible } of labels.value) {
    if (!visible) continue;
    if (!fetched.has(id)) fetched.set(id, await api.mesh(id));
    const ply = fetched.get(id);
    if (ply) surfaces.push({ label: id, colour, ply });
  }
  return surfaces;
}
