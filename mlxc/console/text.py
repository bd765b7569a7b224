"""What reports on results of several kinds are made of, as text for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlxc.basis.kinds import BASES

SPINS = ("up", "down")
# Levels within this of each other are the same, hartree.
SAME_LEVEL = 1e-6


def headline(calculation: dict[str, Any]) -> str:
    """The first line of a report: what was computed, from the settings as plain data."""
    mesh = " x ".join(map(str, calculation["kmesh"]))
    occupations = "fixed occupations"
    if calculation["smearing"] != "none":
        occupations = f"{calculation['smearing']} smearing of {calculation['width_ha']:g} Ha"
    name = calculation["structure"]["name"]
    basis = BASES[calculation["basis"]].in_report(calculation)
    return f"{name}: {calculation['xc']}, {basis}, {mesh} k points, {occupations}"


def levels_of_spins(summary: Mapping[str, Any]) -> list[tuple[str, float]]:
    """The name and the Fermi level, hartree, of each spin that has electrons; empty where one level serves both."""
    told = zip(SPINS, summary.get("fermi_levels_ha") or (), strict=False)
    levels = [(spin, level) for spin, level in told if level is not None]
    differ = len(levels) == 2 and abs(levels[0][1] - levels[1][1]) > SAME_LEVEL
    return levels if differ else []


def row(label: str, value: str) -> str:
    """A line with a label and a value."""
    return f"  {label:27} {value}"


def number(value: float | None, form: str) -> str:
    """A number, or a dash where there is none."""
    return "-" if value is None else format(value, form)


def vector(components: list[float], digits: int) -> str:
    """Numbers side by side."""
    # Adding zero makes a zero of what rounds to minus zero.
    return "  ".join(f"{round(x, digits) + 0.0:10.{digits}f}" for x in components)


def columns(rows: list[list[str]]) -> list[str]:
    """Lines of a table whose columns are as wide as what is in them."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def remark(summary: Mapping[str, Any]) -> list[str]:
    """What a person should know of a result that has converged, as the last lines of its report; none if nothing."""
    return ["", summary["message"]] if summary["converged"] and summary["message"] else []
