"""Which atoms of an infinite crystal to draw, and from where to look at them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.vacuum import vacuum_directions

# The drawn block is about this long in each direction.
BLOCK_ANG = 5.0
MARGIN_ANG = 0.05
AZIMUTH, ELEVATION = np.radians(22), np.radians(22)
FARTHEST_PERIOD_ANG = 12.0
# Of the cell's edges.
CELL_MARGIN = 1e-3
MANY_ATOMS = 64
_CORNERS = tuple(product((0, 1), repeat=3))
CELL_EDGES = [(a, b) for a, b in product(_CORNERS, repeat=2) if a < b and np.abs(np.subtract(a, b)).sum() == 1]


@dataclass(frozen=True, eq=False)
class CrystalPicture:
    """What to draw, in screen coordinates (right, up, towards the eye), angstrom.

    Attributes:
        symbols: The chemical symbol of each atom.
        positions: The positions of the atoms, ``(natom, 3)``.
        cell_edges: The twelve edges of the unit cell, ``(12, 2, 3)``, which begins at the first atom; along a vacuum
            the atoms are in its middle.
        axes: The lattice vectors a, b and c, ``(3, 3)``.
    """

    symbols: tuple[str, ...]
    positions: NDArray[np.float64]
    cell_edges: NDArray[np.float64]
    axes: NDArray[np.float64]


def draw(structure: dict[str, Any], cell_only: bool = False, along: int | None = None) -> CrystalPicture:
    """The atoms in a block along x, y and z that starts at the first atom and repeats the crystal where it can.

    For the primitive cell of an fcc, bcc, diamond or rock-salt crystal the block is the well-known cube. For a crystal
    that does not repeat along x, y and z, or whose block would hold many atoms, it is the cell itself.

    Args:
        structure: The structure as plain data, see ``Crystal.to_dict``.
        cell_only: Whether to draw the cell itself in any case, as for a supercell.
        along: Which lattice vector points to the eye, 0 to 2; None for the usual view from a little above.
    """
    crystal = Crystal.from_dict(structure)
    lattice = np.array(structure["lattice_ang"])
    empty = vacuum_directions(crystal)
    block = None if cell_only else _block(lattice)
    if block is None or len(crystal.species) * np.prod(block) / abs(np.linalg.det(lattice)) > MANY_ATOMS:
        symbols, positions = _atoms_of_cell(crystal, lattice, empty)
    else:
        symbols, positions = _atoms_of_block(crystal, lattice, block, empty)
    edges = (np.array(CELL_EDGES) + frame_corner(positions, lattice, empty)) @ lattice
    turn = (screen_axes() if along is None else axes_along(lattice, along)).T
    return CrystalPicture(tuple(symbols), positions @ turn, edges @ turn, lattice @ turn)


def frame_corner(
    positions: NDArray[np.float64], lattice: NDArray[np.float64], empty: tuple[int, ...]
) -> NDArray[np.float64]:
    """Where the frame of a cell begins, in units of the lattice vectors: at the first atom, and across a vacuum so that
    what is drawn is in the middle.

    Args:
        positions: The positions of what is drawn, Cartesian, counted from the first atom, ``(natom, 3)``.
        lattice: The lattice vectors as rows, in the same unit.
        empty: The lattice directions with a vacuum.
    """
    places = positions @ np.linalg.inv(lattice)
    corner = np.zeros(3)
    for direction in empty:
        corner[direction] = (places[:, direction].min() + places[:, direction].max()) / 2 - 0.5
    return corner


def _atoms_of_block(
    crystal: Crystal, lattice: NDArray[np.float64], block: NDArray[np.float64], empty: tuple[int, ...]
) -> tuple[list[str], NDArray[np.float64]]:
    # Across a vacuum the images nearest to the first atom are drawn, and not those on its other side.
    through_vacuum = across_vacuum(lattice, empty)
    begin = np.where(through_vacuum, -block / 2, -MARGIN_ANG)
    end = np.where(through_vacuum, block / 2, block + MARGIN_ANG)
    shifts = cells_around(lattice, float(np.linalg.norm(block)))
    candidates = (crystal.positions[:, None] - crystal.positions[0] + shifts) @ lattice
    inside = ((candidates >= begin) & (candidates < end)).all(axis=-1)
    return _symbols(crystal, inside), candidates[inside]


def _atoms_of_cell(
    crystal: Crystal, lattice: NDArray[np.float64], empty: tuple[int, ...]
) -> tuple[list[str], NDArray[np.float64]]:
    """The atoms of the cell, both of those on opposite faces; across a vacuum the images nearest to the first atom."""
    relative = crystal.positions - crystal.positions[0]
    shifts = np.array(list(product((-1, 0, 1), repeat=3)))
    candidates = (relative - np.floor(relative + CELL_MARGIN))[:, None] + shifts
    low, high = np.full(3, -CELL_MARGIN), np.full(3, 1 + CELL_MARGIN)
    low[list(empty)], high[list(empty)] = -0.5, 0.5
    inside = ((candidates >= low) & (candidates < high)).all(axis=-1)
    return _symbols(crystal, inside), candidates[inside] @ lattice


def across_vacuum(lattice: NDArray[np.float64], empty: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which of x, y and z lead through a vacuum along these lattice directions, shape ``(3,)``."""
    normals = np.linalg.inv(lattice)[:, list(empty)]
    leads: NDArray[np.bool_] = (np.abs(normals) > MARGIN_ANG * np.linalg.norm(normals, axis=0)).any(axis=1)
    return leads


