"""How long a run will still take, from the fall of its density residual so far."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from math import log
from typing import Any

# The first steps of an SCF say little about the later ones.
STEPS = 5
FEW_SECONDS = 10


def seconds_left(iterations: Sequence[dict[str, Any]], target: float, points: int = 1) -> float | None:
    """Seconds until the last of ``points`` self-consistent calculations is done; None if that cannot be told yet.

    Args:
        iterations: The records of the steps so far, ``seconds`` counted from the start of each calculation.
        target: The residual at which a calculation ends.
        points: The number of calculations of an equation of state, of which the last in ``iterations`` is in hand.
    """
    done = [list(steps) for _, steps in groupby(iterations, key=lambda record: record.get("point"))]
    if not done:
        return None
    in_hand = _seconds_of_one(done[-1], target)
    lengths = [steps[-1]["seconds"] for steps in done[:-1]]
    if in_hand is None:
        return None
    typical = sum(lengths) / len(lengths) if lengths else done[-1][-1]["seconds"] + in_hand
    return in_hand + typical * (points - len(done))


def _seconds_of_one(steps: Sequence[dict[str, Any]], target: float) -> float | None:
    """Seconds that one calculation still takes: the residual falls geometrically, its logarithm is a straight line."""
    first, last = steps[-STEPS:][0], steps[-1]
    if last["density_residual"] <= target:
        return 0.0
    fall = log(first["density_residual"] / last["density_residual"]) if last["density_residual"] > 0 else 0.0
    if fall <= 0 or last["seconds"] <= first["seconds"]:
        return None
    return log(last["density_residual"] / target) / fall * (last["seconds"] - first["seconds"])


def in_words(seconds: float) -> str:
    """A time in words, such as ``about 20 s left``."""
    if seconds < FEW_SECONDS:
        return "a few seconds left"
    if seconds < 90:
        return f"about {10 * round(seconds / 10)} s left"
    return f"about {round(seconds / 60)} min left"
