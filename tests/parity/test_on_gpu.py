"""What a GPU computes is what the CPU and the reference compute. Skipped where there is no GPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.parity import reference
from tests.parity.reference import Case, mask_prompt
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.datasets.phantom import demo_subject
from voxtrail.evaluate import simulate
from voxtrail.memory import parse_policy
from voxtrail.model.attention import attend
from voxtrail.model.cuda_graphed import CudaGraphed
from voxtrail.model.weights import load_model
from voxtrail.propagate.features import FeatureSource
from voxtrail.propagate.propagator import Propagator
from voxtrail.propagate.stack import Stack
from voxtrail.session import Config, segment

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

#: Convolutions of float32 run in TF32 on a GPU, the reference's too.
BOUND = 5e-3
SLICES = 9
FIRST_MIDDLE_LAST = (mask_prompt(0), mask_prompt(4), mask_prompt(8))


@pytest.fixture(scope="module")
def phantom() -> tuple[Volume, LabelMap]:
    subject = demo_subject()
    drawn = np.zeros(subject.hu.shape, dtype=np.uint8)
    names = {1: "sacrum", 2: "vertebrae_L5"}
    for label, name in names.items():
        drawn[subject.masks[name]] = label
    truth = LabelMap.from_stored(drawn, subject.affine, names)
    return Volume.from_stored(subject.hu, subject.affine), truth


def segmented(phantom: tuple[Volume, LabelMap], device: str, **options: object) -> np.ndarray:
    scan, truth = phantom
    config = Config(model="micro", device=device, **options)
    return segment(scan, simulate(truth), config).labels.voxels


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Return that of all labels taken together."""
    both = float(((a == b) & (a > 0)).sum())
    return 2 * both / float((a > 0).sum() + (b > 0).sum())


@pytest.fixture(scope="module")
def on_cpu(phantom: tuple[Volume, LabelMap]) -> np.ndarray:
    return segmented(phantom, "cpu")


@pytest.mark.parametrize("reverse", [False, True])
def test_the_reference_on_the_same_gpu_finds_the_same(tmp_path: Path, reverse: bool) -> None:
    predictor = reference.build_reference("tiny", device="cuda")
    path = reference.save_official(predictor, tmp_path / "tiny.pt")
    model = load_model(str(path), resolution=reference.SIZE, device="cuda").model
    case = Case({1: FIRST_MIDDLE_LAST}, start=SLICES - 1 if reverse else 0, reverse=reverse)
    stack = reference.slices(SLICES)
    theirs = reference.run_reference(predictor, stack, case)[1]
    ours = reference.run_voxtrail(model, stack, case)[1]
    for index in (1, 2, 3, 5, 6, 7):
        error = reference.relative_error(ours[index], theirs[index])
        assert error <= BOUND, (index, error)


def test_a_gpu_finds_what_the_cpu_finds(phantom, on_cpu) -> None:
    assert dice(segmented(phantom, "cuda"), on_cpu) > 0.998


@pytest.mark.parametrize(
    "options",
    [
        {"precision": "bfloat16"},
        {"memory": "gate:k=3", "direction": "both"},
    ],
    ids=str,
)
def test_options_change_as_little_as_on_the_cpu(phantom, on_cpu, options) -> None:
    there = {key: value for key, value in options.items() if key in ("memory", "direction")}
    expected = segmented(phantom, "cpu", **there) if there else on_cpu
    assert dice(segmented(phantom, "cuda", **options), expected) > 0.995


def test_a_gpu_is_not_waited_for_between_slices(tmp_path: Path) -> None:
    """Where no policy asks for a number, only logits are fetched, many slices at once."""
    predictor = reference.build_reference("tiny", device="cuda")
    path = reference.save_official(predictor, tmp_path / "tiny.pt")
    model = load_model(str(path), resolution=reference.SIZE, device="cuda").model
    features = FeatureSource(model, reference.slices(SLICES))
    stack = Stack.of(features, {p.slice_index: [p] for p in FIRST_MIDDLE_LAST})
    propagator = Propagator(model, parse_policy("all", "recent:k=6"))
    for _ in range(2):  # prompts, encodings and captures wait
        propagator.propagate([stack])
    waits = []
    fetch = model.masks

    def fetching(*arguments):
        torch.cuda.set_sync_debug_mode("default")
        waits.append(len(arguments[0]))
        return fetch(*arguments)

    def tracking(*arguments):
        torch.cuda.set_sync_debug_mode("error")
        return track(*arguments)

    track, model.track, model.masks = model.track, tracking, fetching
    try:
        propagator.propagate([stack])
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert waits == [SLICES - len(FIRST_MIDDLE_LAST)]


def test_a_cuda_graph_finds_what_the_module_finds() -> None:
    generator = torch.Generator("cuda").manual_seed(0)
    module = (
        torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.GELU()).cuda().requires_grad_(False)
    )
    graphed = CudaGraphed(module)
    kept = []
    for rows in (3, 3, 3, 5, 3, 5, 5, 3):
        given = torch.randn(rows, 8, device="cuda", generator=generator)
        kept.append((module(given), graphed(given)))
    for expected, found in kept:  # results outlive the next launch
        assert torch.equal(expected, found)


@pytest.mark.parametrize("shape", [(1, 300, 700, 64, 64), (8, 96, 1500, 256, 64)])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_attention_is_exact_on_a_gpu(
    shape: tuple[int, int, int, int, int], weighted: bool, dtype: torch.dtype
) -> None:
    count, wanted, given, width, wide = shape
    generator = torch.Generator().manual_seed(0)
    queries = torch.randn(count, wanted, width, generator=generator) / width**0.5
    keys = torch.randn(count, given, width, generator=generator)
    values = torch.randn(count, given, wide, generator=generator)
    bias = torch.randn(given, generator=generator) if weighted else None
    queries, keys, values = (one.to(dtype) for one in (queries, keys, values))
    exact = attend(*(one.double() for one in (queries, keys, values)), bias)
    there = (one.cuda() for one in (queries, keys, values))
    found = attend(*there, None if bias is None else bias.cuda()).cpu()
    error = (found.double() - exact).norm() / exact.norm()
    assert error < (1e-3 if dtype == torch.float32 else 2e-2)


@pytest.mark.full  # PyTorch's compiler takes a minute or more
def test_a_compiled_model_finds_the_same(phantom, on_cpu) -> None:
    found = segmented(phantom, "cuda", precision="bfloat16", compiled=True)
    assert dice(found, on_cpu) > 0.995
