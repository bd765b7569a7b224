"""Distances between atoms do not depend on the cell in which the lattice is described."""

from __future__ import annotations

from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from skewed_cells import in_other_cell, unimodular

from mlxc.crystal.crystal import SHORTEST_DISTANCE_BOHR, Crystal
from mlxc.crystal.distances import closest_pair, largest_displacement
from mlxc.errors import InputError
from mlxc.structures.shipped import shipped_names

DATA = Path(__file__).resolve().parents[1] / "data" / "structures"
LATTICES = arrays(float, (3, 3), elements=st.floats(-6, 6)).map(lambda skew: skew + 7 * np.eye(3))
POSITIONS = arrays(float, (3, 3), elements=st.floats(-1, 2))


def spans_enough(lattice: NDArray[np.float64]) -> bool:
    return bool(abs(np.linalg.det(lattice)) > 30)


@given(LATTICES, POSITIONS, unimodular())
def test_distances_are_the_same_in_every_cell_of_the_lattice(
    lattice: NDArray[np.float64], positions: NDArray[np.float64], matrix: NDArray[np.int64]
) -> None:
    assume(spans_enough(lattice))
    inverse = np.linalg.inv(matrix).round()
    here = closest_pair(lattice, positions)[0]
    assert closest_pair(matrix @ lattice, positions @ inverse)[0] == pytest.approx(here, abs=1e-7)
    moved = positions[::-1]
    there = largest_displacement(matrix @ lattice, positions @ inverse, moved @ inverse)
    assert there == pytest.approx(largest_displacement(lattice, positions, moved), abs=1e-7)


def all_images(delta: NDArray[np.float64], lattice: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """The lengths of all images of a fractional vector that may be shorter than a radius, and of some more."""
    # A vector of this length has at most these coordinates, and one between wrapped positions lies within 1/2.
    reach = np.ceil(radius * np.linalg.norm(np.linalg.inv(lattice), axis=0)).astype(int) + 1
    shifts = np.array(list(product(*(range(-n, n + 1) for n in reach))))
    return np.asarray(np.linalg.norm((delta - delta.round() + shifts) @ lattice, axis=1))


@given(LATTICES, POSITIONS)
def test_the_shortest_distance_is_that_of_all_images(
    lattice: NDArray[np.float64], positions: NDArray[np.float64]
) -> None:
    assume(spans_enough(lattice))
    shortest_vector = float(np.linalg.norm(lattice, axis=1).min())
    own = all_images(np.zeros(3), lattice, shortest_vector)
    others = [all_images(b - a, lattice, shortest_vector).min() for a, b in combinations(positions, 2)]
    assert closest_pair(lattice, positions)[0] == pytest.approx(min(own[own > 0].min(), *others), abs=1e-9)


@given(LATTICES, POSITIONS)
def test_the_largest_displacement_is_that_to_the_nearest_images(
    lattice: NDArray[np.float64], positions: NDArray[np.float64]
) -> None:
    assume(spans_enough(lattice))
    farthest = float(np.linalg.norm(lattice, axis=1).sum() / 2)
    moved = positions[[1, 2, 0]]
    nearest = [all_images(b - a, lattice, farthest).min() for a, b in zip(positions, moved, strict=True)]
    assert largest_displacement(lattice, positions, moved) == pytest.approx(max(nearest), abs=1e-9)


def test_two_atoms_close_together_in_a_very_skewed_cell_are_refused() -> None:
    with pytest.raises(InputError, match=r"atoms 1 \(Si\) and 2 \(Si\) are on top .* 0.200 angstrom apart"):
        Crystal.load(DATA / "POSCAR_g8_vskewdup")


@pytest.mark.parametrize("name", shipped_names())
@settings(max_examples=15)
@given(matrix=unimodular(largest=20, steps=3), direction=arrays(float, 3, elements=st.floats(0.1, 1)))
def test_a_doubled_atom_is_found_whatever_the_cell_and_without_it_every_cell_is_taken(
    name: str, matrix: NDArray[np.int64], direction: NDArray[np.float64]
) -> None:
    crystal = Crystal.load(name)
    skewed = in_other_cell(crystal, matrix)
    shift = 0.9 * SHORTEST_DISTANCE_BOHR * direction / np.linalg.norm(direction) @ np.linalg.inv(skewed.lattice)
    positions = np.vstack([skewed.positions, skewed.positions[:1] + shift + [3, -1, 2]])
    with pytest.raises(InputError, match="on top of each other"):
        Crystal(skewed.lattice, [*skewed.species, skewed.species[0]], positions)


@pytest.mark.parametrize(
    ("lattice", "words"),
    [
        ([[8, 0, 0], [8, 0.5, 0], [0, 0, 8]], "repeat each atom after 0.265 angstrom"),
        ([[8, 0, 0], [80, 0.5, 0], [0, 0, 8]], "repeat each atom after 0.265 angstrom"),
        ([[8, 0, 0], [0, 8, 0], [8, 8, 0.1]], "repeat each atom after 0.053 angstrom"),
        ([[8, 0, 0], [0, 8, 0], [8, 8, 0]], "no volume"),
        ([[8, 0, 0], [0, 8, 0], [80000, 0.3, 0]], "no volume"),
        ([[8, 0, 0], [16, 0, 0], [0, 0, 8]], "no volume"),
        ([[0, 0, 0], [0, 8, 0], [0, 0, 8]], "no volume"),
        ([[8e4, 0, 0], [8e4, 1e-9, 0], [0, 0, 8]], "no volume"),
        ([[8, 0, 0], [8e12, 8, 0], [0, 0, 8]], "up to 4.23e[+]12 angstrom long, and at most 100000 are allowed"),
        ([[1e200, 0, 0], [0, 1e200, 0], [0, 0, 8]], "angstrom long"),
    ],
)
def test_vectors_that_span_no_cell_for_an_atom_are_refused(lattice: list[list[float]], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Crystal(lattice, ["Al"], [[0, 0, 0]])