def _symbols(crystal: Crystal, inside: NDArray[np.bool_]) -> list[str]:
    return [symbol for symbol, drawn in zip(crystal.species, inside, strict=True) for _ in range(int(drawn.sum()))]


def _block(lattice: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The edges of the block along x, y and z; None where the crystal has no period along one of them."""
    lengths = [block_length(lattice, direction) for direction in range(3)]
    return None if None in lengths else np.array(lengths, dtype=np.float64)


def block_length(lattice: NDArray[np.float64], direction: int) -> float | None:
    """A multiple of the crystal's period along x, y or z near ``BLOCK_ANG``; None if there is no period nearby."""
    vectors = cells_around(lattice, FARTHEST_PERIOD_ANG) @ lattice
    across = np.delete(vectors, direction, axis=1)
    along = vectors[(np.abs(across) < MARGIN_ANG).all(axis=1), direction]
    periods = along[along > MARGIN_ANG]
    if not len(periods):
        return None
    return float(periods.min() * max(1, round(BLOCK_ANG / periods.min())))


def cells_around(lattice: NDArray[np.float64], radius: float) -> NDArray[np.int64]:
    """Integer shifts of all cells that reach into a ball around the origin."""
    spacings = 1 / np.linalg.norm(np.linalg.inv(lattice), axis=0)
    counts = np.ceil(radius / spacings).astype(int) + 1
    ranges = [np.arange(-n, n + 1) for n in counts]
    return np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)


def screen_axes() -> NDArray[np.float64]:
    """Right, up and towards the eye as rows: z points up, seen from a little above."""
    right = np.array([np.cos(AZIMUTH), np.sin(AZIMUTH), 0])
    eye = np.array([np.sin(AZIMUTH) * np.cos(ELEVATION), -np.cos(AZIMUTH) * np.cos(ELEVATION), np.sin(ELEVATION)])
    return np.array([right, np.cross(eye, right), eye])


def axes_along(lattice: NDArray[np.float64], index: int) -> NDArray[np.float64]:
    """Right, up and towards the eye as rows: a lattice vector points to the eye, and c up, or of c itself b."""
    eye = lattice[index] / np.linalg.norm(lattice[index])
    up = lattice[1 if index == 2 else 2]
    up = up - (up @ eye) * eye
    up /= np.linalg.norm(up)
    return np.array([np.cross(up, eye), up, eye])
