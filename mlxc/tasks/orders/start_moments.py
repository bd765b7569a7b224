"""Which elements are often magnetic, and the moments of their free atoms. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase.data import ground_state_magnetic_moments
from numpy.typing import NDArray

from mlxc.crystal.elements import atomic_number

# V to Ni, Ce to Yb, and Pa to Cm: partly filled, compact shells.
_OFTEN_MAGNETIC = (range(23, 29), range(58, 71), range(91, 97))


def often_magnetic(species: Sequence[str]) -> list[str]:
    """The elements whose crystals and compounds often have moments, each once."""
    elements = dict.fromkeys(species)
    return [symbol for symbol in elements if any(atomic_number(symbol) in numbers for numbers in _OFTEN_MAGNETIC)]


def moments_by_element(species: Sequence[str]) -> NDArray[np.float64]:
    """The moment of the free atom of each of some atoms, Bohr magneton, or 1 where it has none."""
    moments = np.asarray(ground_state_magnetic_moments)[[atomic_number(symbol) for symbol in species]]
    return np.where(moments == 0, 1.0, moments)
