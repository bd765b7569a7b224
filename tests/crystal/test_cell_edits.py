"""Edits of a cell do what they say, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest
from support import cif

from mlxc.crystal.cell_edits import MAX_SUPERCELL_ATOMS, CellEdit, lattice_constant_ang
from mlxc.crystal.crystal import MAX_ATOMS, Crystal
from mlxc.crystal.resizing import area_ang2, height_ang
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.crystal.vacuum import sheet_thickness
from mlxc.errors import InputError
from mlxc.structures.default_settings import mesh_with_spacing, spacing_of_mesh
from mlxc.structures.files import read_structure
from mlxc.units import BOHR_ANG


def distances(crystal: Crystal) -> np.ndarray:
    """Of all atoms from the first one, as ASE finds them, angstrom."""
    return np.sort(crystal.to_ase().get_distances(0, range(len(crystal.species)), mic=True))


def buckled_sheet(shift: float) -> Crystal:
    """Two atoms at different heights in an oblique cell; ``shift`` moves them across its boundary."""
    lattice = np.array([[5.0, 0, 0], [1, 6, 0], [2, 1, 30]])
    return Crystal(lattice, ["Si", "C"], [[0, 0, 0.48 + shift], [0.5, 0.4, 0.54 + shift]])


def test_no_edit_leaves_the_very_same_crystal() -> None:
    crystal = Crystal.load("ni")
    assert CellEdit().apply(crystal) is crystal


@pytest.mark.parametrize(
    ("name", "constant"), [("al", 4.04958), ("si", 5.4307), ("na", 4.225), ("mg", 3.20927), ("graphene", 2.466)]
)
def test_cubic_and_hexagonal_crystals_have_the_lattice_constant_of_their_source(name: str, constant: float) -> None:
    assert lattice_constant_ang(Crystal.load(name)) == pytest.approx(constant, abs=1e-6)


@pytest.mark.parametrize("name", ["al", "mg", "graphene"])
def test_a_lattice_constant_is_what_the_crystal_then_has(name: str) -> None:
    crystal = Crystal.load(name)
    edited = CellEdit(lattice_constant_ang=3.1).apply(crystal)
    assert lattice_constant_ang(edited) == pytest.approx(3.1)
    assert len(SpaceGroup.of(edited)) == len(SpaceGroup.of(crystal))
    if name == "graphene":
        assert height_ang(edited) == pytest.approx(10.0)


def test_a_crystal_without_one_lattice_constant_is_scaled() -> None:
    crystal = CellEdit(strain_percent=(1.0, 2.0, 3.0)).apply(Crystal.load("al").supercell(1, 1, 1))
    assert lattice_constant_ang(crystal) is None
    with pytest.raises(InputError, match="lattice_constant_ang"):
        CellEdit(lattice_constant_ang=4.0).apply(crystal)
    assert CellEdit(scale_percent=90).apply(crystal).volume == pytest.approx(0.9**3 * crystal.volume)


def test_a_strain_lengthens_lattice_vectors_and_breaks_the_symmetry() -> None:
    crystal = Crystal.load("al")
    edited = CellEdit(strain_percent=(2.0, 0.0, -1.0)).apply(crystal)
    lengths = np.linalg.norm(edited.lattice, axis=1) / np.linalg.norm(crystal.lattice, axis=1)
    assert lengths == pytest.approx([1.02, 1.0, 0.99])
    assert len(SpaceGroup.of(edited)) < len(SpaceGroup.of(crystal))


@pytest.mark.parametrize("shift", [0.0, 0.49, 0.5, -0.52])
@pytest.mark.parametrize("height", [12.0, 40.0])
def test_another_height_moves_no_atom_of_a_sheet_wherever_it_lies_in_the_cell(shift: float, height: float) -> None:
    sheet = buckled_sheet(shift)
    edited = CellEdit(height_ang=height).apply(sheet)
    assert height_ang(edited) == pytest.approx(height)
    assert area_ang2(edited) == pytest.approx(area_ang2(sheet))
    assert distances(edited) == pytest.approx(distances(sheet))
    before, after = sheet_thickness(sheet, 2), sheet_thickness(edited, 2)
    assert after == pytest.approx(before)


def test_a_supercell_describes_the_same_crystal() -> None:
    crystal = Crystal.load("ni")
    edited = CellEdit(repeats=(2, 1, 3)).apply(crystal)
    assert len(edited.species) == 6
    assert edited.volume == pytest.approx(6 * crystal.volume)
    assert edited.moments == pytest.approx(np.repeat(crystal.moments, 6))
    dataset = edited.to_pymatgen().get_primitive_structure()
    assert len(dataset) == 1


@pytest.mark.parametrize(
    ("edit", "field", "allowed"),
    [
        (CellEdit(lattice_constant_ang=-4.0), "lattice_constant_ang: -4", "angstrom"),
        (CellEdit(lattice_constant_ang=nan), "lattice_constant_ang: nan", "between"),
        (CellEdit(scale_percent=inf), "scale_percent: inf", "between 50 and 200"),
        (CellEdit(strain_percent=(0.0, -200.0, 0.0)), "strain_percent: -200", "between -50 and 50"),
        (CellEdit(strain_percent=(nan, 0.0, 0.0)), "strain_percent: nan", "between -50 and 50"),
        (CellEdit(repeats=(100, 100, 100)), "repeats: 100 x 100 x 100", f"at most {MAX_SUPERCELL_ATOMS}"),
        (CellEdit(repeats=(10**30, 1, 1)), "repeats: 1000", f"at most {MAX_SUPERCELL_ATOMS}"),
        (CellEdit(repeats=(0, 1, 1)), "repeats: 0 x 1 x 1", "from 1 on"),
        (CellEdit(repeats=(-2, -2, 1)), "repeats: -2 x -2 x 1", "from 1 on"),
        (CellEdit(height_ang=12.0), "height_ang", "no sheet"),
    ],
)
def test_what_makes_no_crystal_is_refused_in_one_sentence(edit: CellEdit, field: str, allowed: str) -> None:
    with pytest.raises(InputError) as error:
        edit.apply(Crystal.load("al"))
    assert field in str(error.value)
    assert allowed in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("height", [-10.0, 0.0, 5.0, 1e9, nan])
def test_a_height_without_a_vacuum_is_refused(height: float) -> None:
    with pytest.raises(InputError, match=r"height_ang: .* between 6\.1 and 100 angstrom"):
        replace(CellEdit(), height_ang=height).apply(Crystal.load("graphene"))


def test_the_lowest_height_that_is_offered_still_makes_a_sheet() -> None:
    assert height_ang(CellEdit(height_ang=6.1).apply(Crystal.load("graphene"))) == pytest.approx(6.1)


def test_the_spacing_of_a_mesh_gives_that_mesh_again() -> None:
    for name, mesh in (("al", [8, 8, 8]), ("mg", [8, 8, 5]), ("graphene", [9, 9, 1])):
        crystal = Crystal.load(name)
        spacing = spacing_of_mesh(crystal, mesh)
        assert mesh_with_spacing(crystal, spacing)[:2] == mesh[:2]
    assert spacing_of_mesh(Crystal.load("al"), [8, 8, 8]) == pytest.approx(2 * np.pi * 3**0.5 / 4.04958 / 8)


def test_a_cell_of_too_many_atoms_is_refused_at_once() -> None:
    atoms = 30 * MAX_ATOMS
    length = 5 * atoms ** (1 / 3)
    positions = np.random.default_rng(1).random((atoms, 3))
    with pytest.raises(InputError, match=f"{atoms} atoms .* at most {MAX_ATOMS}"):
        Crystal(np.eye(3) * length / BOHR_ANG, ["Al"] * atoms, positions)
    rows = [f"Al {x:.4f} {y:.4f} {z:.4f}" for x, y, z in positions[: 2 * MAX_ATOMS]]
    with pytest.raises(InputError, match=f"large.cif: .* {2 * MAX_ATOMS} atoms"):
        read_structure(cif(*rows), "large.cif")
