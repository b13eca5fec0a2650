"""What a model's memory has room for: all that a policy needs to know of the model."""

from __future__ import annotations

from dataclasses import dataclass

from voxtrail.errors import OptionError


@dataclass(frozen=True)
class MemorySpec:
    """The room in a model's memory, as it was trained. By default that of SAM 2 and 2.1.

    Parameters
    ----------
    recent_embeddings
        Number of temporal embeddings for slices tracked before: 0 for the most recent to the
        last for the oldest.
    prompt_embedding
        The temporal embedding that prompted slices take.
    max_pointers
        How many object pointers are attended to, and how far back they are looked for.
    max_prompts
        How many prompted slices are attended to at most; None for all of them.

    Notes
    -----
    Source: ``num_maskmem``, ``max_obj_ptrs_in_encoder`` and ``max_cond_frames_in_attn`` of
    ``sam2.modeling.sam2_base.SAM2Base``. Each model says its own: `voxtrail.model.families`.
    """

    recent_embeddings: int = 6
    prompt_embedding: int = 6
    max_pointers: int = 16
    max_prompts: int | None = None

    def farthest_pointer(self, num_slices: int) -> int:
        """Return the greatest distance of a pointer, by which distances are divided.

        A short stack has a smaller one, as the reference does it.
        """
        return min(num_slices, self.max_pointers) - 1

    def check_slots(self, policy: str, k: int, fewest: int) -> None:
        """Refuse a number of tracked slices for which there are no embeddings.

        Raises
        ------
        OptionError
            Naming the policy, its ``k`` and the ``fewest`` that it takes.
        """
        if k > self.recent_embeddings:
            raise OptionError(
                f"k of the memory {policy} is more than the model has embeddings for",
                received=k,
                accepted=f"{fewest} to {self.recent_embeddings}",
                remedy=f"write for example {policy}:k={self.recent_embeddings}",
            )


#: That of SAM 2 and 2.1 in every published size.
SAM2_MEMORY = MemorySpec()
