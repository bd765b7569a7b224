"""What the tests of a diagnosis say: sentences, numbers and curves, as plain data. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

# What can be to blame. "self-consistency" is blamed where none of the others explains a failure.
Cause = Literal["basis", "model", "k points", "vacuum", "self-consistency"]
# All tests, in the order in which they are done and shown.
TESTS = (
    "self-consistency",
    "extrapolation",
    "ingredients",
    "profile",
    "exact conditions",
    "k points",
    "vacuum",
    "basis",
    "superposition",
)
CAUSES: tuple[Cause, ...] = ("basis", "model", "k points", "vacuum", "self-consistency")


@dataclass(frozen=True)
class Curve:
    """Points of a plot.

    Attributes:
        name: for the legend.
        x: places.
        y: values, as many.
        kind: how they are drawn.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    kind: Literal["line", "points", "steps"] = "line"


@dataclass(frozen=True)
class Plot:
    """Curves that share their axes.

    Attributes:
        title: what is seen.
        x_label: quantity and unit.
        y_label: quantity and unit.
        curves: to draw.
        logarithmic: axes with a logarithmic scale: ``""``, ``"x"``, ``"y"`` or ``"xy"``.
        shaded: range of x that stands out, such as the domain of training; a bound that is None lies outside the plot.
        shaded_name: what that range is.
    """

    title: str
    x_label: str
    y_label: str
    curves: Sequence[Curve]
    logarithmic: Literal["", "x", "y", "xy"] = ""
    shaded: tuple[float | None, float | None] | None = None
    shaded_name: str = ""


@dataclass(frozen=True)
class Finding:
    """What one test found.

    Attributes:
        test: short name of the test.
        title: what was asked.
        sentence: the answer in words, with numbers.
        cause: what is to blame for it; None for what only informs.
        severity: the error that the cause makes, in units of what is tolerable; from 1 on it matters.
        effect: what of the answer the cause changes, for a verdict, such as "the lattice constant by +1.9 %".
        numbers: by name, with the unit in the name; None where there is none.
        plots: to look at.
    """

    test: str
    title: str
    sentence: str
    cause: Cause | None = None
    severity: float = 0.0
    effect: str = ""
    numbers: dict[str, Any] = field(default_factory=dict)
    plots: Sequence[Plot] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Finding:
        """The inverse of :meth:`to_dict`."""
        plots = [
            Plot(**plot | {"curves": [Curve(**curve) for curve in plot["curves"]]}) for plot in data.get("plots", ())
        ]
        return cls(**data | {"plots": plots})
