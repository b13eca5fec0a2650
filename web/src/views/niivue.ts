/** NiiVue, for the 3D view alone: surfaces of labels in millimetres. No other file knows it. */

import { Niivue, NVMesh, SLICE_TYPE } from "@niivue/niivue";
import { rgbOf } from "../core/grey";

export interface Surface {
  readonly label: number;
  readonly colour: string;
  /** A PLY file, RAS+ millimetres. */
  readonly ply: ArrayBuffer;
}

export class Scene {
  private readonly viewer = new Niivue({
    backColor: [0.055, 0.067, 0.086, 1],
    show3Dcrosshair: false,
    isOrientCube: true,
    dragAndDropEnabled: false,
    isResizeCanvas: true,
    loadingText: "",
    logLevel: "error",
  });

  static async on(canvas: HTMLCanvasElement): Promise<Scene> {
    const scene = new Scene();
    await scene.viewer.attachToCanvas(canvas);
    scene.viewer.setSliceType(SLICE_TYPE.RENDER);
    scene.viewer.setRenderAzimuthElevation(160, 12);
    return scene;
  }

  /** Show these surfaces and no others. */
  async show(surfaces: readonly Surface[]): Promise<void> {
    const { viewer } = this;
    for (const mesh of [...viewer.meshes]) viewer.removeMesh(mesh);
    for (const { label, colour, ply } of surfaces) {
      const mesh = await NVMesh.readMesh(
        ply,
        `label${label}.ply`,
        viewer.gl,
        1,
        Uint8Array.of(...rgbOf(colour), 255),
      );
      viewer.addMesh(mesh);
    }
    viewer.drawScene();
  }

  turn(azimuth: number, elevation: number): void {
    const { scene } = this.viewer;
    this.viewer.setRenderAzimuthElevation(scene.renderAzimuth + azimuth, scene.renderElevation + elevation);
  }

  end(): void {
    this.viewer.cleanup();
  }
}
