"""Published files into checkpoints with what is known of them."""

from __future__ import annotations

from pathlib import Path

from mlxc.xc.checkpoints.convert import convert_checkpoint
from mlxc.xc.checkpoints.record import CheckpointRecord
from mlxc.xc.published.cards import CARDS
from mlxc.xc.published.sources import SOURCES

TRAINED_ON = "atoms and molecules, as told in"
NO_LICENCE = "none stated by the authors, not to be passed on"


def convert_published(name: str, source: Path, target: Path) -> CheckpointRecord:
    """Write the weights in a published file, or in a folder of such files, as a checkpoint.

    Args:
        name: One of :data:`~mlxc.xc.published.sources.SOURCES`, also the name of the form.
        source: The file or folder.
        target: The checkpoint to write.

    Raises:
        InputError: the file is damaged or holds something else.
    """
    card, origin = CARDS[name], SOURCES[name]
    licence = f"{origin.licence} (text in licences/{origin.licence_file})" if origin.licence else NO_LICENCE
    return convert_checkpoint(
        source,
        target,
        name,
        {},
        name=name,
        description=card.summary,
        baseline=origin.baseline,
        training_data=f"{TRAINED_ON} {card.citation}",
        licence=f"{licence}; converted from {origin.repository}, commit {origin.commit}",
    )
