"""A box along x, y and z in a crystal, and the atoms in it.

Programs that draw volumes turn skew cells to directions of their own, while they leave atoms where they are. A box has
right angles and is the same in all coordinates in use, so that nothing has to be turned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.vacuum import vacuum_directions
from mlxc.units import BOHR_ANG
from mlxc_app.widgets.crystal_picture import (
    CELL_EDGES,
    MARGIN_ANG,
    across_vacuum,
    block_length,
    cells_around,
    frame_corner,
)


@dataclass(frozen=True, eq=False)
class Box:
    """A box and the atoms in it; all lengths are in angstrom.

    Attributes:
        corner: Where the box starts, Cartesian.
        lengths: The lengths of its edges.
        symbols: The chemical symbol of each atom.
        positions: The positions of the atoms, Cartesian, counted from the corner, ``(natom, 3)``.
        cell_edges: The twelve edges of the unit cell that starts at the first atom, or has a layer in its middle,
            likewise, ``(12, 2, 3)``.
    """

    corner: NDArray[np.float64]
    lengths: NDArray[np.float64]
    symbols: tuple[str, ...]
    positions: NDArray[np.float64]
    cell_edges: NDArray[np.float64]

    @classmethod
    def of(cls, crystal: Crystal) -> Box:
        """A box that starts at the first atom and ends where the crystal repeats; a layer is in its middle.

        For the primitive cell of an fcc, bcc, diamond or rock-salt crystal the box is the well-known cube. Along
        directions in which the crystal does not repeat, it is as long as the unit cell.
        """
        lattice = crystal.lattice * BOHR_ANG
        edges = np.array(CELL_EDGES) @ lattice
        first = crystal.positions[0] @ lattice
        periods = [block_length(lattice, direction) for direction in range(3)]
        repeats = np.array([period is not None for period in periods])
        lengths = np.where(repeats, [period or 0.0 for period in periods], np.ptp(edges, axis=(0, 1)))
        empty = vacuum_directions(crystal)
        is_vacuum = across_vacuum(lattice, empty) & repeats
        corner = first + np.where(repeats, 0.0, edges.min(axis=(0, 1)))
        corner = np.where(is_vacuum, _middle(crystal.positions @ lattice, lengths) - lengths / 2, corner)
        end = lengths + np.where(is_vacuum, -MARGIN_ANG, MARGIN_ANG)
        shifts = cells_around(lattice, float(np.linalg.norm(lengths) + np.linalg.norm(corner - first)))
        candidates = (crystal.positions[:, None] + shifts) @ lattice - corner
        inside = ((candidates > -MARGIN_ANG) & (candidates < end)).all(axis=-1)
        symbols = np.repeat(crystal.species, inside.sum(axis=1))
        begin = first - corner
        frame = (np.array(CELL_EDGES) + frame_corner(candidates[inside] - begin, lattice, empty)) @ lattice
        return cls(corner, lengths, tuple(symbols.tolist()), candidates[inside], frame + begin)


def _middle(positions: NDArray[np.float64], periods: NDArray[np.float64]) -> NDArray[np.float64]:
    """The middle of atoms that repeat along x, y and z, whichever of their images are given."""
    phases = np.angle(np.exp(2j * np.pi * positions / periods).mean(axis=0))
    middle: NDArray[np.float64] = phases / (2 * np.pi) * periods
    return middle
