"""What functionals give on many solids, as plain data: columns of numbers with words about each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlxc.solids.error_statistics import STATISTICS
from mlxc_app.choose.words import without_folders
from mlxc_app.widgets.typeset import typeset

# Where less of the electrons than this are outside of what a functional has seen, nothing is said of it.
NOTICEABLE_SHARE = 0.01


@dataclass(frozen=True)
class Quantity:
    """Something that functionals are judged by.

    Attributes:
        name: Its name in a row.
        label: What it is called.
        unit: Its unit in a row's field.
        shown_unit: Its unit as it is printed.
        digits: The decimals of a value.
        error_digits: The decimals of an error in percent.
        limit: The error at which colours are full, percent: the same for all functionals, at all times.
    """

    name: str
    label: str
    unit: str
    shown_unit: str
    digits: int
    error_digits: int
    limit: float

    @property
    def field(self) -> str:
        """The field of a row, and the name of the reference."""
        return f"{self.name}_{self.unit}"

    @property
    def deviation_field(self) -> str:
        """The field of a row with the standard deviation."""
        return f"{self.name}_standard_deviation_{self.unit}"


QUANTITIES = {
    quantity.name: quantity
    for quantity in (
        Quantity("lattice_constant", "Lattice constant", "ang", "Å", 3, 2, 3.0),
        Quantity("bulk_modulus", "Bulk modulus", "gpa", "GPa", 1, 1, 30.0),
        Quantity("cohesive_energy", "Cohesive energy", "ev", "eV per atom", 2, 1, 20.0),
    )
}


@dataclass(frozen=True)
class Column:
    """What one functional gives.

    Attributes:
        name: Its name, by which it is asked for.
        label: What it is called on the page.
        rows: What it gives by solid, as far as it is known, see :class:`~mlxc.frozen.screening_row.ScreeningRow`.
        summary: Statistics of the errors by quantity; empty until all rows are there.
        curve: F_xc along s; empty until all rows are there.
        problem: Why there is nothing.
        calibration: How many errors lie within its error bars, see
            :func:`~mlxc.frozen.uncertainty.calibrated.calibration`; empty where it has none, or not yet.
    """

    name: str
    label: str
    rows: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    summary: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    curve: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    calibration: Mapping[str, Any] = field(default_factory=dict)

    def told(self, answer: Mapping[str, Any]) -> Column:
        """The column with what the bench has answered."""
        rows = {**self.rows, **{row["solid"]: row for row in answer.get("rows", ())}}
        return Column(
            self.name,
            self.label,
            rows,
            answer.get("summary", self.summary),
            answer.get("curve", self.curve),
            without_folders(answer.get("error", self.problem), self.name),
            answer.get("calibration", self.calibration),
        )


def cell_content(
    column: Column, solid: Mapping[str, Any], quantity: Quantity, confirmed: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What a cell of the table shows, for the browser.

    Args:
        column: The functional.
        solid: The solid's name and references.
        quantity: What is shown.
        confirmed: What a self-consistent calculation has found, by field; None without one.

    Returns:
        ``error`` in percent, null where there is none; ``bar``, its standard deviation, and ``spread``, that as text;
        ``text``; ``words`` for who points at it; ``outside``, whether the functional guesses there; ``confirmed``, the
        error of the self-consistent calculation as text.
    """
    row = column.rows.get(solid["name"])
    if row is None:
        return {"error": None, "text": "–" if column.problem else "…", "words": column.problem}
    error = row[f"{quantity.name}_error_percent"]
    share, digits = row["outside_domain_fraction"] or 0.0, quantity.error_digits
    measured = solid["references"].get(quantity.field)
    bar = _bar_percent(row, measured, quantity)
    found = None if confirmed is None else confirmed.get(quantity.field)
    return {
        "error": error,
        "bar": bar,
        "spread": "" if bar is None else f"±{bar:.{digits}f}",
        "text": (row.get("missing") or "no value") if row[quantity.field] is None else _signed(error, digits),
        "words": typeset("\n".join(_words(column, row, measured, quantity, found))),
        "outside": share > NOTICEABLE_SHARE,
        "confirmed": ""
        if found is None or not measured
        else _signed(100 * (found / measured - 1), quantity.error_digits),
    }


def _words(
    column: Column, row: Mapping[str, Any], measured: float | None, quantity: Quantity, confirmed: float | None
) -> list[str]:
    """Lines about a cell."""
    lines = [f"{solid_label(row['solid'])}, {column.label}"]
    value, deviation = row[quantity.field], row.get(quantity.deviation_field)
    if value is not None:
        bar = "" if deviation is None else f" ± {deviation:.{quantity.digits}f}"
        lines.append(f"{quantity.label} {value:.{quantity.digits}f}{bar} {quantity.shown_unit} at frozen densities")
    if measured is not None:
        lines.append(f"Measured {measured:.{quantity.digits}f} {quantity.shown_unit}")
    if confirmed is not None:
        lines.append(f"Self-consistent {confirmed:.{quantity.digits}f} {quantity.shown_unit}")
    change = row.get("self_consistency_percent")
    if change is not None and quantity.name == "lattice_constant":
        lines.append(f"Self-consistency may change it by {change:.2f} % either way")
    share = row["outside_domain_fraction"] or 0.0
    if share > NOTICEABLE_SHARE:
        lines.append(f"{100 * share:.0f} % of the electrons are outside of what it was trained on")
    return [*lines, row["message"]] if row["message"] else lines


def _bar_percent(row: Mapping[str, Any], measured: float | None, quantity: Quantity) -> float | None:
    """The standard deviation of an error, percent; None where the functional does not tell."""
    deviation = row.get(quantity.deviation_field)
    return None if deviation is None or not measured else 100 * deviation / measured


def summary_content(column: Column, solids: Sequence[Mapping[str, Any]], quantity: Quantity) -> dict[str, str | bool]:
    """The statistics of a functional's errors as text, for the browser.

    Args:
        column: The functional.
        solids: The solids with their references.
        quantity: What is shown.

    Returns:
        ``mean``, ``mean_absolute`` and ``largest``; ``solids``, of how many solids with a measured value these are; and
        ``incomplete``, whether some are missing. It is empty until all rows are there.
    """
    summary = column.summary.get(quantity.name)
    if summary is None:
        return {}
    told: dict[str, str | bool] = {
        name: f"{value:.{quantity.error_digits}f}".replace("-", "−")
        for name in STATISTICS
        if (value := summary[name]) is not None
    }
    of = sum(solid["references"].get(quantity.field) is not None for solid in solids)
    count = int(summary["count"] or 0)
    return told | {"solids": f"{count} of {of}", "incomplete": count < of}


def solid_label(name: str) -> str:
    """A solid as a person reads it: formula and structure."""
    return name.replace("_", " ")


def _signed(error: float | None, digits: int) -> str:
    """An error as it is printed; what rounds to nothing has no sign."""
    if error is None:
        return "–"
    rounded = round(error, digits)
    return f"{rounded:+.{digits}f}".replace("-", "−") if rounded else f"{0:.{digits}f}"
