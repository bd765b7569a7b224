"""A second start for a magnet whose moment was lost on the way.

A state without a moment, or with a small one, solves the Kohn-Sham equations of many magnets, at a higher energy. What
shows that an SCF may have ended there is a moment that was larger on the way, or at the start.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.magnetism import moments_by_element
from mlxc.units import HARTREE_EV

# A moment below this share of the largest one on the way was lost.
LOST = 0.5
# A second start with less than so many times the moments of the first one is the same again.
LARGER = 1.2
# Energies that differ by less are those of one state, hartree per atom.
SAME_ENERGY = 1e-5
# A smaller sum of the absolute moments is none, Bohr magneton per atom.
NO_MOMENT = 0.02


def was_lost(start: NDArray[np.float64], absolute: Sequence[float]) -> bool:
    """Whether the moment of a converged state is much smaller than it was.

    Args:
        start: The moments that the atoms started with, Bohr magneton.
        absolute: The integral of the absolute magnetisation after each step, Bohr magneton.
    """
    return absolute[-1] < LOST * max(np.abs(start).sum(), *absolute)


def larger_moments(
    species: Sequence[str], start: NDArray[np.float64], absolute: Sequence[float]
) -> NDArray[np.float64] | None:
    """Moments for a second start, with the signs of the first one, shape ``(natom,)``; None if none are larger.

    Args:
        species: The elements of the atoms.
        start: The moments that they started with, Bohr magneton.
        absolute: The integral of the absolute magnetisation after each step, Bohr magneton.
    """
    usual = np.maximum(np.abs(start), moments_by_element(species)) * (start != 0)
    largest = max(absolute)
    if largest > usual.sum():
        usual *= LARGER * largest / usual.sum()
    return np.sign(start) * usual if usual.sum() > LARGER * np.abs(start).sum() else None


def told(
    first: NDArray[np.float64], second: NDArray[np.float64], difference_ha: float, moments: tuple[float, float]
) -> str:
    """What a person should know of two starts, in a sentence.

    Args:
        first: The moments of the first start, Bohr magneton.
        second: Those of the second one.
        difference_ha: The second free energy minus the first one, hartree per atom.
        moments: The integrals of the absolute magnetisation that both ended with, Bohr magneton per atom.
    """
    ended = f"from a start of {_largest(first)} Bohr magneton the moment " + (
        "vanished" if moments[0] < NO_MOMENT else f"fell to {moments[0]:.2f} per atom"
    )
    again = f"from {_largest(second)} it ended at {moments[1]:.2f} per atom"
    if abs(difference_ha) < SAME_ENERGY:
        return f"The SCF was started twice: {ended}, and {again}, with the same energy."
    lower = "lower" if difference_ha < 0 else "higher"
    difference = abs(difference_ha)
    return (
        f"The SCF was started twice: {ended}; {again}, which is {difference * 1e3:.3g} mHa "
        f"({difference * HARTREE_EV * 1e3:.3g} meV) per atom {lower}; the lower one is kept."
    )


def _largest(moments: NDArray[np.float64]) -> str:
    return f"{np.abs(moments).max():.3g}"
