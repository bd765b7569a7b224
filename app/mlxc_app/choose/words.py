"""Settings in words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from mlxc.errors import InputError
from mlxc.xc.catalogue import functional_names
from mlxc.xc.checkpoints.files import checkpoint_of
from mlxc.xc.checkpoints.record import SUFFIX, CheckpointRecord


def functional_in_words(xc: str) -> str:
    """The functional without the folders of checkpoint files, which say nothing to a person."""
    return " ".join(PurePath(word).stem if word.endswith(SUFFIX) else word for word in xc.split())


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
    title = PurePath(name).stem if name.endswith(SUFFIX) else name
    try:
        record = checkpoint_of(name)
    except InputError as error:
        return FunctionalDescription(title, str(error), None)
    meaning = record.description if record else functional_names().get(name, "")
    return FunctionalDescription(title, meaning, record)
