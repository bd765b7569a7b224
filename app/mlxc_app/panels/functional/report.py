"""What a functional turns out to be when it is asked: its enhancement factor and the exact conditions it satisfies.

Asking needs PyTorch, so it happens in a process of its own, while the page goes on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import isfinite
from typing import Any

from mlxc_app.choose.own.command import answer_of


@dataclass(frozen=True)
class Constraint:
    """One exact condition; ``satisfied`` is None where it cannot be told."""

    name: str
    satisfied: bool | None
    detail: str
    source: str


@dataclass(frozen=True)
class Curve:
    """Enhancement factors along the reduced gradient; None where there is no finite number.

    Attributes:
        rs: The distance between electrons, bohr.
        alpha: The kind of bond.
        s: The reduced density gradients.
        f_xc: The factor of the functional at ``s``.
        f_xc_pbe: The factor of PBE at ``s``.
    """

    rs: float
    alpha: float
    s: tuple[float, ...]
    f_xc: tuple[float | None, ...]
    f_xc_pbe: tuple[float | None, ...]


@dataclass(frozen=True)
class FunctionalReport:
    """The answers of one functional."""

    constraints: tuple[Constraint, ...]
    curves: tuple[Curve, ...]

    @classmethod
    def from_json(cls, text: str) -> FunctionalReport:
        """Read what ``mlxc checkpoint verify --json`` prints."""
        data: dict[str, Any] = json.loads(text)
        constraints = tuple(
            Constraint(entry["name"], entry["satisfied"], entry["detail"], entry["source"])
            for entry in data["constraints"]
        )
        curves = tuple(
            Curve(entry["rs"], entry["alpha"], tuple(entry["s"]), _finite(entry["f_xc"]), _finite(entry["f_xc_pbe"]))
            for entry in data["curves"]
        )
        return cls(constraints, curves)


def _finite(values: list[float]) -> tuple[float | None, ...]:
    """A browser's JSON knows no NaN."""
    return tuple(value if isfinite(value) else None for value in values)


async def check_functional(name: str) -> FunctionalReport:
    """Ask a functional, see :func:`~mlxc_app.choose.own.command.answer_of`.

    Raises:
        NoAnswerError: with one sentence that says why there is no answer.
    """
    return FunctionalReport.from_json(await answer_of("checkpoint", "verify", name, "--json"))
