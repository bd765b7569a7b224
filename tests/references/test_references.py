"""Reference values are those of their sources, and belong to the crystal for which they are shown."""

from __future__ import annotations

import pytest

from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.references.tables import acwf, best_reference, experiment, reference_lines
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


def test_what_is_not_in_the_tables_is_said() -> None:
    with pytest.raises(InputError, match="Al in the structure HCP"):
        acwf("Al", "HCP")
    with pytest.raises(InputError, match="Al_hcp"):
        experiment("Al_hcp")
    with pytest.raises(InputError, match="'unobtainium'"):
        reference_lines("unobtainium")
