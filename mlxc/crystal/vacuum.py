"""Where a cell is empty: sheets, wires and molecules are crystals with a vacuum around them. Imports no torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.crystal import Crystal
from mlxc.units import BOHR_ANG

# A layer without nuclei that is thicker than this is a vacuum; between the layers of graphite there are 3.4 angstrom.
VACUUM_ANG = 6.0


def vacuum_directions(crystal: Crystal) -> tuple[int, ...]:
    """Lattice directions, 0 to 2, across which lies a vacuum: none for a bulk crystal, one for a sheet.

    A vacuum is a layer without nuclei parallel to the two other lattice vectors, thicker than ``VACUUM_ANG``.
    """
    _, gaps = _gaps(crystal)
    return tuple(np.flatnonzero(gaps.max(axis=0) * _heights_ang(crystal) > VACUUM_ANG).tolist())


def sheet_thickness(crystal: Crystal, direction: int) -> tuple[float, float]:
    """Where the middle of a sheet is, a fractional coordinate, and how far apart its outermost nuclei are, angstrom.

    Args:
        crystal: The crystal, all of whose atoms belong to the sheet.
        direction: The index, 0 to 2, of the lattice vector along which the vacuum is.
    """
    positions, gaps = _gaps(crystal)
    widest = int(gaps[:, direction].argmax())
    # The sheet begins where the vacuum ends.
    begins = positions[widest, direction] + gaps[widest, direction]
    thickness = 1 - gaps[widest, direction]
    return float(begins + thickness / 2) % 1.0, float(thickness * _heights_ang(crystal)[direction])


def _gaps(crystal: Crystal) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sorted fractional coordinates along each lattice vector, and how far it is from each to the next one."""
    positions = np.sort(crystal.positions % 1.0, axis=0)
    return positions, np.vstack([positions[1:], positions[:1] + 1]) - positions


def _heights_ang(crystal: Crystal) -> NDArray[np.float64]:
    """The height of the cell above each of its faces."""
    return np.asarray(2 * np.pi / np.linalg.norm(crystal.reciprocal, axis=1) * BOHR_ANG)
