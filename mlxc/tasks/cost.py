"""What a task costs before it is run: how long it takes, and how much memory it needs. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from mlxc.calculation.duration import estimate_seconds, memory_in_words, seconds_in_words
from mlxc.calculation.feasibility import check_calculation
from mlxc.errors import InputError
from mlxc.tasks.kinds import kind_of
from mlxc.tasks.task import CrystalTask


@dataclass(frozen=True)
class Cost:
    """How much of a machine is asked for.

    Attributes:
        seconds: The time on two cores, as true as that of one SCF, see :mod:`mlxc.calculation.duration`.
        memory_gb: The memory of the largest calculation, gigabyte.
    """

    seconds: float
    memory_gb: float

    def in_words(self) -> str:
        """Time and memory in a phrase, such as ``about 5 s on two cores; less than 0.1 GB of memory``."""
        return f"{seconds_in_words(self.seconds)} on two cores; {memory_in_words(self.memory_gb)} of memory"


def cost_of(task: CrystalTask) -> Cost:
    """The cost of a task of which it is known what it consists of.

    Raises:
        InputError: nobody knows that before, or one of its calculations cannot be done here: a pseudopotential is
            missing, or there is not enough memory.
    """
    calculations = task.calculations()
    sizes = [check_calculation(calculation) for calculation in calculations]
    parts = kind_of(task).parts(task)
    if not parts.lengths:
        raise InputError(f"task: nobody knows how long a {kind_of(task).title} takes.")
    of_length_one = estimate_seconds(calculations[0], sizes[0]) / parts.lengths[0]
    return Cost(of_length_one * (sum(parts.lengths) + parts.after), max(size.memory_gb for size in sizes))
