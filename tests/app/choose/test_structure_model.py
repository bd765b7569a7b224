"""Finding, bringing and editing a crystal, without a browser."""

from __future__ import annotations

import re
import time
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.io import write
from mlxc_app.choose.model import ChooseModel
from mlxc_app.choose.structure_model import MAX_PASTE_BYTES
from mlxc_app.choose.structure_search import find_structures
from mlxc_app.widgets.crystal_picture import draw
from support import cif, extxyz, poscar

from mlxc.crystal.cell_edits import MAX_SUPERCELL_ATOMS
from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.structures.shipped import shipped_names


def atoms(model: ChooseModel) -> int:
    return len(model.structure["species"])


@pytest.mark.parametrize(
    ("text", "first"),
    [("si", "si"), ("Si", "si"), ("MgO", "mgo"), ("C", "diamond"), ("graph", "graphene"), ("nitride", "hbn"),
     ("  Magnesium  oxide ", "mgo"), ("magnesium", "mg"), ("nacl", "nacl"), ("boron hex", "hbn")],
)  # fmt: skip
def test_a_structure_is_found_by_name_formula_or_title(text: str, first: str) -> None:
    assert find_structures(text)[0][1] == first


def test_an_empty_search_lists_everything_and_a_wrong_word_nothing() -> None:
    assert {name for _, name in find_structures("  ")} == set(shipped_names())
    assert find_structures("unobtainium") == []
    assert find_structures("<b>\\(*") == []


@pytest.mark.parametrize("text", [poscar(), cif("Al 0 0 0"), extxyz()])
def test_a_pasted_text_becomes_the_structure_whatever_its_format(text: str) -> None:
    model = ChooseModel("si")
    model.take_text(text)
    assert model.structure["species"] == ["Al"]
    assert (model.shipped_name, model.title, model.blocker) == ("", "Al, pasted", "")


def test_the_crystal_of_a_cube_file_becomes_the_structure(tmp_path: Path) -> None:
    path = tmp_path / "density.cube"
    write(path, Crystal.load("si").to_ase(), data=np.zeros((4, 4, 4)))
    model = ChooseModel("al")
    model.take_file(path.name, path.read_bytes())
    assert (model.title, model.blocker) == ("Si from density.cube", "")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "nothing to use"),
        (" \n\t", "nothing to use"),
        (cif(), "no atoms"),
        ("#" * 10_000_000, f"{MAX_PASTE_BYTES // 1000} kB"),
        ("Dear reader", "cannot be read"),
        (poscar("Qq"), "'Qq'"),
        ("\x00\x01", "binary"),
        ("data_x\n_cell_length_a nan\n", "CIF"),
    ],
)
def test_a_bad_paste_is_a_sentence_and_the_choice_stays(text: str, word: str) -> None:
    model = ChooseModel("si")
    model.change(repeats=(2, 1, 1))
    before = model.structure
    with pytest.raises(InputError, match=word) as error:
        model.take_text(text)
    assert "\n" not in str(error.value)
    assert model.structure == before
    assert model.title == "Silicon (diamond structure), 2×1×1 cells"


def test_a_file_of_many_atoms_is_refused_before_it_blocks_the_page() -> None:
    rows = "\n".join(f"Al {x:.3f} 0 0" for x in range(100_000))
    content = f'100000\nLattice="100000 0 0 0 5 0 0 0 5" Properties=species:S:1:pos:R:3\n{rows}\n'
    started = time.monotonic()
    with pytest.raises(InputError, match="100000 atoms"):
        ChooseModel("al").take_file("many.xyz", content.encode())
    assert time.monotonic() - started < 30


def test_a_supercell_is_computed_not_only_drawn() -> None:
    model = ChooseModel("graphene")
    drawn = len(draw(model.structure, cell_only=True).symbols)
    model.change(repeats=(3, 2, 1))
    assert atoms(model) == 12
    assert model.calculation().structure == model.structure
    assert model.kmesh == (3, 5, 1)
    assert model.size.startswith("48 valence electrons")
    assert len(draw(model.structure, cell_only=True).symbols) > 2 * drawn
    model.reset()
    assert (atoms(model), model.kmesh, model.title) == (2, (9, 9, 1), "Graphene")


def test_the_mesh_of_a_supercell_does_not_drift() -> None:
    model = ChooseModel("al")
    for n in (3, 2, 1, 5, 1):
        model.change(repeats=(n, 1, 1))
    assert model.kmesh == (8, 8, 8)
    model.change(repeats=(2, 1, 1))
    model.kmesh = (3, 6, 6)
    model.reset()
    assert model.kmesh == (6, 6, 6)


