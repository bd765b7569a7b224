"""What a screening says of uncertainties: values with their standard deviations, and whether these hold."""

from __future__ import annotations

from pathlib import Path

from mlxc.errors import InputError
from mlxc.frozen.library import FrozenLibrary
from mlxc.frozen.screening import Screening
from mlxc.solids.calibration import ONE_DEVIATION, fraction_inside, plot_calibration
from mlxc.solids.error_statistics import markdown, shown

# What has a standard deviation: the start of its columns, its unit there, its words, and how it is written.
UNCERTAIN = (
    ("lattice_constant", "ang", "Lattice constant (ang)", ".4f"),
    ("bulk_modulus", "gpa", "Bulk modulus (GPa)", ".1f"),
    ("cohesive_energy", "ev", "Cohesive energy (eV per atom)", ".3f"),
)


def uncertainty_report(screening: Screening, library: FrozenLibrary) -> str:
    """A table of each quantity in Markdown, and below it how many measured values lie within one standard deviation.

    It is empty where no row has a standard deviation.
    """
    parts = []
    for quantity, unit, words, style in UNCERTAIN:
        table = _table(screening, library, quantity, unit, style)
        if len(table) > 1:
            parts.append(f"{words} and standard deviation\n\n{markdown(table)}{_calibration(screening, quantity)}")
    return "\n".join(parts)


def write_calibration(screening: Screening, path: Path) -> None:
    """Draw the calibration of lattice constants, a curve for each functional with an ensemble.

    Raises:
        InputError: no solid has both a standard deviation and a measured value.
    """
    scores = {name: list(found.values()) for name, found in screening.scores("lattice_constant").items() if found}
    if not scores:
        raise InputError("--calibration: no solid has both a standard deviation and a measured lattice constant.")
    plot_calibration(path, scores)


def _table(screening: Screening, library: FrozenLibrary, quantity: str, unit: str, style: str) -> list[list[str]]:
    value, deviation = f"{quantity}_{unit}", f"{quantity}_standard_deviation_{unit}"
    rows = [row for row in screening.rows if getattr(row, deviation) is not None]
    functionals = list(dict.fromkeys(row.functional for row in rows))
    cells = {
        (row.solid, row.functional): f"{getattr(row, value):{style}} ± {getattr(row, deviation):{style}}"
        for row in rows
    }
    table = [["solid", "reference", *functionals]]
    for name in dict.fromkeys(row.solid for row in rows):
        known = library.solids[name].references.get(value)
        table.append([name, shown(known, style), *(cells.get((name, xc), "-") for xc in functionals)])
    return table


def _calibration(screening: Screening, quantity: str) -> str:
    """How many errors lie within one standard deviation, a line for each functional."""
    lines = [
        f"{name}: {round(fraction_inside(found.values()) * len(found))} of {len(found)} errors are within one standard "
        f"deviation, where {ONE_DEVIATION:.0%} should be.\n"
        for name, found in screening.scores(quantity).items()
        if found
    ]
    return "\n" + "\n".join(lines) if lines else ""
