"""Exported graphs agree with PyTorch, call by call and over a whole stack."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.parity import reference
from tests.parity.reference import mask_prompt
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import BoxPrompt, MaskPrompt, PointPrompt
from voxtrail.errors import OptionError, OutputError, WeightsError
from voxtrail.export import export
from voxtrail.model.base import LoadedModel, SlicePrediction, Tracking
from voxtrail.model.exported import DESCRIPTION, GRAPHS, ExportedModel
from voxtrail.model.loading import load
from voxtrail.model.resize import bilinear, bilinear_antialiased
from voxtrail.model.shortcuts import Shortcuts
from voxtrail.model.weights import load_model

BOUND = 1e-4
#: What a memory's last bit changes in logits, of their greatest magnitude.
ROUNDED = 2e-3
SLICES = reference.slices(9, (48, 56))
RUNTIMES = ("onnx", "openvino")


@pytest.fixture(scope="module")
def torch_nano(nano: Path) -> LoadedModel:
    return load_model(str(nano), device="cpu")


@pytest.fixture(scope="module", params=RUNTIMES)
def exported(exported_nano: Path, request: pytest.FixtureRequest) -> LoadedModel:
    return load(str(exported_nano), runtime=request.param)


def error(ours, theirs) -> float:
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    return float(np.abs(ours - theirs).max() / max(np.abs(theirs).max(), 1e-12))


def assert_steps_alike(ours: SlicePrediction, theirs: SlicePrediction) -> None:
    assert error(ours.logits, theirs.logits) <= BOUND
    assert error(ours.pointer, theirs.pointer) <= BOUND
    assert float(ours.predicted_iou) == pytest.approx(float(theirs.predicted_iou), abs=BOUND)
    assert float(ours.object_score) == pytest.approx(
        float(theirs.object_score), rel=BOUND, abs=BOUND
    )
    assert ours.prompted == theirs.prompted
    # pixels at the edge may fall either way
    assert float(ours.area) == pytest.approx(float(theirs.area), abs=0.01)


def test_graphs_use_standard_operators_only(exported_nano: Path) -> None:
    for name in GRAPHS:
        graph = onnx.load(exported_nano / f"{name}.onnx")
        onnx.checker.check_model(graph, full_check=True)
        assert {node.domain for node in graph.graph.node} == {""}, name
        assert {one.domain for one in graph.opset_import if one.version} <= {""}, name


@pytest.mark.parametrize("count", [1, 3])
def test_encode(exported: LoadedModel, torch_nano: LoadedModel, count: int) -> None:
    ours, theirs = exported.model.encode(SLICES[:count]), torch_nano.model.encode(SLICES[:count])
    for one, other in zip(ours, theirs, strict=True):
        packed, wanted = exported.model.pack(one), torch_nano.model.pack(other)
        for name, array in packed.items():
            assert error(array, wanted[name]) <= BOUND


PROMPTS = {
    "mask": MaskPrompt(1, Axis.AXIAL, 0, reference.disc(0, (48, 56))),
    "empty mask": MaskPrompt(1, Axis.AXIAL, 0, np.zeros((48, 56), bool)),
    "box": BoxPrompt(1, Axis.AXIAL, 0, (10.0, 12.0, 30.0, 40.0)),
    "click": PointPrompt(1, Axis.AXIAL, 0, ((20.0, 25.0),), (True,)),
    "clicks": PointPrompt(1, Axis.AXIAL, 0, ((20.0, 25.0), (3.0, 4.0)), (True, False)),
}


@pytest.mark.parametrize("kind", PROMPTS)
def test_prompt_and_memorise(exported: LoadedModel, torch_nano: LoadedModel, kind: str) -> None:
    prompt, shape = PROMPTS[kind], (48, 56)
    (ours,), (theirs,) = exported.model.encode(SLICES[:1]), torch_nano.model.encode(SLICES[:1])
    found, wanted = (
        model.model.prompt(features, [prompt], shape)
        for model, features in ((exported, ours), (torch_nano, theirs))
    )
    assert_steps_alike(found, wanted)
    (memory,) = exported.model.memorise([ours], [found])
    (other,) = torch_nano.model.memorise([theirs], [wanted])
    bits = np.asarray(memory, np.uint32) << 16
    # both are rounded to bfloat16, whose last bit may fall either way
    assert error(bits.view(np.float32), other.float().numpy()) <= 2**-7
    assert (
        error(exported.model.masks([found], shape), torch_nano.model.masks([wanted], shape))
        <= BOUND
    )


@pytest.mark.parametrize(("memories", "pointers", "labels"), [(1, 1, 1), (4, 3, 2), (9, 16, 1)])
def test_track(
    exported: LoadedModel, torch_nano: LoadedModel, memories: int, pointers: int, labels: int
) -> None:
    # as many of each as a policy may ask for, several labels on one slice
    steps = []
    for loaded in (exported, torch_nano):
        model = loaded.model
        (features,) = model.encode(SLICES[:1])
        prompted = [model.prompt(features, [PROMPTS[kind]], (48, 56)) for kind in ("mask", "box")]
        kept = model.memorise([features] * 2, prompted)
        trackings = [
            Tracking(
                features,
                tuple((kept[(i + label) % 2], i % 7) for i in range(memories)),
                tuple((prompted[(i + label) % 2].pointer, i / 16) for i in range(pointers)),
            )
            for label in range(labels)
        ]
        steps.append(model.track(trackings))
    for ours, theirs in zip(*steps, strict=True):
        assert_steps_alike(ours, theirs)
        # pixels at the edge of a box may fall either way
        assert float(ours.agreement) == pytest.approx(float(theirs.agreement), abs=0.05)


def test_memories_are_as_alike_as_in_pytorch(
    exported: LoadedModel, torch_nano: LoadedModel
) -> None:
    found = []
    for model in (exported.model, torch_nano.model):
        features = model.encode(SLICES[:3])
        drawn = [model.prompt(one, [PROMPTS["mask"]], (48, 56)) for one in features]
        first, *others = model.memorise(features, drawn)
        found.append([float(one) for one in model.likeness(first, [first, *others])])
    assert found[0] == pytest.approx(found[1], abs=1e-3)
    assert found[1][0] == pytest.approx(1, abs=1e-6)
    assert max(found[1][1:]) < 0.9999


#: Clicks and a box beside what they correct.
CORRECTIONS = {
    "box and click": ("box", "click"),
    "outline and clicks": ("mask", "clicks"),
    "clicks": ("clicks",),
    "click": ("click",),
}


@pytest.mark.parametrize("tracked", [False, True])
@pytest.mark.parametrize("kinds", CORRECTIONS.values(), ids=CORRECTIONS)
def test_clicks_correct(
    exported: LoadedModel, torch_nano: LoadedModel, kinds: tuple[str, ...], tracked: bool
) -> None:
    # the mask of the box is corrected, on a slice that attends to an outlined one or to nothing
    found, started_over = [], []
    for loaded in (exported, torch_nano):
        model = loaded.model
        features, other = model.encode(SLICES[:2])
        outlined = model.prompt(other, [PROMPTS["mask"]], (48, 56))
        (memory,) = model.memorise([other], [outlined])
        tracking = Tracking(features, ((memory, 6),), ((outlined.pointer, 0.5),))
        before = model.prompt(features, [PROMPTS["box"]], (48, 56))
        prompts = [PROMPTS[kind] for kind in kinds]
        found.append(
            model.prompt(
                features,
                prompts,
                (48, 56),
                previous=None if "mask" in kinds else before,
                tracking=tracking if tracked else None,
            )
        )
        clicks = [one for one in prompts if not isinstance(one, MaskPrompt)]
        started_over.append(model.prompt(features, clicks, (48, 56)))
    assert_steps_alike(*found)
    assert error(started_over[1].logits, found[1].logits) >= 100 * BOUND


def assert_same_stack(ours: LoadedModel, theirs: LoadedModel) -> None:
    case = reference.Case({1: tuple(mask_prompt(i) for i in (0, 4, 8)), 2: (mask_prompt(0, 12),)})
    stack = reference.slices(9)
    found, wanted = (reference.run_voxtrail(one.model, stack, case) for one in (ours, theirs))
    for label, slices in wanted.items():
        for index, logits in slices.items():
            # Memories are rounded to bfloat16, whose last bit may fall either way, so pixels that
            # are neither in nor out may differ.
            assert error(found[label][index], logits) <= ROUNDED
            sure = np.abs(logits) > ROUNDED * np.abs(logits).max()
            assert ((found[label][index] > 0) == (logits > 0))[sure].all()


def test_masks_of_a_whole_stack_are_identical(
    exported: LoadedModel, torch_nano: LoadedModel
) -> None:
    assert_same_stack(exported, torch_nano)


def test_the_fastest_runtime_is_taken_and_named(exported_nano: Path) -> None:
    loaded = load(str(exported_nano))
    assert isinstance(loaded.model, ExportedModel)
    assert loaded.model.runtime == "openvino"
    assert load(str(exported_nano), runtime="onnx").model.fingerprint != loaded.model.fingerprint


def test_what_an_export_cannot_do_is_refused(exported_nano: Path, nano: Path) -> None:
    with pytest.raises(OptionError, match="export"):
        load(str(nano), runtime="onnx")
    with pytest.raises(OptionError, match="input size"):
        load(str(exported_nano), resolution=128)
    with pytest.raises(OptionError, match="torch"):
        load(str(exported_nano), runtime="torch")
    with pytest.raises(OptionError, match="shortcut"):
        load(str(exported_nano), runtime="openvino", shortcuts=Shortcuts(coarse_memories=True))
    with pytest.raises(OptionError, match="shortcut"):
        load(str(exported_nano), runtime="onnx", shortcuts=Shortcuts("bfloat16"))


def test_an_existing_folder_is_kept(torch_nano: LoadedModel, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="free name"):
        export(torch_nano, tmp_path)


def test_only_exact_models_are_exported(nano: Path, tmp_path: Path) -> None:
    coarse = load_model(str(nano), device="cpu", shortcuts=Shortcuts(coarse_memories=True))
    with pytest.raises(OptionError, match="exact"):
        export(coarse, tmp_path / "coarse")


def test_a_damaged_description_is_refused(tmp_path: Path) -> None:
    (tmp_path / DESCRIPTION).write_text('{"format": "other"}')
    with pytest.raises(WeightsError, match="export the model again"):
        load(str(tmp_path))


@pytest.mark.parametrize("given", [(48, 56), (200, 31), (64, 64)])
@pytest.mark.parametrize("antialias", [False, True])
def test_resizing_is_pytorchs(given: tuple[int, int], antialias: bool) -> None:
    import torch

    images = np.random.default_rng(0).uniform(size=(2, *given)).astype(np.float32)
    ours = (bilinear_antialiased if antialias else bilinear)(images, (64, 80))
    theirs = torch.nn.functional.interpolate(
        torch.from_numpy(images)[:, None], (64, 80), mode="bilinear", antialias=antialias
    )
    np.testing.assert_allclose(ours, theirs[:, 0].numpy(), atol=1e-5)


@pytest.mark.full
@pytest.mark.parametrize("name", ["tiny", "small", "base-plus", "large", "micro"])
def test_every_size_is_exported(name: str, tmp_path: Path) -> None:
    if name == "micro":
        loaded = load_model("micro", resolution=128, device="cpu")
    else:
        weights = reference.save_official(reference.build_reference(name), tmp_path / "weights.pt")
        loaded = load_model(str(weights), resolution=reference.SIZE, device="cpu")
    export(loaded, tmp_path / "export")
    for runtime in RUNTIMES:
        assert_same_stack(load(str(tmp_path / "export"), runtime=runtime), loaded)
