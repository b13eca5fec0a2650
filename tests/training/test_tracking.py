"""What is trained is what runs: features, memories and masks are those of `voxtrail.model`."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from training.architecture import Architecture, new_model
from training.tracking import (
    Bank,
    SlicePrompt,
    attend,
    chosen,
    coarsened,
    encode,
    read_outline,
    remember,
    segment,
    to_pixels,
)
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt
from voxtrail.memory import Query, parse_policy
from voxtrail.model.families.sam2 import Sam2Family, sam2_model
from voxtrail.propagate.bank import MemoryBank

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

SIZE, SLICES = 64, 7


def test_a_drawn_mask_loses_what_a_quarter_of_the_side_cannot_hold() -> None:
    mask = torch.zeros(1, SIZE, SIZE)
    mask[0, 8:40, 16:48] = 1
    mask[0, 60, 60] = 1
    held = coarsened(mask)
    assert held[0, 60, 60] == 0
    assert (held - mask).abs().sum() < 0.1 * mask.sum()


@pytest.mark.parametrize("memory", ["intelligent", "recent:k=6", "gate:k=2"])
@torch.no_grad()
def test_a_pass_gives_the_packages_own_masks(memory: str) -> None:
    rng = np.random.default_rng(0)
    network = new_model(Architecture(width=16, blocks=(1, 1, 2, 1), channels=64), SIZE, 3).eval()
    network.mask_decoder.pred_obj_score_head.proj_out.bias.fill_(5.0)  # something is always there
    package = sam2_model(network, Sam2Family().spec)
    slices = rng.random((SLICES, SIZE, SIZE)).astype(np.float32)
    outlines = {0: np.zeros((SIZE, SIZE), bool), 5: np.zeros((SIZE, SIZE), bool)}
    outlines[0][10:40, 12:36] = True
    outlines[5][16:44, 20:48] = True
    policy = parse_policy("near:tau=0.5", memory)

    theirs = MemoryBank(policy, package)
    features = package.encode(slices)
    for at, outline in outlines.items():
        prompt = MaskPrompt(1, Axis.AXIAL, at, outline)
        prediction = package.prompt(features[at], [prompt], (SIZE, SIZE))
        theirs.note(at, prediction, str(at))
        theirs.keep(at, package.memorise([features[at]], [prediction])[0])

    ours = Bank(SLICES, policy)
    pixels = to_pixels(torch.from_numpy(slices))
    encoded = [encode(network, pixels[i : i + 1]) for i in range(SLICES)]
    torch.testing.assert_close(encoded[2].coarse[0], features[2].image_embedding)
    for at, outline in outlines.items():
        memory_of_it = read_outline(network, encoded[at], torch.from_numpy(outline)[None].float())
        ours.keep(at, memory_of_it, None, prompted=True)

    for at in (1, 2, 3, 4, 6):
        recalled = theirs.recall(Query(at, 1, SLICES, package.memory_spec))
        expected = package.track([recalled.on(features[at])])[0]
        theirs.note(at, expected, str(at))
        theirs.keep(at, package.memorise([features[at]], [expected])[0])

        coarse = attend(network, encoded[at], at, ours)
        prediction, tokens = segment(network, encoded[at], coarse, SlicePrompt(), tracked=True)
        logits, _ = chosen(prediction, tokens)
        ours.keep(at, remember(network, encoded[at], prediction, tokens), prediction, False)
        # The package keeps memories in bfloat16.
        torch.testing.assert_close(logits[0], expected.logits, atol=0.05, rtol=0.05)
        assert float(prediction.iou.amax()) == pytest.approx(
            float(expected.predicted_iou), abs=0.02
        )
