"""Where a slice's time goes on an NVIDIA GPU: attention, encoder, whole runs, kernels.

``python benchmarks/gpu.py`` takes some two minutes. ``voxtrail bench --device cuda`` compares with
peers, and takes four.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.profiler import ProfilerActivity, profile

from voxtrail.bench.contender import ContenderProcess
from voxtrail.bench.peers import write_random_weights
from voxtrail.bench.plan import BenchPlan, BenchRun, one_round
from voxtrail.model.shortcuts import Shortcuts
from voxtrail.model.weights import load_model

SLICES = 33
#: The first run meets all shapes, the second records them (`voxtrail.model.cuda_graphed`).
RUNS = 4
KERNELS = 20
#: Labels and memories of one layer's attention, and its sizes at 1024 pixels.
ATTENTIONS = ((1, 3), (1, 6), (1, 9), (8, 3))
POSITIONS, WIDTH, MEMORY_WIDTH, POINTER_TOKENS = 4096, 256, 64, 64
BATCHES = (1, 4, 8, 16)
DEVICE = "cuda"


def main() -> None:
    print(torch.cuda.get_device_name(), "torch", torch.__version__)
    with torch.no_grad():
        attention()
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "small.pt"
        write_random_weights("small", weights)
        with torch.no_grad():
            encoder(str(weights))
        plan = BenchPlan(str(weights), 1024, slices=SLICES, device=DEVICE)
        ours = {run.key: run for run in one_round(plan)}
        contender = ContenderProcess(plan, ours["baseline"])
        for key in ("baseline", "is+sps", "labels-8"):
            measure(contender, ours[key])
        kernels(contender, ours["is+sps"])
        for precision in ("bfloat16", "float32"):
            run = BenchRun("sam2", "sam2", "baseline", 1024, precision)
            measure(ContenderProcess(plan, run), run)


def milliseconds(work: Callable[[], object]) -> float:
    from triton.testing import do_bench

    return do_bench(work, warmup=50, rep=200, return_mode="median")


def attention() -> None:
    """Time one layer's attention over memories as PyTorch offers it."""
    for labels, memories in ATTENTIONS:
        tokens = memories * POSITIONS + POINTER_TOKENS
        queries, keys, values = (
            torch.randn(labels, count, width, device=DEVICE, dtype=torch.bfloat16)
            for count, width in ((POSITIONS, WIDTH), (tokens, WIDTH), (tokens, MEMORY_WIDTH))
        )
        queries /= WIDTH**0.5
        padded = F.pad(values, (0, WIDTH - MEMORY_WIDTH))
        ways: dict[str, Callable[[], Tensor]] = {
            "PyTorch's choice": lambda: fused(queries, keys, values),  # noqa: B023
            "memory-efficient": with_kernel(SDPBackend.EFFICIENT_ATTENTION, queries, keys, values),
            "flash, values padded": with_kernel(SDPBackend.FLASH_ATTENTION, queries, keys, padded),
            "products and softmax": lambda: (
                torch.softmax(queries @ keys.transpose(1, 2), -1) @ values  # noqa: B023
            ),
        }
        for name, work in ways.items():
            print(f"attention, {labels} labels, {memories} memories, {name}: "
                  f"{milliseconds(work):.3f} ms", flush=True)  # fmt: skip


def fused(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(
        queries[:, None], keys[:, None], values[:, None], scale=1.0
    )


def with_kernel(
    kernel: SDPBackend, queries: Tensor, keys: Tensor, values: Tensor
) -> Callable[[], Tensor]:
    def work() -> Tensor:
        with sdpa_kernel([kernel]):
            return fused(queries, keys, values)

    return work


def encoder(weights: str) -> None:
    """Time the image encoder by the number of slices in a batch."""
    model = load_model(
        weights, resolution=1024, device=DEVICE, shortcuts=Shortcuts("bfloat16")
    ).model
    for count in BATCHES:
        grey = torch.rand(count, 1, 1024, 1024, device=DEVICE)
        spent = milliseconds(lambda: model.encoder(grey))  # noqa: B023
        print(f"encoder, batches of {count}: {spent / count:.2f} ms a slice", flush=True)


def measure(contender: ContenderProcess, run: BenchRun) -> None:
    spent = [contender.measure(run).seconds for _ in range(RUNS)]
    split = contender.measure(run, "components")
    print(
        f"{run.key:<10}{run.runtime:<28} ms a slice: "
        + ", ".join(f"{1e3 * one / SLICES:.2f}" for one in spent)
        + f"; {split.peak_mib:.0f} MiB; waiting after each component: "
        + ", ".join(f"{name} {1e3 * s / SLICES:.2f}" for name, s in split.components[0].items()),
        flush=True,
    )


def kernels(contender: ContenderProcess, run: BenchRun) -> None:
    with profile(activities=[ProfilerActivity.CUDA, ProfilerActivity.CPU]) as profiler:
        contender.measure(run)
    found = profiler.key_averages()
    busy = sum(one.self_device_time_total for one in found)
    print(f"{run.key}: GPU busy {busy / 1e3 / SLICES:.2f} ms a slice, of which")
    for one in sorted(found, key=lambda one: -one.self_device_time_total)[:KERNELS]:
        spent = one.self_device_time_total / 1e3 / SLICES
        print(f"  {spent:.3f} ms in {one.count / SLICES:.1f} x {one.key[:90]}")


if __name__ == "__main__":
    main()
