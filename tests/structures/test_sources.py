"""A source is a shipped structure, a file, or a part of one, and it is told which where it might be another."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import cif, extxyz, poscar

from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError, MlxcWarning
from mlxc.structures.sources import load_structure

NAMELESS = poscar().replace("Al\n", "")


def test_species_are_named_behind_the_file_or_as_an_argument(tmp_path: Path) -> None:
    path = tmp_path / "POSCAR"
    path.write_text(NAMELESS)
    with pytest.raises(InputError, match="FILE#Mg or with --species Mg"):
        Crystal.load(path)
    for crystal in (
        Crystal.load(f"{path}#Cu"), Crystal.load(path, species="Cu"), Crystal.load(path, species=["Cu"]),
    ):  # fmt: skip
        assert crystal.species == ("Cu",)
        assert crystal.origin == "POSCAR (POSCAR)"


def test_a_name_may_hold_the_sign_of_a_part_itself(tmp_path: Path) -> None:
    (tmp_path / "run#1.vasp").write_text(poscar("Cu"))
    (tmp_path / "run#2.vasp").write_text(NAMELESS)
    assert load_structure(str(tmp_path / "run#1.vasp")).species == ("Cu",)
    assert load_structure(str(tmp_path / "run#2.vasp#Ag")).species == ("Ag",)


@pytest.mark.parametrize(
    ("name", "content", "part", "complaint"),
    [
        ("al.xyz", extxyz(), "#Al", "names a block of a CIF or the species of a POSCAR"),
        ("POSCAR", NAMELESS, "#", "no line of species"),
        ("POSCAR", NAMELESS, "#Al,Al", "each species needs one number"),
        ("POSCAR", NAMELESS, "#Alu", "'Alu' is not a chemical element"),
        ("missing", "", "#Al", "There is no file"),
    ],
)
def test_a_part_that_is_not_there_is_refused(
    name: str, content: str, part: str, complaint: str, tmp_path: Path
) -> None:
    if content:
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=complaint):
        load_structure(f"{tmp_path / name}{part}")


def test_species_are_for_files_that_do_not_say_them(tmp_path: Path) -> None:
    (tmp_path / "al.cif").write_text(cif("Al 0 0 0"))
    with pytest.raises(InputError, match="a POSCAR alone may leave its species"):
        Crystal.load(tmp_path / "al.cif", species="Al")
    with pytest.raises(InputError, match="'al' is a shipped structure"):
        Crystal.load("al", species="Al")


def test_a_file_with_the_name_of_a_shipped_structure_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("al").write_text(poscar("Cu"))
    with pytest.warns(MlxcWarning, match=r"taken for the shipped structure, .* '\./al' means the file"):
        assert load_structure("al").species == ("Al",)
    assert load_structure("./al").species == ("Cu",)
    assert load_structure(Path("al")).species == ("Cu",)


def test_what_was_chosen_is_told_in_a_warning(tmp_path: Path) -> None:
    (tmp_path / "path.xyz").write_text(extxyz("Al") + extxyz("Cu"))
    with pytest.warns(MlxcWarning, match=r"The file has 2 images, and the last one was taken\."):
        assert Crystal.load(tmp_path / "path.xyz").species == ("Cu",)
