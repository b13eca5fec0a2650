"""The models that have a name, and where their weights come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

#: Where the checkpoints that come with voxtrail lie.
BUNDLED = Path(__file__).parent / "bundled"


@dataclass(frozen=True)
class CatalogueEntry:
    """A named model.

    Parameters
    ----------
    name
        What ``--model`` calls it.
    repository
        Its repository on the Hugging Face hub, or None where the weights are bundled.
    licence
        Licence of the weights.
    about
        One line about it.
    filename
        The official-layout file in the repository; None where it holds safetensors.
    input_size
        Side of the input in pixels where it is not the checkpoint's own configuration.
    family
        Its family; see `voxtrail.model.families`.
    """

    name: str
    repository: str | None
    licence: str
    about: str
    filename: str | None = None
    input_size: int | None = None
    family: str = "sam2"

    @property
    def folder(self) -> Path | None:
        """The bundled folder, where there is one."""
        return BUNDLED / self.name if self.repository is None else None


def _published(size: str, version: str) -> CatalogueEntry:
    infix = "2.1" if version == "2.1" else "2"
    return CatalogueEntry(
        name=size if version == "2.1" else f"{size}-2.0",
        repository=f"facebook/sam{infix}-hiera-{size}",
        licence="Apache-2.0",
        about=f"SAM {version} Hiera {size}",
    )


CATALOGUE: dict[str, CatalogueEntry] = {
    entry.name: entry
    for entry in (
        CatalogueEntry(
            name="micro",
            repository=None,
            licence="Apache-2.0",
            about="bundled; SAM 2's architecture reduced, trained on procedural shapes; not SAM 2",
        ),
        *(_published(size, "2.1") for size in ("tiny", "small", "base-plus", "large")),
        *(_published(size, "2.0") for size in ("tiny", "small", "base-plus", "large")),
        CatalogueEntry(
            name="medsam2",
            repository="wanglab/MedSAM2",
            licence="see its repository: research and education only",
            about="SAM 2.1 tiny fine-tuned on medical volumes (not zero-shot)",
            filename="MedSAM2_latest.pt",
            input_size=512,
        ),
        CatalogueEntry(
            name="edgetam",
            repository="yonigozlan/EdgeTAM-hf",
            licence="Apache-2.0",
            about="EdgeTAM: SAM 2 with a small encoder and memories of 512 tokens",
            family="edgetam",
        ),
        CatalogueEntry(
            name="sam3-tracker",
            repository="facebook/sam3",
            licence="SAM License; access on request",
            about="the tracker of SAM 3",
            family="sam3-tracker",
        ),
    )
}
