"""Which total moments a crystal can have, and which ones a curve takes if nobody says. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor

import numpy as np

from mlxc.crystal.magnetism import moments_by_element
from mlxc.errors import InputError

FEWEST_POINTS, USUAL_POINTS, MOST_POINTS = 3, 9, 100
# The largest moment that a curve takes by itself, per electron.
MOST_OF_THEM = 0.9
# Electrons are whole within this.
WHOLE = 1e-9
# Moments are told with so many digits.
DIGITS = 10


def usual_highest_moment(species: Sequence[str], electrons: int) -> float:
    """The usual starting moments of the elements added up, Bohr magneton per cell.

    Args:
        species: The chemical symbols of the atoms in the cell.
        electrons: The number of valence electrons, of which some are left with spin down.
    """
    return min(float(moments_by_element(species).sum()), MOST_OF_THEM * electrons)


def evenly_spaced(lowest: float, highest: float, points: int) -> tuple[float, ...]:
    """Moments at equal distances, the ends among them."""
    return tuple(round(float(moment), DIGITS) for moment in np.linspace(lowest, highest, points))


def whole_moments(lowest: float, highest: float, electrons: int) -> tuple[float, ...]:
    """All moments of a range that leave a whole number of electrons in each spin."""
    down = range(ceil((electrons - highest) / 2 - WHOLE), floor((electrons - lowest) / 2 + WHOLE) + 1)
    return tuple(float(electrons - 2 * count) for count in reversed(down))


def check_moments(moments: Sequence[float], electrons: int, fixed_occupations: bool) -> None:
    """Say why a crystal cannot have these moments, or why they make no curve.

    Args:
        moments: The moments, Bohr magneton per cell, ascending.
        electrons: The number of valence electrons per cell.
        fixed_occupations: Whether each spin holds whole electrons.

    Raises:
        InputError: there are too few moments, one is beyond the electrons, or leaves no whole electrons.
    """
    if beyond := [moment for moment in moments if abs(moment) > electrons]:
        raise InputError(
            f"moments: {beyond[-1]:g} Bohr magneton is more than the {electrons} valence electrons of the cell allow."
        )
    if not fixed_occupations and (all_turned := [m for m in moments if abs(m) > electrons - WHOLE]):
        raise InputError(
            f"moments: {all_turned[-1]:g} Bohr magneton leaves one spin without electrons, and with smearing without a "
            f"Fermi level; stay below {electrons}."
        )
    broken = [moment for moment in moments if abs((electrons - moment) / 2 % 1 - 0.5) < 0.5 - WHOLE]
    if fixed_occupations and broken:
        parity = "odd" if electrons % 2 else "even"
        raise InputError(
            f"moments: {broken[0]:g} Bohr magneton leaves {(electrons - broken[0]) / 2:g} electrons with spin down, "
            f"and fixed occupations need whole ones: give {parity} moments, or choose a smearing such as fermi-dirac."
        )
    if len(moments) < FEWEST_POINTS:
        raise InputError(
            f"moments: {len(moments)} of them make no curve; give at least {FEWEST_POINTS}, or a wider range."
        )
