"""What the model says of its memory reaches the policy, the pointers and their distances."""

from __future__ import annotations

import pytest

from tests.propagate.test_propagator import NotingModel, run
from voxtrail.core.memory_spec import MemorySpec
from voxtrail.errors import OptionError


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the model two embeddings for tracked slices, and pointers from two slices back."""
    monkeypatch.setattr(NotingModel, "memory_spec", MemorySpec(2, 2, max_pointers=3))


def test_pointers_reach_as_far_back_as_the_model_looks() -> None:
    model, _ = run([0.60, 0.61, 0.62, 0.63], prompted=[0])
    # of outlined slices however far back; distances are divided by 2, the farthest that counts
    assert model.tracked == [
        (0.61, [0.6], [0.5]),
        (0.62, [0.6, 0.61], [1.0, 0.5]),
        (0.63, [0.6, 0.62, 0.61], [1.5, 0.5, 1.0]),
    ]


def test_a_policy_that_asks_for_more_is_refused_before_any_work() -> None:
    with pytest.raises(OptionError, match="embeddings") as caught:
        run([0.6] * 4, prompted=[0], memory="recent:k=3")
    assert caught.value.accepted == "0 to 2"
