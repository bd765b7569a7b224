"""Settings in words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from mlxc.basis.kind import Size
from mlxc.calculation.calculation import Calculation
from mlxc.calculation.duration import (
    SCFS_PER_EQUATION_OF_STATE,
    estimate_seconds,
    memory_in_words,
    seconds_in_words,
)
from mlxc.calculation.feasibility import check_calculation
from mlxc.errors import InputError
from mlxc.xc.catalogue import functional_names
from mlxc.xc.checkpoints.files import CLAMPED, checkpoint_of, unclamped
from mlxc.xc.checkpoints.record import SUFFIX, CheckpointRecord

# What is said wherever there are error bars, or bands.
WHAT_A_BAR_IS = "one standard deviation over the functional's ensemble; two of three errors should be smaller."


def without_folders(sentence: str, xc: str) -> str:
    """A sentence about a functional without the folders of its checkpoint files, which are the server's."""
    for word in map(unclamped, re.split(r"[\s*]+", xc)):
        sentence = sentence.replace(word, PurePath(word).name) if "/" in word else sentence
    return sentence


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
        return FunctionalDescription(title, without_folders(str(error), name), None)
    meaning = record.description if record else functional_names().get(name, "")
    if name.startswith(CLAMPED):
        meaning = f"Held inside the domain of its training. Without that: {meaning}"
    return FunctionalDescription(title, meaning, record)


def size_sentence(size: Size, calculation: Calculation) -> str:
    """How large a run is."""
    return (
        f"{size.electrons} valence electrons in the cell, {size.irreducible_kpoints} k points after symmetry, "
        f"about {size.functions} {calculation.basis_kind.functions} for each."
    )


def curves_estimate(calculations: Iterable[Calculation]) -> str:
    """How long equations of state take that are computed one after the other, in a phrase.

    Args:
        calculations: The calculation of each at one volume.

    Raises:
        InputError: one of them cannot be computed.
    """
    return f"{seconds_in_words(sum(_curve_seconds(one, check_calculation(one)) for one in calculations))} on two cores"


def _curve_seconds(calculation: Calculation, size: Size) -> float:
    return SCFS_PER_EQUATION_OF_STATE * estimate_seconds(calculation, size)


def estimate_sentence(size: Size, calculation: Calculation) -> str:
    """How long it takes and how much memory."""
    run = seconds_in_words(estimate_seconds(calculation, size))
    curve = seconds_in_words(_curve_seconds(calculation, size))
    memory = memory_in_words(size.memory_gb)
    return f"Run {run}, equation of state {curve} on two cores; {memory} of memory."
