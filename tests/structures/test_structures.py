"""Shipped structures are what they claim, files of every usual kind are read, and default settings suit the crystal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import spglib
from support import cif, extxyz, poscar

from mlxc.calculation.calculation import Calculation
from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError, MlxcWarning
from mlxc.structures.files import read_structure
from mlxc.structures.shipped import default_settings, shipped_names, shipped_record
from mlxc.structures.sources import load_structure

SPACE_GROUPS = {
    "al": 225, "ni": 225, "ca": 225, "cu": 225, "na": 229, "mg": 194, "si": 227, "diamond": 227, "ge": 227,
    "gaas": 216, "nacl": 225, "mgo": 225, "graphene": 191, "hbn": 187,
}  # fmt: skip


def test_all_structures_are_shipped() -> None:
    assert set(shipped_names()) == set(SPACE_GROUPS)


@pytest.mark.parametrize("name", SPACE_GROUPS)
def test_a_shipped_structure_is_primitive_and_has_its_space_group(name: str) -> None:
    crystal = Crystal.load(name)
    cell = (crystal.lattice, crystal.positions, crystal.atomic_numbers)
    dataset = spglib.get_symmetry_dataset(cell, symprec=1e-5)
    assert dataset.number == SPACE_GROUPS[name]
    assert len(spglib.find_primitive(cell, symprec=1e-5)[2]) == len(crystal.species)


@pytest.mark.parametrize("name", SPACE_GROUPS)
def test_a_shipped_structure_states_its_source_and_can_be_computed_as_it_is(name: str) -> None:
    record = shipped_record(name)
    assert record["name"] == record["structure"]["name"] == name
    assert len(record["source"]) > 40
    calculation = Calculation.from_dict({"structure": name})
    assert calculation.pseudo == "pseudodojo"
    assert list(calculation.kmesh) == record["settings"]["kmesh"]


def test_a_name_is_found_whatever_its_case() -> None:
    assert load_structure("MgO").formula == "MgO"


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        ("al.cif", cif("Al 0 0 0")),
        ("upload", cif("Al 0 0 0")),
        ("POSCAR", poscar()),
        ("CONTCAR_relaxed", poscar()),
        ("structure", poscar()),
        ("al.vasp", poscar()),
        ("al.xyz", extxyz()),
        ("al.extxyz", extxyz()),
        ("trajectory.txt", extxyz()),
    ],
)
def test_the_format_is_found_by_name_or_content(filename: str, content: str, tmp_path: Path) -> None:
    path = tmp_path / filename
    path.write_text(content)
    uploaded = (read_structure(content, filename), read_structure(content.encode(), filename))
    for crystal in (load_structure(str(path)), *uploaded):
        assert crystal.species == ("Al",)
        assert crystal.volume > 100


@pytest.mark.parametrize("form", ["cif", "vasp", "extxyz", "json", "xsf", "gen", "traj", "espresso-in"])
def test_what_ase_writes_is_read_back(form: str, tmp_path: Path) -> None:
    crystal = Crystal.load("gaas")
    path = tmp_path / f"gaas.{'pwi' if form == 'espresso-in' else form}"
    pseudopotentials = {"pseudopotentials": {"Ga": "Ga.upf", "As": "As.upf"}} if form == "espresso-in" else {}
    crystal.to_ase().write(path, format=form, **pseudopotentials)
    again = load_structure(str(path))
    assert sorted(again.species) == sorted(crystal.species)
    assert again.volume == pytest.approx(crystal.volume, rel=1e-5)


def test_a_crystal_from_a_file_is_called_after_the_file() -> None:
    assert read_structure(cif("Al 0 0 0"), "C:/fake/my crystal.cif").name == "my crystal"
    assert read_structure(poscar(), "POSCAR").name == "Al"


def test_of_several_images_the_last_is_taken() -> None:
    with pytest.warns(MlxcWarning, match="2 images"):
        crystal = read_structure(extxyz("Al") + extxyz("Si"), "path.extxyz")
    assert crystal.species == ("Si",)


def test_a_wrong_name_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(InputError, match="did you mean 'graphene'"):
        load_structure("graphen")


def test_messages_name_the_uploaded_file_and_no_temporary_one() -> None:
    with pytest.raises(InputError) as error:
        read_structure(b"\x00\x01rubbish", "/tmp/upload-123/rubbish.dat")
    assert str(error.value).startswith("rubbish.dat: ")
    assert "tmp" not in str(error.value)


@pytest.mark.parametrize("linear", [0.97, 1.0, 1.03])
def test_a_shipped_structure_keeps_its_settings_at_any_volume(linear: float) -> None:
    for name in shipped_names():
        scaled = Crystal.load(name).scaled(linear)
        assert default_settings(scaled.to_dict()) == shipped_record(name)["settings"]


def test_another_crystal_of_the_same_name_does_not_get_the_shipped_settings() -> None:
    cube = Crystal(4.05 / 0.529177 * np.eye(3), ["Al"], [[0, 0, 0]], name="al")
    assert default_settings(cube.to_dict())["kmesh"] != shipped_record("al")["settings"]["kmesh"]


def test_a_vacuum_gets_one_k_point_wherever_the_sheet_lies() -> None:
    graphene = Crystal.load("graphene")
    for height in (0.0, 0.5, 0.98):
        positions = graphene.positions + np.array([0, 0, height - 0.5])
        moved = Crystal(graphene.lattice, graphene.species, positions, name="sheet")
        first, second, third = default_settings(moved.to_dict())["kmesh"]
        assert first == second > 4
        assert third == 1


def test_a_larger_cell_needs_fewer_k_points_in_proportion() -> None:
    cell = Crystal(8.0 * np.eye(3), ["Al"], [[0, 0, 0]], name="cube")
    small = np.array(default_settings(cell.to_dict())["kmesh"])
    large = np.array(default_settings(cell.supercell(1, 2, 4).to_dict())["kmesh"])
    np.testing.assert_array_equal(large, np.ceil(small / [1, 2, 4]))


@pytest.mark.parametrize("family", ["pseudodojo", "gth"])
def test_the_hardest_element_decides_the_cutoff(family: str) -> None:
    def cutoff(*species: str) -> float:
        pair = Crystal(8.0 * np.eye(3), species, [[0, 0, 0], [0.5, 0.5, 0.5]])
        return Calculation.from_dict({"structure": pair, "pseudo": family}).ecut_ha

    assert cutoff("Al", "Al") < cutoff("Al", "O") == cutoff("O", "O")
