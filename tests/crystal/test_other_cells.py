"""The reduced and the primitive cell are the same crystal, and as small as they can be."""

from __future__ import annotations

import numpy as np
import pytest
import spglib
from ase.build import bulk, graphene
from hypothesis import given, settings
from numpy.typing import NDArray
from skewed_cells import in_other_cell, unimodular

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.distances import closest_pair
from mlxc.crystal.lattice_reduction import shortest_basis
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.structures.shipped import shipped_names


def is_the_same(first: Crystal, second: Crystal) -> bool:
    """Whether two crystals, in different cells of one lattice, are the same atoms in the same order."""
    in_cell_of_first = Crystal(
        first.lattice, second.species, second.positions @ second.lattice @ np.linalg.inv(first.lattice), second.moments
    )
    return first.same_as(in_cell_of_first, with_moments=True)


@pytest.mark.parametrize("name", shipped_names())
@settings(max_examples=15)
@given(matrix=unimodular())
def test_the_reduced_cell_holds_the_same_atoms_between_the_shortest_vectors(
    name: str, matrix: NDArray[np.int64]
) -> None:
    crystal = Crystal.load(name)
    skewed = in_other_cell(crystal, matrix)
    reduced = skewed.reduced()
    combination = reduced.lattice @ np.linalg.inv(skewed.lattice)
    assert np.abs(combination - combination.round()).max() < 1e-6
    assert np.linalg.det(combination) == pytest.approx(1)
    assert is_the_same(reduced, skewed)
    # Niggli's cell consists of the three shortest vectors, too.
    niggli = spglib.niggli_reduce(crystal.lattice)
    lengths = [np.sort(np.linalg.norm(lattice, axis=1)) for lattice in (reduced.lattice, niggli)]
    np.testing.assert_allclose(*lengths, rtol=1e-5)


@pytest.mark.parametrize("name", shipped_names())
def test_the_reduced_cell_of_a_usual_cell_is_that_cell(name: str) -> None:
    lattice = Crystal.load(name).lattice
    np.testing.assert_allclose(shortest_basis(lattice), lattice, atol=1e-10)


@pytest.mark.parametrize("name", shipped_names())
@pytest.mark.parametrize("repeats", [(2, 1, 1), (2, 2, 2), (1, 3, 2)])
def test_the_primitive_cell_of_a_supercell_is_the_cell_that_was_repeated(
    name: str, repeats: tuple[int, int, int]
) -> None:
    crystal = Crystal.load(name)
    primitive = crystal.supercell(*repeats).primitive()
    assert len(primitive.species) == len(crystal.species)
    assert primitive.volume == pytest.approx(crystal.volume)
    # It is not turned: lattice vectors of the one are lattice vectors of the other.
    combination = primitive.lattice @ np.linalg.inv(crystal.lattice)
    np.testing.assert_allclose(combination, combination.round(), atol=1e-6)
    assert np.linalg.det(combination) > 0


CUBES = {
    "aluminium": (bulk("Al", cubic=True), 1),
    "iron": (bulk("Fe", cubic=True), 1),
    "silicon": (bulk("Si", cubic=True), 2),
    "salt": (bulk("NaCl", "rocksalt", a=5.64, cubic=True), 2),
    "zincblende": (bulk("GaAs", "zincblende", a=5.65, cubic=True), 2),
    "caesium chloride": (bulk("CsCl", "cesiumchloride", a=4.12), 2),
    "fluorite": (bulk("CaF2", "fluorite", a=5.46, cubic=True), 3),
    "hcp": (bulk("Mg"), 2),
    "orthorhombic wurtzite": (bulk("ZnO", "wurtzite", a=3.25, c=5.2, orthorhombic=True), 4),
    "orthorhombic hcp": (bulk("Ti", orthorhombic=True), 2),
    "sheet": (graphene(size=(4, 4, 1), vacuum=8.0), 2),
}


@pytest.mark.parametrize("name", CUBES)
def test_a_conventional_cell_has_the_primitive_cell_of_the_textbook(name: str) -> None:
    atoms, expected = CUBES[name]
    atoms.set_initial_magnetic_moments(None)
    atoms.pbc = True
    crystal = Crystal.from_ase(atoms)
    primitive = crystal.primitive()
    assert len(primitive.species) == expected
    assert len(spglib.find_primitive((crystal.lattice, crystal.positions, crystal.atomic_numbers))[2]) == expected
    assert closest_pair(primitive.lattice, primitive.positions)[0] == pytest.approx(
        closest_pair(crystal.lattice, crystal.positions)[0]
    )
    assert (primitive is crystal) == (expected == len(crystal.species))
    # As many operations of the point group: nothing was deformed on the way.
    rotations = [len(np.unique(SpaceGroup.of(own).rotations, axis=0)) for own in (crystal.reduced(), primitive)]
    assert rotations[1] >= rotations[0]


def test_an_antiferromagnet_keeps_the_cell_of_its_moments() -> None:
    iron = Crystal.from_ase(bulk("Fe", cubic=True))
    parallel = Crystal(iron.lattice, iron.species, iron.positions, [2.2, 2.2])
    opposite = Crystal(iron.lattice, iron.species, iron.positions, [2.2, -2.2])
    assert parallel.primitive().moments.tolist() == [2.2]
    assert opposite.primitive() is opposite
    twice = opposite.supercell(1, 1, 2).primitive()
    assert sorted(twice.moments.tolist()) == [-2.2, 2.2]


@settings(max_examples=25)
@given(matrix=unimodular(largest=5))
def test_the_primitive_cell_of_a_skewed_supercell_is_found(matrix: NDArray[np.int64]) -> None:
    salt = Crystal.load("nacl").supercell(1, 2, 2)
    primitive = in_other_cell(salt, matrix).primitive()
    assert sorted(primitive.species) == ["Cl", "Na"]
    assert np.linalg.norm(primitive.lattice, axis=1).max() == pytest.approx(np.linalg.norm(salt.lattice[0]))
