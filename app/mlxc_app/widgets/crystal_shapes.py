"""A crystal in the terms of NGL: a file of atoms, and shapes for cell, bonds and axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from ase.data.colors import jmol_colors
from numpy.typing import NDArray

from mlxc.crystal.elements import atomic_number
from mlxc_app.widgets.bonds import bonds

Colour: TypeAlias = tuple[float, float, float]
Shape: TypeAlias = tuple[Any, ...]

ATOM_RADIUS_ANG = 0.48
BOND_RADIUS_ANG = 0.1
# Edges of the cell may lie along bonds, and are seen there.
FRAME_RADIUS_ANG = 0.12
FRAME_COLOUR: Colour = (0.337, 0.706, 0.914)
AXIS_RADIUS_ANG = 0.11
# Of a lattice vector, as far as its arrow reaches, and its letter; and how far the arrows stand from the crystal.
AXIS_LENGTH_ANG, LETTER_ANG, LETTER_SIZE, AXES_APART_ANG = 1.5, 2.0, 1.8, 2.8
# NGL looks along its z, so that its x points to the left: what is to the right and towards the eye changes its sign.
TO_VIEWER = np.array([-1.0, 1.0, -1.0])
# Vermillion, bluish green and blue of the page's palette.
AXES: dict[str, Colour] = {"a": (0.835, 0.369, 0.0), "b": (0.0, 0.62, 0.451), "c": (0.0, 0.447, 0.698)}


def element_colour(symbol: str) -> Colour:
    """The colour in which the viewer draws the atoms of an element, red, green and blue from 0 to 1: that of Jmol."""
    red, green, blue = jmol_colors[atomic_number(symbol)].tolist()
    return red, green, blue


def frame_shapes(edges: NDArray[np.float64], radius: float = FRAME_RADIUS_ANG) -> list[Shape]:
    """Edges of the unit cell, ``(12, 2, 3)``."""
    return [("cylinder", start, end, FRAME_COLOUR, radius) for start, end in edges.tolist()]


def bond_shapes(symbols: Sequence[str], positions: NDArray[np.float64], radius: float = BOND_RADIUS_ANG) -> list[Shape]:
    """The bonds between atoms, each half in the colour of its atom; see :func:`~mlxc_app.widgets.bonds.bonds`."""
    shapes = []
    for first, second in bonds(symbols, positions):
        middle = (positions[first] + positions[second]) / 2
        for atom in (first, second):
            colour = element_colour(symbols[atom])
            shapes.append(("cylinder", positions[atom].tolist(), middle.tolist(), colour, radius))
    return shapes


def axis_shapes(vectors: NDArray[np.float64], positions: NDArray[np.float64]) -> list[Shape]:
    """Arrows along the lattice vectors, with their letters, beside the lower left corner of what is drawn.

    Args:
        vectors: The lattice vectors, ``(3, 3)``.
        positions: The positions of what is drawn, ``(n, 3)``, where x points to the left.
    """
    low, high = positions.min(axis=0), positions.max(axis=0)
    corner = np.array([high[0] + AXES_APART_ANG, low[1], (low[2] + high[2]) / 2])
    shapes: list[Shape] = []
    for (letter, colour), vector in zip(AXES.items(), vectors, strict=True):
        along = vector / np.linalg.norm(vector)
        tip, place = (corner + along * AXIS_LENGTH_ANG).tolist(), (corner + along * LETTER_ANG).tolist()
        shapes.append(("arrow", corner.tolist(), tip, colour, AXIS_RADIUS_ANG))
        shapes.append(("text", place, colour, LETTER_SIZE, letter))
    return shapes


def pdb_text(symbols: Sequence[str], positions: NDArray[np.float64]) -> str:
    """The atoms in the format of the Protein Data Bank, in orthogonal coordinates and without a cell."""
    atoms = enumerate(zip(symbols, positions, strict=True), start=1)
    lines = [_atom_line(number, symbol, *position) for number, (symbol, position) in atoms]
    return "\n".join([*lines, "END", ""])


def _atom_line(number: int, symbol: str, x: float, y: float, z: float) -> str:
    place = f"{x:8.3f}{y:8.3f}{z:8.3f}"
    return f"HETATM{number % 100000:5d} {symbol:>2}   UNK A   1    {place}  1.00  0.00          {symbol:>2}"
