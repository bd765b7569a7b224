"""The search in databases of structures, without a browser and without a network."""

from __future__ import annotations

import pytest
from mlxc_app.choose.database_search import DatabaseSearch, DatabaseSearchModel
from mlxc_app.choose.model import ChooseModel
from mlxc_app.widgets.message import MessageArea

from mlxc import Crystal
from mlxc.errors import InputError
from mlxc.structures.optimade_search import FoundStructure

SILICON = FoundStructure("mp/mp-149", "Si", 2)


def search(formula: str, provider: str) -> list[FoundStructure]:
    if formula == "Si":
        return [SILICON]
    if formula == "He":
        return []
    raise InputError(f"{formula}: {provider} cannot be reached; without a network, give a file instead.")


def wait(model: DatabaseSearchModel) -> None:
    assert model.thread is not None
    model.thread.join()


def test_a_structure_is_found_fetched_and_chosen() -> None:
    choose = ChooseModel("al")
    model = DatabaseSearchModel(choose.take_crystal, search, lambda entry: Crystal.load("si"))
    view = DatabaseSearch(model, MessageArea())
    formula, _, _, button, found, use, words = view.widgets
    assert use.disabled
    formula.value = "Si"
    button.click()
    wait(model)
    assert found.options == (("Si, 2 atoms: mp/mp-149", "mp/mp-149"),)
    use.click()
    wait(model)
    assert choose.title == "Si, mp/mp-149 (OPTIMADE)"
    assert choose.kmesh == ChooseModel("si").kmesh
    assert "is chosen" in words.value


@pytest.mark.parametrize(("formula", "words"), [("He", "mp has no structure of He."), ("Si9<", "cannot be reached")])
def test_what_is_not_found_or_not_reached_is_a_sentence(formula: str, words: str) -> None:
    model = DatabaseSearchModel(ChooseModel("al").take_crystal, search)
    view = DatabaseSearch(model, MessageArea())
    model.search(formula, "mp")
    wait(model)
    assert words in view.widgets[-1].value
    assert "<b" not in view.widgets[-1].value
    assert view.widgets[-2].disabled


def test_nothing_is_asked_before_a_person_asks() -> None:
    model = DatabaseSearchModel(ChooseModel("al").take_crystal, search)
    DatabaseSearch(model, MessageArea())
    assert model.thread is None
