"""Where the Cartesian axes of a crystal point, in a sentence."""

from __future__ import annotations

import numpy as np

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.symmetry import conventional_lattice
from mlxc.crystal.vacuum import vacuum_directions

AXES, EDGES = "xyz", "abc"
# Of the cosine of two directions that are one.
PARALLEL = 1 - 1e-6


def axes_in_words(crystal: Crystal) -> str:
    """The axes along which planes are cut: which edges of the conventional cell, and which way out of a layer."""
    lattice = conventional_lattice(crystal)
    told = {f"along {edge}": lattice[number] for number, edge in enumerate(EDGES)}
    vacuum = vacuum_directions(crystal)
    if len(vacuum) == 1:
        in_plane = np.delete(crystal.lattice, vacuum[0], axis=0)
        told = {"out of the layer": np.cross(in_plane[0], in_plane[1]), **told}
    pointing = {axis: _pointing(number, told) for number, axis in enumerate(AXES)}
    words = [f"{axis} points {where}" for axis, where in pointing.items() if where]
    if not words:
        return "x, y and z are Cartesian axes; none of them points along an edge of the conventional cell."
    edges = " of the conventional cell" if any("along" in word for word in words) else ""
    return f"{', '.join(words)}{edges}."


def _pointing(axis: int, directions: dict[str, np.ndarray]) -> str:
    """The name of the direction along which a Cartesian axis lies; empty if it is none of these."""
    for name, direction in directions.items():
        if abs(direction[axis]) > PARALLEL * np.linalg.norm(direction):
            return name
    return ""
