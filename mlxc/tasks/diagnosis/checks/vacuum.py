"""Is the vacuum thick enough? The same sheet in a higher cell."""

from __future__ import annotations

import numpy as np

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.resizing import height_ang
from mlxc.crystal.vacuum import vacuum_directions
from mlxc.tasks.diagnosis.finding import Finding
from mlxc.tasks.diagnosis.tolerable import error_in_words, severity_of
from mlxc.tasks.diagnosis.under_test import CalculationUnderTest

TITLE = "Is the vacuum thick enough, and do the images of the sheet feel each other?"
# How much higher the cell is that the given one is compared with.
HIGHER = 1.3
# With less time left, only energies are compared.
SIZE_SECONDS = 90.0


def examine_vacuum(tested: CalculationUnderTest) -> Finding:
    """Compare size and energy with those in a higher cell."""
    crystal = tested.calculation.crystal
    if len(vacuum_directions(crystal)) != 1:
        return Finding("vacuum", TITLE, f"{crystal.name} is no sheet: there is no vacuum to be too thin.")
    given = tested.sound
    with_size = given.size is not None and tested.seconds_left > SIZE_SECONDS
    better = tested.calculation.with_crystal(in_higher_cell(crystal, HIGHER))
    higher = tested.predict_soundly(better, with_size=with_size)
    size, energy = given.size_change_percent(higher), given.energy_change_mha(higher)
    if energy is None:
        why = given.message or f"in the higher cell {higher.message}"
        return Finding("vacuum", TITLE, f"Not measured: {why}.", "vacuum", None, why)
    height = height_ang(crystal)
    return Finding(
        test="vacuum",
        title=TITLE,
        sentence=(
            f"Beside a cell that is {HIGHER * height:.1f} instead of {height:.1f} angstrom high, "
            f"{error_in_words(size, energy)}."
        ),
        cause="vacuum",
        severity=severity_of(size, energy),
        effect=error_in_words(size, energy),
        numbers={
            "height_ang": height,
            "higher_ang": HIGHER * height,
            "size_change_percent": size,
            "energy_change_mha_per_atom": energy,
        },
    )


def in_higher_cell(sheet: Crystal, factor: float) -> Crystal:
    """The same sheet, its atoms where they are, in a cell whose vacuum is larger.

    Args:
        sheet: A sheet with a vacuum along one lattice direction.
        factor: The factor of the length of the lattice vector in that direction.
    """
    (direction,) = vacuum_directions(sheet)
    lattice = sheet.lattice.copy()
    lattice[direction] *= factor
    # Whole when the widest gap lies across the cell's boundary.
    positions = sheet.positions.copy()
    heights = np.sort(positions[:, direction] % 1.0)
    gaps = np.diff(np.append(heights, heights[0] + 1))
    top = heights[gaps.argmax()]
    whole = (positions[:, direction] - top - 1e-9) % 1.0 + top - 1
    middle = (whole.max() + whole.min()) / 2
    positions[:, direction] = middle + (whole - middle) / factor
    return Crystal(lattice, sheet.species, positions, sheet.moments, sheet.name, sheet.origin)
