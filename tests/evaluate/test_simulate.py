import numpy as np
import pytest

from voxtrail.core.axis import Axis
from voxtrail.core.volume import LabelMap
from voxtrail.errors import OptionError, PromptError
from voxtrail.evaluate import simulate
from voxtrail.evaluate.prompt_slices import Uniform


def places(prompts, label, axis=Axis.AXIAL):
    return [prompt.slice_index for prompt in prompts.of(label, axis)]


def test_each_label_is_outlined_on_its_own_slices(truth):
    prompts = simulate(truth)
    assert (places(prompts, 1), places(prompts, 2)) == ([4, 9, 14], [2, 3, 4])
    assert (prompts.names, prompts.stored) == (truth.names, truth.stored)


@pytest.mark.parametrize("axis", Axis)
def test_the_masks_are_the_truth_on_those_slices(truth, axis):
    prompts = simulate(truth, Uniform(4), axes=(axis,))
    assert prompts.prompts
    for prompt in prompts.prompts:
        expected = axis.to_stack(truth.voxels == prompt.label)[prompt.slice_index]
        np.testing.assert_array_equal(prompt.mask, expected)
        assert prompt.axis is axis
        assert prompt.mask.base is None


def test_several_axes_have_their_own_first_and_last(truth):
    prompts = simulate(truth, "first-last", axes=(Axis.AXIAL, Axis.SAGITTAL))
    # RAS+ from left-posterior-superior storage: the first axis counts from its other end.
    assert places(prompts, 1, Axis.SAGITTAL) == [20 - 12, 19 - 3]
    assert places(prompts, 1, Axis.AXIAL) == [4, 14]
    assert len(prompts.prompts) == 8


def test_only_the_labels_that_are_asked_for(truth):
    prompts = simulate(truth, "middle", labels=[2])
    assert (prompts.labels(), prompts.names) == ((2,), {2: "rib_left_7"})


def test_a_label_that_is_absent_is_refused(truth):
    with pytest.raises(PromptError, match=r"received: 5; .*hip_left, rib_left_7"):
        simulate(truth, labels=[1, 5])


def test_an_empty_label_map_is_refused(truth):
    with pytest.raises(PromptError, match="no label to outline"):
        simulate(LabelMap(np.zeros_like(truth.voxels), truth.stored))


def test_an_unknown_choice_of_slices_is_refused(truth):
    with pytest.raises(OptionError, match="first-middle-last"):
        simulate(truth, "all")
