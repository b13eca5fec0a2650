"""Peak resident memory of long stacks against short ones, for every memory policy of the paper.

    python benchmarks/memory.py [--slices 100 1000] [--side 64] [--resolution 256] [--write PAGE]

Each run is a process of its own with the bundled checkpoint. What the volume itself takes (the
scan, the logits and labels of the result) is measured by a run of the same stack with a model that
does nothing, and taken off. `benchmarks/large_scan.py` adds what a large scan takes.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

import large_scan

#: Bytes of features that are held, so few that either stack has more; 1 GiB by default.
FEATURES_BYTES = 2**24
POLICIES = (
    ("all", "recent:k=6"),
    ("near:tau=0.3", "recent:k=6"),
    ("all", "intelligent"),
    ("near:tau=0.3", "intelligent"),
    ("all", "stride:r=2"),
    ("all", "stride:r=4"),
    ("all", "gate:k=1"),
    ("all", "gate:k=6"),
)


class Idle:
    """A model that finds nothing and keeps nothing."""

    input_size, device, runtime, fingerprint = 128, "cpu", "none", "idle"

    def __init__(self):
        from voxtrail.core.stopwatch import Stopwatch
        from voxtrail.memory import MemorySpec
        from voxtrail.model.shortcuts import Shortcuts

        self.stopwatch, self.shortcuts, self.memory_spec = Stopwatch(), Shortcuts(), MemorySpec()

    def encode(self, slices):
        return [0] * len(slices)

    def prompt(self, features, prompts, shape_hw, *, previous=None, tracking=None):
        from voxtrail.model.base import SlicePrediction

        return SlicePrediction(0, 0, 1.0, 10.0, prompted=True, area=0.0)

    def track(self, trackings):
        from voxtrail.model.base import SlicePrediction

        return [SlicePrediction(0, 0, 1.0, 10.0, prompted=False, area=0.0) for _ in trackings]

    def memorise(self, features, steps):
        return [0] * len(steps)

    def masks(self, steps, shape_hw):
        import numpy as np

        return np.full((len(steps), *shape_hw), -1, np.float32)


def measure(slices: int, side: int, resolution: int, prompts: str, memory: str, idle: bool) -> dict:
    import numpy as np

    from voxtrail.core.volume import LabelMap, Volume
    from voxtrail.evaluate import simulate
    from voxtrail.model.base import LoadedModel
    from voxtrail.model.weights import load_model
    from voxtrail.propagate.feature_cache import FeatureCache
    from voxtrail.propagate.prediction_cache import PredictionCache
    from voxtrail.session import Cache, Config, segment

    model = load_model("micro", resolution=resolution, device="cpu")
    if idle:
        model = LoadedModel(Idle(), "idle", "", "0" * 64)
    rng = np.random.default_rng(0)
    hu = rng.normal(0, 50, (side, side, slices)).astype(np.int16)
    truth = np.zeros(hu.shape, np.uint8)
    truth[side // 4 : side // 2, side // 4 : side // 2] = 1
    hu[truth > 0] += 800
    labels = LabelMap.from_stored(truth, np.eye(4), {1: "bar"})
    config = Config(
        model="micro",
        preset="baseline",
        prompt_memory=prompts,
        memory=memory,
        crop="none",
        resolution=resolution,
    )
    cache = Cache(FeatureCache(FEATURES_BYTES), PredictionCache(ram_bytes=0), None)
    segment(Volume.from_stored(hu, np.eye(4)), simulate(labels), config, model=model, cache=cache)
    return {"peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def processor() -> str:
    place = Path("/proc/cpuinfo")
    lines = place.read_text().splitlines() if place.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def in_process(arguments: list[str]) -> float:
    done = subprocess.run(
        [sys.executable, __file__, *arguments], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)["peak_mib"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, nargs=2, default=(100, 1000))
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--resolution", type=int, default=256)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        slices, prompts, memory, idle = options.one
        found = measure(
            int(slices), options.side, options.resolution, prompts, memory, idle == "idle"
        )
        sys.stdout.write(json.dumps(found))
        return
    base = ["--side", str(options.side), "--resolution", str(options.resolution), "--one"]
    from voxtrail.propagate.feature_cache import RAM_BYTES

    idle = [in_process([*base, str(n), *POLICIES[0], "idle"]) for n in options.slices]
    short, long = options.slices
    lines = [
        "# Memory",
        "",
        f"Written by `python benchmarks/memory.py --slices {short} {long} --side {options.side} "
        f"--resolution {options.resolution} --write {options.write}`: greatest resident memory of "
        "a process that segments one label with the bundled checkpoint (micro) at "
        f"{options.resolution} pixels. {processor()}, {time.strftime('%Y-%m-%d')}. Research use "
        "only. Not a medical device.",
        "",
        f"| prompt memory | recent memory | {short} slices, MiB | {long} slices, MiB | ratio | "
        "volumes aside |",
        "|---|---|---|---|---|---|",
    ]
    volumes = idle[1] - idle[0]
    for prompts, memory in POLICIES:
        few, many = (in_process([*base, str(n), prompts, memory, "model"]) for n in options.slices)
        lines.append(
            f"| `{prompts}` | `{memory}` | {few:.0f} | {many:.0f} | {many / few:.2f} | "
            f"{(many - volumes) / few:.2f} |"
        )
        sys.stderr.write(lines[-1] + "\n")
    lines += [
        "",
        "The longer stack's own volumes (scan, logits, labels) take "
        f"{volumes:.0f} MiB more, measured with a model that does nothing. To take them off is "
        "too much where the ratio falls under 1: the two peaks need not fall together.",
        "",
        "What bounds it: encoded slices are held up to a number of bytes, by default "
        f"{RAM_BYTES / 2**30:.0f} GiB (64 slices of SAM 2's at 1024 pixels) and here "
        f"{FEATURES_BYTES / 2**20:.0f} MiB, so that either stack has more of them "
        "(`FeatureCache`). Those that another pass or label still comes to, and in a session all, "
        "are laid down in a temporary folder when they fall out, in at most half of the disk that "
        "is free. A pass drops each memory that its policy can never ask for again "
        "(`MemoryPolicy.retain`): recent and strided ones out of reach, and of gated ones all but "
        "the k surest so far, because a slice that was outranked once stays so. Nothing is "
        "compressed. Memories are kept in bfloat16, as the reference keeps them; pointers, of "
        "prompted and of the last 16 slices, are vectors.",
        "",
        large_scan.sentence(),
    ]
    text = "\n".join(lines) + "\n"
    if options.write:
        options.write.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
