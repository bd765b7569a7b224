"""Cuts through a field in a crystal: along a plane, and its average over planes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlxc.errors import InputError
from mlxc_app.panels.density.field import CrystalField

WINDOW_ANG = 8.0
SAMPLES = 121
# Atoms whose nuclei are this close to the plane are drawn.
IN_PLANE_ANG = 0.4
DIAGONAL = 0.5**0.5
AXES = ("a", "b", "c")
MILLER = "Miller plane (h k l)"


@dataclass(frozen=True)
class Orientation:
    """How a plane lies: Cartesian unit vectors to the right and upwards, and what these directions are called."""

    right: tuple[float, float, float]
    up: tuple[float, float, float]
    right_name: str
    up_name: str


PLANES = {
    "x-y (horizontal)": Orientation((1, 0, 0), (0, 1, 0), "x", "y"),
    "x-z": Orientation((1, 0, 0), (0, 0, 1), "x", "z"),
    "y-z": Orientation((0, 1, 0), (0, 0, 1), "y", "z"),
    "xy diagonal-z": Orientation((DIAGONAL, DIAGONAL, 0), (0, 0, 1), "along the diagonal of x and y", "z"),
}


@dataclass(frozen=True, eq=False)
class DensitySlice:
    """A square cut through the crystal, centred above its first atom.

    Attributes:
        right, up: The coordinates of the columns and rows, angstrom.
        right_name, up_name: The names of the two directions.
        values: The values, ``(len(up), len(right))``.
        atoms: The (right, up, symbol) of the atoms in the plane.
    """

    right: NDArray[np.float64]
    up: NDArray[np.float64]
    right_name: str
    up_name: str
    values: NDArray[np.float64]
    atoms: tuple[tuple[float, float, str], ...]


@dataclass(frozen=True, eq=False)
class PlanarAverage:
    """A field averaged over the planes of two lattice vectors.

    Attributes:
        positions: The positions along the normal of these planes, angstrom, from the first grid point to its periodic
            image.
        values: The averages.
        atoms: The (position, symbol) of each atom of the cell.
    """

    positions: NDArray[np.float64]
    values: NDArray[np.float64]
    atoms: tuple[tuple[float, str], ...]


def cut(field: CrystalField, orientation: Orientation, height_ang: float) -> DensitySlice:
    """Cut along a plane ``height_ang`` away from the crystal's first atom."""
    right, up = orientation.right, orientation.up
    axes = np.array([right, up, np.cross(right, up)])
    centre = field.positions[0] @ field.lattice
    steps = np.linspace(-WINDOW_ANG / 2, WINDOW_ANG / 2, SAMPLES, dtype=np.float64)
    x, y = np.meshgrid(steps, steps)
    values = field.at(centre + np.stack([x, y, np.full_like(x, height_ang)], axis=-1) @ axes)
    atoms = _atoms_near(field, axes, centre, height_ang)
    return DensitySlice(steps, steps, orientation.right_name, orientation.up_name, values, atoms)


def miller_orientation(field: CrystalField, indices: tuple[int, int, int]) -> Orientation:
    """The plane with these Miller indices of the conventional cell, with a short lattice vector to the right.

    Raises:
        InputError: all indices are zero.
    """
    if not any(indices):
        raise InputError("Miller plane: (0 0 0) is no plane; at least one index must differ from zero.")
    from mlxc.crystal.symmetry import conventional_lattice

    normal = np.asarray(np.linalg.inv(conventional_lattice(field.crystal)) @ indices, dtype=np.float64)
    normal /= np.linalg.norm(normal)
    right = _vector_in_plane(field.lattice, normal)
    up = np.cross(normal, right)
    name = " ".join(f"{index}".replace("-", "−") for index in indices)
    return Orientation(tuple(right), tuple(up), f"in the plane ({name})", "in the plane, at right angles")


def _vector_in_plane(lattice: NDArray[np.float64], normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """The direction of the shortest lattice vector at right angles to a normal."""
    counts = np.arange(-4, 5)
    integers = np.stack(np.meshgrid(counts, counts, counts, indexing="ij"), axis=-1).reshape(-1, 3)
    vectors: NDArray[np.floating[Any]] = integers @ lattice
    lengths: NDArray[np.floating[Any]] = np.linalg.norm(vectors, axis=1)
    candidates = (np.abs(vectors @ normal) < 1e-4 * lengths) & (lengths > 0)
    if not candidates.any():  # indices so high that their plane has none nearby
        vectors, lengths, candidates = np.cross(normal, np.eye(3)), np.ones(3), np.abs(normal) < 0.8
    # Of several equally short ones, the one that points most to the right.
    order = np.lexsort((-vectors[candidates] @ [1, 0.1, 0.01], lengths[candidates].round(4)))
    vector = vectors[candidates][order[0]]
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float64)


def _atoms_near(
    field: CrystalField, axes: NDArray[np.float64], centre: NDArray[np.float64], height_ang: float
) -> tuple[tuple[float, float, str], ...]:
    spacings = 1 / np.linalg.norm(np.linalg.inv(field.lattice), axis=0)
    repeats = [np.arange(-n, n + 1) for n in np.ceil(WINDOW_ANG / spacings).astype(int) + 1]
    shifts = np.stack(np.meshgrid(*repeats, indexing="ij"), axis=-1).reshape(-1, 3)
    found = []
    for symbol, position in zip(field.species, field.positions, strict=True):
        local = ((position + shifts) @ field.lattice - centre) @ axes.T - [0, 0, height_ang]
        inside = (np.abs(local[:, :2]) <= WINDOW_ANG / 2 + 1e-6).all(axis=1) & (np.abs(local[:, 2]) <= IN_PLANE_ANG)
        found += [(float(x), float(y), symbol) for x, y, _ in local[inside]]
    return tuple(found)


def planar_average(field: CrystalField, axis: str) -> PlanarAverage:
    """Average over the planes of the other two lattice vectors, along one of ``AXES``."""
    index = AXES.index(axis)
    others = tuple(number for number in range(3) if number != index)
    values = field.values.mean(axis=others)
    period = 1 / np.linalg.norm(np.linalg.inv(field.lattice)[:, index])
    positions = np.arange(len(values) + 1) / len(values) * period
    fractional = field.positions[:, index] % 1.0
    atoms = tuple((float(place * period), symbol) for place, symbol in zip(fractional, field.species, strict=True))
    return PlanarAverage(positions, np.append(values, values[0]), atoms)
