/** Crosshair and pointer in voxels, millimetres and Hounsfield units; what this page is not. */

import { toMillimetres } from "../core/affine";
import type { Triple } from "../core/axes";
import { connected } from "../state/changes";
import { cursor, pointed } from "../state/look";
import { labelOf, scan, server } from "../state/server";
import { arrived, painted, volumes } from "../state/volumes";

export function StatusBar() {
  return (
    <footer class="status-bar">
      <Readout name="Crosshair" voxel={cursor.value} />
      {pointed.value && <Readout name="Pointer" voxel={pointed.value} />}
      <span class="right">
        {server.value?.model.name}{" "}
        {server.value?.model.state === "ready" ? "ready" : server.value?.model.state}
      </span>
      <span class={connected.value ? "online" : "offline"}>
        {connected.value ? "connected" : "not connected"}
      </span>
      <strong class="notice">{server.value?.notice ?? "Research use only. Not a medical device."}</strong>
    </footer>
  );
}

function Readout({ name, voxel }: { name: string; voxel: Triple }) {
  const info = scan.value;
  if (!info || arrived.value === 0) return null;
  void painted.value;
  const at = voxel[0] + info.shape[0] * (voxel[1] + info.shape[1] * voxel[2]);
  const mm = toMillimetres(info.affine, voxel).map((part) => part.toFixed(1));
  const label = labelOf(volumes.shown[at]);
  return (
    <span class="readout" aria-label={name}>
      <span class="muted">{name}</span> <span class="voxel">{voxel.join(", ")}</span>
      <span class="muted"> vox</span> <span class="mm">{mm.join(", ")}</span>
      <span class="muted"> mm</span> <span class="hu">{volumes.scan[at]}</span>
      <span class="muted"> HU</span>
      {label && <span> {label.name}</span>}
    </span>
  );
}
