"""What of a functional a hand may move: one weight, or one direction of its ensemble. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlxc.errors import InputError

# How far a direction of an ensemble is followed to either side, standard deviations.
DEVIATIONS = 2.0


@dataclass(frozen=True)
class Move:
    """A line in the space of a functional's parameters, on which the functional itself is in the middle.

    Attributes:
        weight: The name of the parameter of which one number moves; empty for a direction.
        element: The index of that number, in the parameter as one row of numbers.
        direction: The number of the direction of the ensemble, counted from one; zero for a weight.
    """

    weight: str = ""
    element: int = 0
    direction: int = 0

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Move:
        """The line that a request names.

        Raises:
            InputError: it names none.
        """
        try:
            move = cls(**data)
        except TypeError:
            move = cls()
        if not (isinstance(move.weight, str) and isinstance(move.element, int) and isinstance(move.direction, int)):
            move = cls()
        if bool(move.weight) == (move.direction > 0) or move.element < 0:
            raise InputError("move: give a weight and its element, or a direction, which is counted from one.")
        return move


def weight_at(value: float, typical: float, place: float) -> float:
    """What a weight is at a place of its line, between -1 and 1.

    The ends are as far away as the weight is from zero, or as weights of its layer usually are, whichever is more.

    Args:
        value: The weight in the middle.
        typical: The root mean square of the numbers of its parameter.
        place: The place.
    """
    return value + place * (max(abs(value), typical) or 1.0)
