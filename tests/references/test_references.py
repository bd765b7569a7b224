"""Reference values are those of their sources, and belong to the crystal for which they are shown."""

from __future__ import annotations

import pytest
from ase.build import bulk

from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.references.recognition import references_of, solid_name
from mlxc.references.tables import acwf, best_reference, experiment, measured_solids, reference_lines
from mlxc.solids.prototypes import prototype
from mlxc.structures.shipped import shipped_names
from mlxc.units import BOHR_ANG


def test_aluminium_has_all_electron_two_codes_and_experiment() -> None:
    lines = {line.label.split()[0]: line for line in reference_lines("al")}
    assert list(lines) == ["all-electron", "GPAW", "CP2K", "experiment"]
    assert lines["all-electron"].lattice_constant_ang == pytest.approx(4.0409, abs=1e-4)
    assert lines["all-electron"].bulk_modulus_gpa == pytest.approx(77.51, abs=0.01)
    assert lines["experiment"].lattice_constant_ang == 4.019
    # J. Sun et al., Phys. Rev. B 84, 035117 (2011), table of measured moduli.
    assert lines["experiment"].bulk_modulus_gpa == 82.0


def test_a_compound_has_the_measured_value_only() -> None:
    (line,) = reference_lines("mgo")
    assert line.lattice_constant_ang == 4.188
    assert line.volume_per_atom_ang3 == pytest.approx(4.188**3 / 8)


def test_a_layer_has_the_measured_lattice_constant_of_its_bulk_crystal() -> None:
    lines = {line.label.split()[0]: line for line in reference_lines("graphene")}
    assert list(lines) == ["all-electron", "GPAW", "PySCF", "experiment"]
    # Four times the area per atom over sqrt(3) is the square of the lattice constant of a honeycomb.
    for line in lines.values():
        assert line.area_per_atom_ang2 is not None
        assert (4 / 3**0.5 * line.area_per_atom_ang2) ** 0.5 == pytest.approx(line.lattice_constant_ang)
    measured = {name: best_reference(name) for name in ("graphene", "hbn")}
    # Baskin and Meyer, and Pease.
    assert [line and line.lattice_constant_ang for line in measured.values()] == [2.4589, 2.5039]
    assert reference_lines("al")[0].area_per_atom_ang2 is None


@pytest.mark.parametrize("name", shipped_names())
def test_references_lie_near_the_shipped_volume(name: str) -> None:
    crystal = Crystal.load(name)
    volume = crystal.volume * BOHR_ANG**3 / len(crystal.species)
    for line in reference_lines(name):
        assert line.volume_per_atom_ang3 == pytest.approx(volume, rel=0.09)
        assert line.source


def test_all_codes_of_the_table_are_there_even_where_a_plot_leaves_one_out() -> None:
    assert len(acwf("Na", "BCC")) == 3
    assert not any(line.label.startswith("CP2K") for line in reference_lines("na"))


@pytest.mark.parametrize("name", measured_solids())
def test_a_measured_solid_is_known_in_its_primitive_cell_and_in_a_larger_one(name: str) -> None:
    constant = measured_solids()[name]["lattice_constant_ang"]
    crystal = prototype(name, 1.01 * constant)
    supercell = crystal.supercell(1, 2, 1)
    assert solid_name(crystal) == solid_name(supercell) == name
    lines = references_of(supercell)
    assert lines[-1].lattice_constant_ang == constant
    assert all(line.lattice_constant_ang == pytest.approx(constant, rel=0.04) for line in lines)


def test_a_solid_and_the_shipped_crystal_that_it_is_have_the_same_references() -> None:
    for name, solid in (("al", "Al_fcc"), ("si", "Si_diamond"), ("nacl", "NaCl_b1"), ("na", "Na_bcc")):
        assert reference_lines(solid) == reference_lines(name)


def test_elements_that_codes_have_computed_without_their_moment_are_not_measured_by_that() -> None:
    iron = Crystal.from_ase(bulk("Fe", "bcc", a=2.87))
    assert solid_name(iron) == "Fe_bcc"
    assert references_of(iron) == []
    assert [line.label.split()[0] for line in reference_lines("Ni_fcc")] == ["experiment"]
    platinum = references_of(Crystal.from_ase(bulk("Pt", "fcc", a=3.9, cubic=True)))
    assert platinum[0].lattice_constant_ang == pytest.approx(3.97, abs=0.01)


def test_what_is_no_cubic_solid_of_the_tables_is_not_taken_for_one() -> None:
    stretched = bulk("Al", "fcc", a=4.05)
    stretched.set_cell(stretched.cell * [1, 1, 1.02], scale_atoms=True)
    for atoms in (stretched, bulk("Mg", "hcp", a=3.2, c=5.2), bulk("CaF2", "fluorite", a=5.46)):
        assert solid_name(Crystal.from_ase(atoms)) is None
    assert references_of(Crystal.from_ase(bulk("KBr", "rocksalt", a=6.6))) == []


def test_what_is_not_in_the_tables_is_said() -> None:
    with pytest.raises(InputError, match="Al in the structure HCP"):
        acwf("Al", "HCP")
    with pytest.raises(InputError, match="Al_hcp"):
        experiment("Al_hcp")
    with pytest.raises(InputError, match="'unobtainium'"):
        reference_lines("unobtainium")
