"""Where a slice's time goes on an NVIDIA GPU: whole runs, components, kernels.

``python benchmarks/gpu.py`` takes a minute or two, the reference's runs included; docs/gpu.md is
what it showed. ``voxtrail bench --device cuda`` compares more, and needs several minutes.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from voxtrail.bench.peers import write_random_weights
from voxtrail.bench.plan import BenchPlan, Job, jobs
from voxtrail.bench.worker import Worker

SLICES = 33
#: The first run meets all shapes, the second records them (`voxtrail.model.replay`).
RUNS = 4
KERNELS = 20


def main() -> None:
    print(torch.cuda.get_device_name(), "torch", torch.__version__)
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "small.pt"
        write_random_weights("small", weights)
        plan = BenchPlan(str(weights), 1024, slices=SLICES, device="cuda")
        ours = {job.key: job for job in jobs(plan)}
        worker = Worker(plan, ours["baseline"])
        for key in ("baseline", "is+sps", "labels-8"):
            measure(worker, ours[key])
        kernels(worker, ours["is+sps"])
        for precision in ("bfloat16", "float32"):
            job = Job("sam2", "sam2", "baseline", 1024, precision)
            measure(Worker(plan, job), job)


def measure(worker: Worker, job: Job) -> None:
    spent = [worker.run(job).seconds for _ in range(RUNS)]
    split = worker.run(job, "components")
    print(
        f"{job.key:<10}{job.runtime:<28} ms a slice: "
        + ", ".join(f"{1e3 * one / SLICES:.2f}" for one in spent)
        + f"; {split.peak_mib:.0f} MiB; waiting after each component: "
        + ", ".join(f"{name} {1e3 * s / SLICES:.2f}" for name, s in split.components.items()),
        flush=True,
    )


def kernels(worker: Worker, job: Job) -> None:
    with profile(activities=[ProfilerActivity.CUDA, ProfilerActivity.CPU]) as profiler:
        worker.run(job)
    found = profiler.key_averages()
    busy = sum(one.self_device_time_total for one in found)
    print(f"{job.key}: GPU busy {busy / 1e3 / SLICES:.2f} ms a slice, of which")
    for one in sorted(found, key=lambda one: -one.self_device_time_total)[:KERNELS]:
        spent = one.self_device_time_total / 1e3 / SLICES
        print(f"  {spent:.3f} ms in {one.count / SLICES:.1f} x {one.key[:90]}")


if __name__ == "__main__":
    main()
