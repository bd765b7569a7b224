"""A crystal survives the way into other libraries and back, and refuses what is none."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError

coordinates = st.floats(-1.5, 1.5, allow_nan=False)


@st.composite
def crystals(draw: st.DrawFn) -> Crystal:
    """Crystals of one to three atoms in a cell that is far from flat; a candidate that is no crystal is thrown away."""
    natom = draw(st.integers(1, 3))
    lattice = 10 * np.eye(3) + draw(arrays(float, (3, 3), elements=st.floats(-2, 2)))
    species = draw(st.lists(st.sampled_from(["H", "C", "Al", "Ni", "U"]), min_size=natom, max_size=natom))
    positions = draw(arrays(float, (natom, 3), elements=coordinates))
    moments = draw(arrays(float, (natom,), elements=st.floats(-3, 3)))
    try:
        return Crystal(lattice, species, positions, moments, name="drawn")
    except InputError:
        assume(False)
        raise


def assert_same(first: Crystal, second: Crystal) -> None:
    assert first.species == second.species
    np.testing.assert_allclose(first.lattice, second.lattice, atol=1e-10)
    np.testing.assert_allclose(first.positions, second.positions, atol=1e-10)
    np.testing.assert_allclose(first.moments, second.moments, atol=1e-12)
    assert first.name == second.name


@given(crystals())
def test_ase_gives_back_the_same_crystal(crystal: Crystal) -> None:
    assert_same(Crystal.from_ase(crystal.to_ase(), crystal.name), crystal)


@given(crystals())
def test_pymatgen_gives_back_the_same_crystal(crystal: Crystal) -> None:
    assert_same(Crystal.from_pymatgen(crystal.to_pymatgen(), crystal.name), crystal)


@given(crystals())
def test_json_gives_back_the_same_crystal(crystal: Crystal) -> None:
    assert_same(Crystal.from_dict(json.loads(json.dumps(crystal.to_dict()))), crystal)


@given(crystals(), st.integers(1, 2), st.integers(1, 2), st.integers(1, 3))
def test_a_supercell_has_the_same_density_of_atoms_and_formula(crystal: Crystal, n1: int, n2: int, n3: int) -> None:
    large = crystal.supercell(n1, n2, n3)
    assert large.volume / len(large.species) == pytest.approx(crystal.volume / len(crystal.species))
    assert large.formula == crystal.formula


@given(crystals(), st.floats(0.9, 1.2))
def test_scaling_keeps_fractional_positions_and_cubes_the_volume(crystal: Crystal, factor: float) -> None:
    try:
        scaled = crystal.scaled(factor)
    except InputError:  # atoms that were just far enough apart
        assume(False)
        raise
    assert scaled.volume == pytest.approx(factor**3 * crystal.volume)
    np.testing.assert_array_equal(scaled.positions, crystal.positions)


@given(crystals())
def test_reciprocal_vectors_are_dual_to_the_lattice(crystal: Crystal) -> None:
    np.testing.assert_allclose(crystal.lattice @ crystal.reciprocal.T, 2 * np.pi * np.eye(3), atol=1e-10)


def test_units_are_bohr_inside_and_angstrom_outside() -> None:
    crystal = Crystal.load("al")
    assert crystal.volume == pytest.approx(4.04958**3 / 4 / 0.529177210903**3)
    assert crystal.to_ase().get_volume() == pytest.approx(4.04958**3 / 4)


def test_a_crystal_cannot_be_changed() -> None:
    crystal = Crystal.load("si")
    with pytest.raises(ValueError, match="read-only"):
        crystal.positions[0, 0] = 0.5


def test_the_formula_is_reduced() -> None:
    assert Crystal.load("mgo").supercell(2, 1, 1).formula == "MgO"
    assert Crystal.load("si").formula == "Si"


def test_a_molecule_is_refused() -> None:
    from ase import Atoms

    with pytest.raises(InputError, match="no three-dimensional cell"):
        Crystal.from_ase(Atoms("H2", positions=[[0, 0, 0], [0, 0, 0.74]]))


def test_partial_occupancy_is_refused() -> None:
    from pymatgen.core import Lattice, Structure

    alloy = Structure(Lattice.cubic(4), [{"Cu": 0.5, "Au": 0.5}], [[0, 0, 0]])
    with pytest.raises(InputError, match="partially occupied"):
        Crystal.from_pymatgen(alloy)


def test_moments_of_pymatgen_come_as_numbers_objects_and_spins() -> None:
    from pymatgen.core import Lattice, Species, Structure
    from pymatgen.electronic_structure.core import Magmom

    iron = Structure(Lattice.cubic(2.87), [Species("Fe", 2, spin=4), "Fe"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    assert Crystal.from_pymatgen(iron).moments.tolist() == [4.0, 0.0]
    assert Crystal.from_pymatgen(iron).species == ("Fe", "Fe")
    iron.add_site_property("magmom", [Magmom(-2.2), None])
    assert Crystal.from_pymatgen(iron).moments.tolist() == [-2.2, 0.0]
    again = Crystal.from_pymatgen(Crystal.from_pymatgen(iron).to_pymatgen())
    assert_same(again, Crystal.from_pymatgen(iron))
    iron.add_site_property("magmom", [[0, 0, 1.5], Magmom([1.0, 0, 1.0])])
    with pytest.raises(InputError, match="several directions"):
        Crystal.from_pymatgen(iron)


def test_a_molecule_of_pymatgen_is_refused() -> None:
    from pymatgen.core import Molecule

    with pytest.raises(InputError, match="no lattice"):
        Crystal.from_pymatgen(Molecule(["H", "H"], [[0, 0, 0], [0, 0, 0.74]]))  # type: ignore[arg-type]


CUBE = [[4.0, 0, 0], [0, 4.0, 0], [0, 0, 4.0]]


@pytest.mark.parametrize(
    ("structure", "complaint"),
    [
        ({"species": ["Al"], "fractional_positions": [[0, 0, 0]]}, "lattice_ang"),
        ({"lattice_ang": CUBE, "species": [], "fractional_positions": []}, "no atoms"),
        ({"lattice_ang": CUBE, "species": ["Zz"], "fractional_positions": [[0, 0, 0]]}, "'Zz' is not"),
        ({"lattice_ang": CUBE, "species": ["X"], "fractional_positions": [[0, 0, 0]]}, "'X' is not"),
        ({"lattice_ang": CUBE, "species": ["Al"], "fractional_positions": [[0, 0]]}, "shape"),
        ({"lattice_ang": CUBE, "species": ["Al"], "fractional_positions": [[0, 0, float("nan")]]}, "finite"),
        ({"lattice_ang": CUBE, "species": ["Al"], "fractional_positions": [["a", 0, 0]]}, "numbers"),
        ({"lattice_ang": CUBE[:2] + CUBE[:1], "species": ["Al"], "fractional_positions": [[0, 0, 0]]}, "no volume"),
        ({"lattice_ang": CUBE, "species": ["Al", "Al"], "fractional_positions": [[0, 0, 0], [1, 0, 0]]}, "on top"),
        ({"lattice_ang": CUBE, "species": ["Al", "Al"], "fractional_positions": [[0.0, 0, 0], [0.99, 0, 0]]}, "on top"),
    ],
)
def test_what_is_no_crystal_is_refused_with_the_reason(structure: dict, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        Crystal.from_dict(structure)


def test_where_a_crystal_was_read_from_goes_with_it_and_says_nothing_where_it_was_not_read() -> None:
    made = Crystal(8.0 * np.eye(3), ["Al"], [[0, 0, 0]])
    assert made.origin == ""
    assert "origin" not in made.to_dict()
    read = Crystal(made.lattice, made.species, made.positions, origin="al.cif (CIF)")
    again = Crystal.from_dict(json.loads(json.dumps(read.to_dict())))
    for derived in (again, read.scaled(1.1), read.scaled_in_plane(1.1, 2), read.supercell(1, 2, 1)):
        assert derived.origin == "al.cif (CIF)"
