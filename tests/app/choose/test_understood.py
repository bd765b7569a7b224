"""The page says beside the picture what was understood of a file, and refuses with the words of the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.io import write
from mlxc_app.choose.model import ChooseModel
from mlxc_app.choose.understood_view import UnderstoodView
from mlxc_app.widgets.message import MessageArea
from skewed_cells import in_other_cell
from support import Outcome, extxyz, poscar

from mlxc.crystal.crystal import Crystal

REFUSED = Path(__file__).resolve().parents[2] / "data" / "structures" / "POSCAR_g8_vskewdup"


class Beside:
    """What stands beside the picture of a crystal."""

    def __init__(self, crystal: str = "al") -> None:
        self.model, self.messages = ChooseModel(crystal), MessageArea()
        view = UnderstoodView(self.model, self.messages)
        self.words, self.primitive, self.remarks = view.widget.children

    @property
    def offers_primitive(self) -> bool:
        return self.primitive.layout.display != "none"


def test_a_file_is_told_by_formula_group_distance_moments_and_volume() -> None:
    beside = Beside()
    beside.model.take_text(poscar("Al"))
    words = beside.words.value
    for told in (
        "1 atom in the cell",
        "Al, 16.00 Å³",
        "Fm-3m (225)",
        "a = b = c = 4 Å; α = β = γ = 90°",
        "1 (Al) and its own image, 2.828 Å",
        "none given",
    ):
        assert told in words, told
    assert not beside.offers_primitive


def test_the_primitive_cell_is_one_click_away_and_brings_its_settings(tmp_path: Path) -> None:
    path = tmp_path / "POSCAR"
    write(path, bulk("Si", a=5.43, cubic=True))
    beside = Beside()
    beside.model.take_file(path.name, path.read_bytes())
    assert "8 atoms; the primitive cell has 2" in beside.words.value
    assert "8 × Si, 160.10 Å³" in beside.words.value
    assert beside.offers_primitive
    mesh = beside.model.kmesh
    beside.primitive.click()
    assert len(beside.model.structure["species"]) == 2
    assert beside.model.title == "Si from POSCAR, primitive cell"
    assert "the primitive cell has" not in beside.words.value
    assert not beside.offers_primitive
    assert min(beside.model.kmesh) > max(mesh)
    assert (beside.messages.widget.value, beside.model.blocker) == ("", "")


def test_a_supercell_that_a_person_makes_is_no_news() -> None:
    beside = Beside("si")
    beside.model.change(repeats=(2, 1, 1))
    assert "4 atoms" in beside.words.value
    assert not beside.offers_primitive


def test_moments_of_the_page_are_told() -> None:
    beside = Beside("ni")
    beside.model.moments = {"Ni": 0.6}
    assert "1 Ni +0.6 μB" in beside.words.value


def test_a_very_skewed_cell_is_said_to_be_computed_in_another_one() -> None:
    skewed = in_other_cell(Crystal.load("si"), np.array([[1, 9, 0], [0, 1, 9], [0, 0, 1]]))
    beside = Beside()
    rows = " ".join(f"{x:.12f}" for x in skewed.to_ase().cell[:].ravel())
    beside.model.take_text(extxyz("Si", rows))
    assert "The given cell is very skewed" in beside.remarks.value
    calculation = beside.model.calculation()
    assert calculation.given_cell is not None
    np.testing.assert_allclose(calculation.given_cell.lattice_ang, skewed.to_ase().cell, atol=1e-9)
    # What is edited is what is computed, and not that cell any more.
    beside.model.change(repeats=(1, 1, 2))
    assert beside.model.calculation().given_cell is None
    other = ChooseModel("al")
    other.take_calculation(calculation)
    assert other.cell_note == beside.model.cell_note
    assert other.calculation() == calculation
    other.take_shipped("al")
    assert other.cell_note == ""


def test_what_a_reading_warns_of_stands_beside_the_picture_until_another_crystal_is_chosen() -> None:
    beside = Beside()
    beside.model.take_text(extxyz("Al").replace('pbc="T T T"', 'pbc="T T F"'))
    assert "not periodic along cell vector 3" in beside.remarks.value
    beside.model.take_shipped("si")
    assert beside.remarks.value == ""


def test_a_file_is_refused_with_the_sentence_of_the_command_line(mlxc_command: Callable[..., Outcome]) -> None:
    beside = Beside()
    taking = beside.messages.guard(lambda: beside.model.take_file(REFUSED.name, REFUSED.read_bytes()))
    taking()
    sentence = mlxc_command("scf", str(REFUSED)).stderr.removeprefix("mlxc: ").strip()
    assert "0.200 angstrom apart" in sentence
    assert sentence in beside.messages.widget.value
    assert beside.model.shipped_name == "al"


@pytest.mark.parametrize("name", ["al", "mgo", "graphene", "ni"])
def test_names_of_files_are_escaped(name: str) -> None:
    beside = Beside(name)
    beside.model.take_file("<b>POSCAR.vasp", poscar("Al").encode())
    assert "<b>" not in beside.words.value
