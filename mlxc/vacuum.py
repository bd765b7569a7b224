"""Where a cell is empty: sheets, wires and molecules are crystals with a vacuum around them. Imports no torch."""

from __future__ import annotations

import numpy as np

from mlxc.crystal import Crystal
from mlxc.units import BOHR_ANG

# A layer without nuclei that is thicker than this is a vacuum; between the layers of graphite there are 3.4 angstrom.
VACUUM_ANG = 6.0


def vacuum_directions(crystal: Crystal) -> tuple[int, ...]:
    """Lattice directions, 0 to 2, across which lies a vacuum: none for a bulk crystal, one for a sheet.

    A vacuum is a layer without nuclei parallel to the two other lattice vectors, thicker than ``VACUUM_ANG``.
    """
    positions = np.sort(crystal.positions % 1.0, axis=0)
    following = np.vstack([positions[1:], positions[:1] + 1])
    heights = 2 * np.pi / np.linalg.norm(crystal.reciprocal, axis=1)
    gaps = (following - positions).max(axis=0) * heights * BOHR_ANG
    return tuple(np.flatnonzero(gaps > VACUUM_ANG).tolist())
