"""Crystals by space group, lattice and sites, as tables of structures list them, and molecules in a box."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pymatgen.core import Lattice, Structure

from mlxc import Crystal
from mlxc.units import BOHR_ANG

Point = tuple[float, float, float]


def crystal(name: str, group: str, lattice: Lattice, sites: dict[str, Sequence[Point]], cube: bool = False) -> Crystal:
    """A crystal without moments.

    Args:
        name: What it is called.
        group: The Hermann-Mauguin symbol of its space group.
        lattice: The conventional lattice, angstrom.
        sites: By element, one fractional position of each of its sites; the others follow from the group.
        cube: Whether the conventional cell is wanted instead of the primitive one.
    """
    species = [symbol for symbol, points in sites.items() for _ in points]
    points = [point for own in sites.values() for point in own]
    structure = Structure.from_spacegroup(group, lattice, species, points)
    return Crystal.from_pymatgen(structure if cube else structure.get_primitive_structure(), name)


def in_a_box(name: str, edge_ang: float, atoms: Sequence[tuple[str, Point]]) -> Crystal:
    """A molecule about the middle of a cube; the positions of its atoms are Cartesian, angstrom."""
    positions = 0.5 + np.array([position for _, position in atoms]) / edge_ang
    return Crystal(np.eye(3) * edge_ang / BOHR_ANG, [symbol for symbol, _ in atoms], positions, name=name)
