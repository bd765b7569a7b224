"""Why a density converges slowly, in words, and what to try instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, inf, log
from typing import Any

from mlxc.calculation.calculation import Calculation

# As many steps are judged together: single ones go up and down.
WINDOW = 4
# A residual that loses less than this in each step is slow: a decade takes more than four steps.
SLOW_FACTOR = 0.6
# One that loses less than this has stopped falling.
STUCK_FACTOR = 0.97
# Share of the residual in the longest waves from which they are to blame.
LONG_WAVES_SHARE = 0.5
# A moment that changes by more than this within a window swings, Bohr magneton.
SWING = 0.05
WIDEST_HA = 0.05
FIRST_WIDTH_HA = 0.01


@dataclass(frozen=True)
class Suggestion:
    """Something to try instead.

    Attributes:
        label: What it is, short.
        changes: The changes of the choices that a person makes, see :class:`~mlxc_app.choose.model.ChooseModel`.
    """

    label: str
    changes: Mapping[str, Any]


@dataclass(frozen=True)
class Advice:
    """What is wrong; empty when all is well.

    Attributes:
        sentence: How the residual falls, and why.
        suggestions: What to try.
    """

    sentence: str = ""
    suggestions: tuple[Suggestion, ...] = field(default=())


def advise(records: Sequence[Mapping[str, Any]], calculation: Calculation, ended: bool) -> Advice:
    """Judge the steps of one SCF.

    Args:
        records: The records of its steps so far.
        calculation: The calculation that is computed.
        ended: Whether there will be no more steps.
    """
    residuals = [record["density_residual"] for record in records]
    if len(residuals) < 2 * WINDOW or residuals[-1] <= calculation.tolerance:
        return Advice()
    factor = (min(residuals[-WINDOW:]) / min(residuals[-2 * WINDOW : -WINDOW])) ** (1 / WINDOW)
    if factor < SLOW_FACTOR and not ended:
        return Advice()
    missing = ceil(log(calculation.tolerance / residuals[-1]) / log(factor)) if factor < STUCK_FACTOR else inf
    sentence = f"{_pace(missing, factor)} {_cause(records, calculation, factor)}"
    return Advice(sentence, tuple(_suggestions(calculation, len(records) + missing)))


def _pace(missing: float, factor: float) -> str:
    if missing == inf:
        return "The density residual no longer falls."
    how = "The density residual falls slowly" if factor >= SLOW_FACTOR else "The density residual was still falling"
    return f"{how}: at this pace about {missing:g} more steps are needed."


def _cause(records: Sequence[Mapping[str, Any]], calculation: Calculation, factor: float) -> str:
    last = records[-WINDOW:]
    moments = [record["magnetisation_bohr_magneton"] or 0.0 for record in last]
    shares = [record["residual_spectrum"][0] for record in last if record.get("residual_spectrum")]
    if max(moments) - min(moments) > SWING:
        return (
            f"The magnetic moment swings between {min(moments):.2f} and {max(moments):.2f} Bohr magneton: electrons "
            "change their spin in every step. A larger smearing width steadies it."
        ).replace("-", "−")
    if shares and min(shares) > LONG_WAVES_SHARE:
        return (
            "Waves longer than 10 bohr dominate what is left: charge sloshes from one end of the cell to the other. "
            "This is common in long cells of metals, and a larger smearing width damps it."
        )
    if factor < SLOW_FACTOR:
        return "Nothing is wrong: it only needs more steps."
    if calculation.smearing == "none":
        return "Without smearing, states that cross the Fermi level are filled and emptied at once."
    return "The change is within the atoms and bonds: states near the Fermi level are filled and emptied in turn."


def _suggestions(calculation: Calculation, needed_steps: float) -> list[Suggestion]:
    found = []
    if calculation.smearing == "none":
        words = f"Fermi-Dirac smearing of {FIRST_WIDTH_HA:g} Ha"
        found.append(Suggestion(words, {"smearing": "fermi-dirac", "width_ha": FIRST_WIDTH_HA}))
    elif (calculation.width_ha or 0) < WIDEST_HA:
        width = min(2 * (calculation.width_ha or 0), WIDEST_HA)
        found.append(Suggestion(f"Smearing width {width:g} Ha", {"width_ha": width}))
    if needed_steps > calculation.max_iterations:
        steps = 2 * calculation.max_iterations
        found.append(Suggestion(f"Up to {steps} steps", {"max_iterations": steps}))
    return found
