"""The structures that a person brings stay in the list, above those that come along."""

from __future__ import annotations

import pytest
from mlxc_app.choose.model import ChooseModel
from mlxc_app.choose.own.structures import own_structures
from mlxc_app.choose.structure_search import find_own_structures
from support import extxyz, poscar

from mlxc.errors import InputError
from mlxc.runs.folder import runs_directory


def test_a_file_is_found_again_with_all_that_was_understood_of_it() -> None:
    model = ChooseModel("al")
    model.take_file("path.xyz", (extxyz("Al") + extxyz("Cu")).encode())
    assert own_structures("") == [("Cu from path.xyz", model.own_name)]
    another = ChooseModel("si")
    another.take_own(model.own_name)
    assert another.calculation() == model.calculation()
    assert (another.title, another.remarks, another.own_name) == (model.title, model.remarks, model.own_name)


def test_the_same_file_is_one_entry_and_another_of_its_name_a_second() -> None:
    model = ChooseModel("al")
    for symbol in ("Al", "Al", "Cu"):
        model.take_file("POSCAR", poscar(symbol).encode())
        model.take_shipped("si")
    assert [title for title, _ in own_structures("")] == ["Al from POSCAR", "Cu from POSCAR"]
    for head in ("one", "two"):
        model.take_text(poscar("Mg").replace("1.0\n", "1.0\n" if head == "one" else "1.01\n"))
    assert [title for title, _ in own_structures("")][-2:] == ["Mg, pasted", "Mg, pasted (2)"]


def test_the_same_file_brought_again_takes_all_edits_back() -> None:
    model = ChooseModel("al")
    model.take_file("POSCAR", poscar("Al").encode())
    model.change(repeats=(2, 1, 1))
    model.take_file("POSCAR", poscar("Al").encode())
    assert model.repeats == (1, 1, 1)


@pytest.mark.parametrize(("words", "found"), [("", 2), ("mg", 1), ("POSCAR al", 1), ("pasted", 1), ("graphene", 0)])
def test_own_structures_are_found_by_words(words: str, found: int) -> None:
    model = ChooseModel("al")
    model.take_file("POSCAR", poscar("Al").encode())
    model.take_text(poscar("Mg"))
    assert len(find_own_structures(words, "")) == found


def test_what_cannot_be_computed_is_not_kept() -> None:
    model = ChooseModel("al")
    with pytest.raises(InputError):
        model.take_file("bad.cif", b"data_x\n_cell_length_a oops\n")
    assert own_structures("") == []


def test_a_deleted_structure_leaves_the_list_and_stays_chosen() -> None:
    model = ChooseModel("al")
    model.take_text(poscar("Mg"))
    name, chosen = model.own_name, model.calculation()
    model.delete_own(name)
    assert (own_structures(""), model.own_name, model.title) == ([], "", "Mg, pasted")
    assert model.calculation() == chosen
    with pytest.raises(InputError, match="bring its file again"):
        model.take_own(name)


def test_a_damaged_file_is_left_out() -> None:
    model = ChooseModel("al")
    model.take_text(poscar("Mg"))
    (path,) = (runs_directory() / "structures").glob("*.json")
    path.write_text("{")
    assert own_structures("") == []


def test_on_a_shared_server_each_visitor_has_his_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLXC_SHARED", "1")
    hers = ChooseModel("al")
    hers.owner = "ada"
    hers.take_text(poscar("Mg"))
    assert (len(own_structures("ada")), own_structures("bob")) == (1, [])


def test_a_run_of_an_own_structure_is_known_by_its_name() -> None:
    model = ChooseModel("al")
    model.take_file("magnesia.vasp", poscar("Mg").encode())
    run = model.calculation()
    other = ChooseModel("si")
    other.take_calculation(run)
    assert (other.title, other.own_name) == ("Mg from magnesia.vasp", model.own_name)
