"""Searching databases of structures by a formula."""

from __future__ import annotations

import json
from urllib.parse import unquote

import pytest

from mlxc.errors import InputError
from mlxc.structures import optimade_search
from mlxc.structures.optimade import PROVIDERS
from mlxc.structures.optimade_search import reduced_formula, search_structures

ANSWER = {
    "data": [
        {"id": "mp-2", "attributes": {"chemical_formula_reduced": "O2Ti", "nsites": 12}},
        {"id": "mp-1", "attributes": {"chemical_formula_reduced": "O2Ti", "nsites": 6}},
        # What is no entry is left out.
        {"id": 3, "attributes": {"chemical_formula_reduced": "O2Ti", "nsites": 6}},
        {"id": "mp-4", "attributes": {"nsites": 6}},
        "nothing",
    ]
}


@pytest.mark.parametrize(
    ("formula", "reduced"),
    [("TiO2", "O2Ti"), ("Ti2O4", "O2Ti"), ("Si", "Si"), ("Si8", "Si"), ("BaTiO3", "BaO3Ti"), (" NaCl ", "ClNa")],
)
def test_formulas_are_written_as_databases_write_them(formula: str, reduced: str) -> None:
    assert reduced_formula(formula) == reduced


@pytest.mark.parametrize("text", ["", "titanium oxide", "tio2", "Xx", '"', "TiO2 OR 1"])
def test_what_is_no_formula_is_a_sentence(text: str) -> None:
    with pytest.raises(InputError, match="no chemical formula"):
        reduced_formula(text)


def test_the_smallest_cells_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def fetched(url: str, shown: str) -> bytes:
        asked.append(unquote(url))
        return json.dumps(ANSWER).encode()

    monkeypatch.setattr(optimade_search, "fetched", fetched)
    found = search_structures("TiO2", "mp")
    assert [(one.entry, one.atoms) for one in found] == [("mp/mp-1", 6), ("mp/mp-2", 12)]
    assert 'chemical_formula_reduced="O2Ti"' in asked[0]


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"data": 3}', b"<html>", b"[" * 100_000])
def test_an_answer_that_is_none_is_a_sentence(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(optimade_search, "fetched", lambda url, shown: content)
    with pytest.raises(InputError, match="none of OPTIMADE"):
        search_structures("Si", "mp")


def test_without_a_network_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setitem(PROVIDERS, "mp", "http://127.0.0.1:9")
    with pytest.raises(InputError, match="cannot be reached"):
        search_structures("Si", "mp")
    with pytest.raises(InputError, match="no database"):
        search_structures("Si", "nowhere")
