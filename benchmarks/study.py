"""What sharing encodings saves: Table VI on one phantom bone, shared, and row by row.

    python benchmarks/study.py [--model micro] [--structure hip_left]

Prints JSON: seconds of both ways, their ratio, slices encoded, and where the time of the shared
way goes.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from voxtrail.datasets.manifest import Manifest
from voxtrail.datasets.phantom import write_dataset
from voxtrail.datasets.totalsegmentator import measure
from voxtrail.study.experiments import experiments
from voxtrail.study.plan import plan
from voxtrail.study.record import Records
from voxtrail.study.settings import Settings
from voxtrail.study.task_context import TaskContext
from voxtrail.study.task_runner import TaskRunner
from voxtrail.study.tasks.track_outlines import TrackOutlines

TABLE_VI = ["stride", "gating", "slicing", "propagation", "threshold"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="micro")
    parser.add_argument("--structure", default="hip_left")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "data"
        write_dataset(root, 1, 7, regions=("pelvis",))
        item = measure(root, "s0000", options.structure)
        assert item is not None
        settings = Settings(root, options.model, margin_mm=10.0)
        size = TaskContext(settings).model(None, None).model.input_size
        (group,) = plan(
            experiments(TABLE_VI), Manifest((item,)), Records(Path(place)), options.model, size,
            retry_failed=False,
        ).groups  # fmt: skip
        tasks = tuple(task for task in group.tasks if isinstance(task, TrackOutlines))
        group = replace(group, tasks=tasks)

        worker = TaskRunner(settings)
        list(worker.run(replace(group, tasks=tasks[:1])))  # loads the model, warms up
        started = time.perf_counter()
        shared = list(worker.run(group))
        shared_s = time.perf_counter() - started

        started = time.perf_counter()
        alone = [next(worker.run(replace(group, tasks=(task,)))) for task in tasks]
        alone_s = time.perf_counter() - started
    parts: dict[str, float] = {
        name: sum(getattr(each.measured, name) or 0.0 for each in shared)
        for name in ("memory_attention_s", "memory_encoder_s", "mask_decoder_s")
    }
    spent = sum(each.measured.spent_s or 0.0 for each in shared)
    encoding = sum(
        (each.measured.spent_s or 0.0)
        - (each.measured.total_s or 0.0)
        + (each.measured.image_encoder_s or 0.0)
        for each in shared
    )
    parts = {"image_encoder_s": encoding, **parts}
    parts["rest_of_segment_s"] = spent - sum(parts.values())
    parts["reading_and_scoring_s"] = shared_s - spent
    result = {
        "model": options.model,
        "structure": options.structure,
        "rows": len(tasks),
        "encoded_slices": {
            "shared": sum(each.measured.encoded_slices or 0 for each in shared),
            "alone": sum(each.measured.encoded_slices or 0 for each in alone),
        },
        "seconds": {"shared": shared_s, "alone": alone_s, "ratio": alone_s / shared_s},
        "shared_parts_s": parts,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
