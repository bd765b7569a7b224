"""What the tests of a diagnosis say: sentences, numbers and curves, as plain data. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

# What can be to blame. "self-consistency" is blamed where none of the others explains a failure.
Cause = Literal["basis", "model", "k points", "vacuum", "self-consistency"]
# All tests, in the order in which they are done and shown.
# The cheap ones come first.
TESTS = (
    "exact conditions",
    "self-consistency",
    "extrapolation",
    "ingredients",
    "profile",
    "vacuum",
    "basis",
    "superposition",
    "k points",
)
CAUSES: tuple[Cause, ...] = ("basis", "model", "k points", "vacuum", "self-consistency")


@dataclass(frozen=True)
class Curve:
    """Points of a plot.

    Attributes:
        name: The name in the legend.
        x: The places.
        y: The values, as many.
        kind: How they are drawn.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    kind: Literal["line", "points", "steps"] = "line"


@dataclass(frozen=True)
class Plot:
    """Curves that share their axes.

    Attributes:
        title: What is seen.
        x_label: The quantity along x, and its unit.
        y_label: The quantity along y, and its unit.
        curves: The curves to draw.
        logarithmic: The axes with a logarithmic scale: ``""``, ``"x"``, ``"y"`` or ``"xy"``.
        shaded: The range of x that stands out, such as the domain of training; a bound that is None lies outside the
            plot.
        shaded_name: What that range is.
    """

    title: str
    x_label: str
    y_label: str
    curves: Sequence[Curve]
    logarithmic: Literal["", "x", "y", "xy"] = ""
    shaded: tuple[float | None, float | None] | None = None
    shaded_name: str = ""


@dataclass(frozen=True)
class Table:
    """Words in rows.

    Attributes:
        title: What is seen.
        columns: The names of the columns.
        rows: The rows, each as long as there are columns.
        note: What a person should know to read it.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True)
class Finding:
    """What one test found.

    Attributes:
        test: The short name of the test.
        title: What was asked.
        sentence: The answer in words, with numbers.
        cause: What is to blame for it; None for what only informs.
        severity: The error that the cause makes, in units of what is tolerable; from 1 on it matters. None if it could
            not be measured.
        effect: What of the answer the cause changes, for a verdict, such as "the lattice constant by +1.9 %".
        numbers: The numbers by name, with the unit in the name; None where there is none.
        plots: The plots to look at.
        table: What the sentence is too short for; None if there is nothing.
    """

    test: str
    title: str
    sentence: str
    cause: Cause | None = None
    severity: float | None = 0.0
    effect: str = ""
    numbers: dict[str, Any] = field(default_factory=dict)
    plots: Sequence[Plot] = ()
    table: Table | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Finding:
        """The inverse of :meth:`to_dict`."""
        plots = [
            Plot(**plot | {"curves": [Curve(**curve) for curve in plot["curves"]]}) for plot in data.get("plots", ())
        ]
        table = data.get("table")
        return cls(**data | {"plots": plots, "table": table and Table(**table)})
