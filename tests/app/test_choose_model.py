"""Choosing what to compute, without a browser."""

from __future__ import annotations

import numpy as np
import pytest
from mlxc_app.choose_model import ChooseModel

from mlxc.errors import InputError
from mlxc.structures import shipped_names


@pytest.mark.parametrize("name", shipped_names())
def test_every_shipped_structure_can_be_run_as_it_is(name: str) -> None:
    model = ChooseModel(name)
    assert model.blocker == ""
    assert model.calculation().structure == model.structure


def test_a_structure_brings_its_settings() -> None:
    model = ChooseModel("al")
    assert (model.ecut_ha, model.kmesh) == (20.0, (8, 8, 8))
    model.take_shipped("graphene")
    assert model.kmesh[2] == 1
    assert model.title == "Graphene"


@pytest.mark.parametrize(
    ("trait", "value", "word"),
    [
        ("ecut_ha", -5.0, "Cutoff"),
        ("ecut_ha", 1e9, "Cutoff"),
        ("kmesh", (0, 8, 8), "k mesh"),
        ("width_ha", 0.0, "Width"),
        ("smearing", "none", "electrons"),
    ],
)
def test_what_cannot_run_is_said_in_one_sentence(trait: str, value: object, word: str) -> None:
    model = ChooseModel("al")
    good = getattr(model, trait)
    setattr(model, trait, value)
    assert word in model.blocker
    assert "\n" not in model.blocker
    assert model.size == ""
    setattr(model, trait, good)
    assert model.blocker == ""
    assert "29 k points" in model.size


def test_a_cutoff_beyond_the_memory_is_refused() -> None:
    model = ChooseModel("mg")
    model.ecut_ha, model.kmesh = 900.0, (30, 30, 30)
    assert "memory" in model.blocker


def test_an_uploaded_file_becomes_the_structure() -> None:
    model = ChooseModel("al")
    model.take_file("POSCAR", b"silicon\n5.43\n0 .5 .5\n.5 0 .5\n.5 .5 0\nSi\n2\nDirect\n0 0 0\n.25 .25 .25\n")
    assert model.structure["species"] == ["Si", "Si"]
    assert model.shipped_name == ""
    assert model.title == "Si from POSCAR"
    assert np.linalg.det(model.structure["lattice_ang"]) == pytest.approx(5.43**3 / 4)
    assert model.blocker == ""


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"data_x\n_cell_length_a oops\n", b"0\n\n"])
def test_a_bad_file_is_a_sentence_and_the_choice_stays(content: bytes) -> None:
    model = ChooseModel("al")
    with pytest.raises(InputError) as error:
        model.take_file("bad.cif", content)
    assert "bad.cif" in str(error.value)
    assert "\n" not in str(error.value)
    assert model.shipped_name == "al"


def test_what_the_server_does_not_allow_is_said_before_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLXC_MAX_ECUT", "15")
    monkeypatch.setenv("MLXC_MAX_ATOMS", "1")
    assert ChooseModel("al").blocker.startswith("Cutoff (Ha): 20 hartree is more than the 15 hartree")
    model = ChooseModel("si")
    model.ecut_ha = 10
    assert model.blocker.startswith("Crystal: 2 atoms are more")