def test_edits_start_from_the_original_and_are_taken_back_together() -> None:
    model = ChooseModel("al")
    original = model.structure
    model.change(lattice_constant_ang=4.1)
    model.change(strain_percent=(0.0, 0.0, 2.0))
    model.change(lattice_constant_ang=4.0)
    lengths = np.linalg.norm(model.structure["lattice_ang"], axis=1)
    assert lengths == pytest.approx([4.0 / 2**0.5, 4.0 / 2**0.5, 1.02 * 4.0 / 2**0.5])
    assert model.title == "Aluminium (fcc), a = 4 Å, strain 0 / 0 / 2 %"
    # References of aluminium are not those of strained aluminium.
    assert model.structure["name"] != "al"
    model.reset()
    assert model.structure == original


def test_the_vacuum_of_a_sheet_is_changed_and_that_of_a_bulk_crystal_is_not_offered() -> None:
    model = ChooseModel("graphene")
    assert model.height_ang == pytest.approx(10.0)
    model.change(height_ang=15.0)
    assert model.structure["lattice_ang"][2] == pytest.approx([0.0, 0.0, 15.0])
    assert model.blocker == ""
    assert ChooseModel("al").height_ang is None


@pytest.mark.parametrize(
    ("name", "edit", "label"),
    [
        ("al", {"repeats": (100, 100, 100)}, f"Supercell: .* at most {MAX_SUPERCELL_ATOMS}"),
        ("al", {"repeats": (0, 1, 1)}, "Supercell"),
        ("al", {"repeats": (-1, -1, 1)}, "Supercell"),
        ("al", {"strain_percent": (-200.0, 0.0, 0.0)}, r"Strain \(%\): -200 .* between -50 and 50"),
        ("al", {"strain_percent": (nan, 0.0, 0.0)}, r"Strain \(%\): nan"),
        ("al", {"lattice_constant_ang": nan}, "Constant a"),
        ("al", {"lattice_constant_ang": -4.0}, "Constant a"),
        ("graphene", {"height_ang": -10.0}, r"Height of cell \(Å\): -10"),
        ("graphene", {"height_ang": nan}, r"Height of cell \(Å\): nan"),
        ("mgo", {"lattice_constant_ang": 2.0}, "between 2.106 and 8.422 angstrom"),
    ],
)
def test_an_impossible_edit_blocks_the_run_and_the_last_crystal_stays(
    name: str, edit: dict[str, Any], label: str
) -> None:
    model = ChooseModel(name)
    before = model.structure
    model.change(**edit)
    assert re.search(label, model.blocker)
    assert (model.size, model.estimate, model.structure) == ("", "", before)
    with pytest.raises(InputError):
        model.calculation()
    model.reset()
    assert model.blocker == ""
    assert model.structure == before


def test_a_mesh_entered_beside_an_impossible_edit_is_that_of_the_crystal_shown() -> None:
    model = ChooseModel("al")
    model.change(repeats=(100, 1, 100))
    model.kmesh = (4, 4, 4)
    model.reset()
    assert (model.kmesh, model.blocker) == ((4, 4, 4), "")


def test_atoms_of_a_file_start_with_their_own_moments_unless_an_element_is_given_one() -> None:
    text = (
        '2\nLattice="2.87 0 0 0 2.87 0 0 0 2.87" Properties=species:S:1:pos:R:3:initial_magmoms:R:1\n'
        "Fe 0 0 0 2.0\nFe 1.435 1.435 1.435 -2.0\n"
    )
    model = ChooseModel("al")
    model.take_text(text)
    assert model.spin
    assert model.structure["moments_bohr_magneton"] == [2.0, -2.0]
    assert model.starting_moment("Fe") is None
    model.moments = {"Fe": 1.5}
    assert model.structure["moments_bohr_magneton"] == [1.5, 1.5]
    assert model.starting_moment("Fe") == 1.5
    model.moments = {"Fe": nan}
    assert "Starting moment: nan" in model.blocker


def test_what_was_chosen_when_a_structure_was_read_is_known_until_the_next_choice() -> None:
    model = ChooseModel("al")
    model.take_file("path.xyz", (extxyz("Al") + extxyz("Cu")).encode())
    assert model.remarks == ("The file has 2 images, and the last one was taken.",)
    model.take_text(poscar())
    assert model.remarks == ()
