"""Grids of long cells: they keep the crystal's operations, represent what they must, and are not larger than needed."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import pi
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import mlxc
from mlxc import Crystal, FermiDirac, PlaneWaves
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.grid.shape import choose_shape, grid_radius

PHYSICS = Path(__file__).parents[1] / "data" / "physics"
# How many times as many points as necessary a grid may have.
SPARE = 1.4
FCC, HEXAGONAL = (np.ones((3, 3)) - np.eye(3)) / 2, np.array([[1, 0, 0], [-0.5, 3**0.5 / 2, 0], [0, 0, 1.6]])
# Vectors in units of the edge, which is in bohr, the elements, and where they are.
PRIMITIVE: dict[str, tuple[NDArray[np.float64], float, list[str], list[list[float]]]] = {
    "fcc": (FCC, 7.65, ["Al"], [[0, 0, 0]]),
    "bcc": (np.ones((3, 3)) / 2 - np.eye(3), 7.98, ["Na"], [[0, 0, 0]]),
    "hcp": (HEXAGONAL, 6.06, ["Mg", "Mg"], [[1 / 3, 2 / 3, 1 / 4], [2 / 3, 1 / 3, 3 / 4]]),
    "diamond": (FCC, 10.26, ["Si", "Si"], [[0, 0, 0], [1 / 4, 1 / 4, 1 / 4]]),
    "rock salt": (FCC, 7.96, ["Mg", "O"], [[0, 0, 0], [1 / 2, 1 / 2, 1 / 2]]),
    "tetragonal": (np.diag([1, 1, 1.52]), 6.14, ["In"], [[0, 0, 0]]),
}
Multiples = tuple[int, int, int]
# At most sixteen cells, up to twelve of them along a direction.
multiples = st.sampled_from([cells for cells in product(range(1, 13), repeat=3) if np.prod(cells) <= 16])


def supercell(name: str, cells: Multiples) -> Crystal:
    vectors, edge, species, positions = PRIMITIVE[name]
    return Crystal(edge * vectors, species, positions, name=name).supercell(*cells)


def is_smooth(number: int) -> bool:
    """Whether 2, 3, 5 and 7 are its only prime factors: then it divides a power of their product."""
    return 210 ** number.bit_length() % number == 0


def is_mapped(shape: tuple[int, ...], rotation: NDArray[np.int64], translation: NDArray[np.float64]) -> bool:
    """Whether an operation takes the origin and its neighbours on a grid, and so all points, to points of the grid."""
    points = np.vstack([np.zeros(3), np.diag(1 / np.array(shape))])
    images = (points @ rotation.T + translation) * shape
    return bool((np.abs(images - images.round()) < 1e-4).all())


def possible_operations(group: SpaceGroup) -> SpaceGroup:
    """Those that some grid keeps: along each axis the denominator of the translation is a smooth number."""
    denominators = [[Fraction(x).limit_denominator(200).denominator for x in w] for w in group.translations]
    kept = [all(map(is_smooth, own)) for own in denominators]
    return SpaceGroup(group.rotations[kept], group.translations[kept])


def needed(crystal: Crystal, radius: float) -> list[int]:
    """The points of each axis that tell all waves of |G| <= radius apart: -m to m, where m = |a| radius / 2 pi."""
    return [2 * int(np.linalg.norm(vector) * radius / (2 * pi) + 1e-9) + 1 for vector in crystal.lattice]


def fewest_points(at_least: list[int], group: SpaceGroup) -> int:
    """The size of the smallest grid of smooth numbers that keeps all operations.

    Along no axis it has more than four times the points that are needed, or the longest one needs with some to spare.
    """
    most = 1.5 * max(at_least)
    axes = [[n for n in range(low, int(max(4 * low, most)) + 1) if is_smooth(n)] for low in at_least]
    shapes = sorted(product(*axes), key=np.prod)
    # Those that mix the most axes are the most likely to say no.
    order = np.argsort(-np.abs(group.rotations).sum(axis=(1, 2)), kind="stable")
    operations = [(group.rotations[i], group.translations[i]) for i in order]
    return next(
        int(np.prod(shape)) for shape in shapes if all(is_mapped(shape, *operation) for operation in operations)
    )


@given(st.sampled_from(sorted(PRIMITIVE)), multiples, st.sampled_from([6.0, 10.0, 17.0]))
@settings(max_examples=30)
def test_the_grid_of_a_supercell_keeps_its_operations(name: str, cells: Multiples, ecut: float) -> None:
    crystal = supercell(name, cells)
    group, radius = SpaceGroup.of(crystal), grid_radius(ecut)
    shape = choose_shape(crystal.lattice, radius, group)
    assert all(is_smooth(points) for points in shape)
    assert all(points >= least for points, least in zip(shape, needed(crystal, radius), strict=True))
    possible = possible_operations(group)
    assert all(map(lambda w, t: is_mapped(shape, w, t), possible.rotations, possible.translations))


@given(st.sampled_from(sorted(PRIMITIVE)), multiples)
@settings(max_examples=12)
@pytest.mark.thorough
def test_the_grid_of_a_supercell_is_hardly_larger_than_it_must_be(name: str, cells: Multiples) -> None:
    crystal = supercell(name, cells)
    group, radius = SpaceGroup.of(crystal), grid_radius(6.0)
    fewest = fewest_points(needed(crystal, radius), possible_operations(group))
    assert np.prod(choose_shape(crystal.lattice, radius, group)) <= SPARE * fewest


@pytest.mark.parametrize(
    ("crystal", "ecut", "points", "operations"),
    [
        (Crystal.load(str(PHYSICS / "grid-al-1x1x12.extxyz")), 10.0, 90979, 144),
        (Crystal.load(str(PHYSICS / "grid-si-2x1x1.extxyz")), 12.0, 35942, 24),
        (supercell("hcp", (2, 1, 1)), 12.0, 40000, 16),
    ],
    ids=["12 cells of aluminium", "2 cells of silicon", "2 cells of magnesium"],
)
def test_a_long_axis_alone_has_many_points(crystal: Crystal, ecut: float, points: int, operations: int) -> None:
    group = SpaceGroup.of(crystal)
    shape = choose_shape(crystal.lattice, grid_radius(ecut), group)
    assert len(group) == len(group.on_grid(shape)) == operations
    assert np.prod(shape) <= points


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("cells", "mesh"),
    [((1, 1, 3), (3, 3, 1)), pytest.param((1, 3, 1), (3, 1, 3), marks=pytest.mark.slow)],
    ids=["third axis", "second axis"],
)
def test_a_supercell_with_the_folded_k_points_has_the_energy_of_its_cells(cells: Multiples, mesh: Multiples) -> None:
    """Both have the same waves, so that only the points at which exchange and correlation are summed differ."""
    run: dict[str, Any] = {"basis": PlaneWaves(8.0), "smearing": FermiDirac(0.01), "tolerance": 1e-9, "pseudo": "gth"}
    one = mlxc.scf(supercell("fcc", (1, 1, 1)), kmesh=(3, 3, 3), **run)
    three = mlxc.scf(supercell("fcc", cells), kmesh=mesh, **run)
    assert float(three.energy) / 3 == pytest.approx(float(one.energy), abs=1e-6)
