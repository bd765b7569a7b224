"""Settings in words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from mlxc.errors import InputError
from mlxc.xc.catalogue import functional_names
from mlxc.xc.checkpoints.files import CLAMPED, checkpoint_of, unclamped
from mlxc.xc.checkpoints.record import SUFFIX, CheckpointRecord


def functional_in_words(xc: str) -> str:
    """The functional without the folders of checkpoint files, which say nothing to a person."""
    return " ".join(_without_folders(word) for word in xc.split())


def _without_folders(name: str) -> str:
    prefix = CLAMPED if name.startswith(CLAMPED) else ""
    return prefix + PurePath(unclamped(name)).stem if name.endswith(SUFFIX) else name


@dataclass(frozen=True)
class FunctionalDescription:
    """A functional in words.

    Attributes:
        title: How it is called on the page.
        meaning: What it is, in one line.
        record: The record of a checkpoint; None for other functionals.
    """

    title: str
    meaning: str
    record: CheckpointRecord | None


def describe(name: str) -> FunctionalDescription:
    """What can be said of a functional without PyTorch, or why its file cannot be read any more."""
    title = _without_folders(name)
    try:
        record = checkpoint_of(name)
    except InputError as error:
        return FunctionalDescription(title, str(error), None)
    meaning = record.description if record else functional_names().get(name, "")
    if name.startswith(CLAMPED):
        meaning = f"Held inside the domain of its training, beyond which it guesses: {meaning}"
    return FunctionalDescription(title, meaning, record)
