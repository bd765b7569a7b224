"""Choosing what to compute, without a browser."""

from __future__ import annotations

from math import inf, isnan, nan
from typing import Any

import numpy as np
import pytest
from ipywidgets import FloatText, Text
from mlxc_app.choose.field_problem import with_problem
from mlxc_app.choose.labels import LABELS
from mlxc_app.choose.model import ChooseModel
from mlxc_app.widgets.binding import bind
from mlxc_app.widgets.message import MessageArea
from support import poscar

from mlxc.calculation.calculation import Calculation
from mlxc.calculation.presets import PRESETS
from mlxc.errors import InputError
from mlxc.structures.shipped import shipped_names


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
        ("width_ha", 0.0, "Smearing width"),
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


def test_what_is_often_magnetic_is_computed_with_spin_whatever_way_it_comes() -> None:
    model = ChooseModel("al")
    assert (model.spin, model.spin_note) == (False, "")
    model.take_text(poscar("Fe"))
    assert model.spin
    assert "Fe 4" in model.spin_note
    model.take_shipped("al")
    assert (model.spin, model.spin_note) == (False, "")
    model.take_file("fe.vasp", poscar("Fe").encode())
    assert model.spin
    assert model.calculation().spin
    model.spin = False
    assert "Spin is off" in model.spin_note
    model.spin, model.moments = True, {"Fe": 2.5}
    assert model.spin_note == ""


def test_a_cutoff_that_is_far_too_low_is_said_at_once() -> None:
    model = ChooseModel("ni")
    assert model.basis_note == ""
    model.ecut_ha = 6
    assert model.basis_note
    model.ecut_ha = -1
    assert (model.basis_note, model.spin_note) == ("", "")


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"data_x\n_cell_length_a oops\n", b"0\n\n"])
def test_a_bad_file_is_a_sentence_and_the_choice_stays(content: bytes) -> None:
    model = ChooseModel("al")
    with pytest.raises(InputError) as error:
        model.take_file("bad.cif", content)
    assert "bad.cif" in str(error.value)
    assert "\n" not in str(error.value)
    assert model.shipped_name == "al"


def test_a_new_crystal_leaves_nothing_of_the_former_one_but_the_functional() -> None:
    model = ChooseModel("graphene")
    model.xc = "pbesol"
    model.change(repeats=(2, 2, 1), height_ang=12.0)
    model.basis = "gaussian"
    model.gaussian_basis = "gth-szv"
    model.spin, model.total_moment, model.moments = True, 2.0, {"C": 1.0}
    model.smearing, model.width_ha, model.tolerance, model.max_iterations = "gaussian", 0.02, 1e-3, 7
    model.take_shipped("al")
    fresh = ChooseModel("al")
    fresh.xc = "pbesol"
    assert model.calculation() == fresh.calculation()
    for trait in set(model.trait_names()):
        assert getattr(model, trait) == getattr(fresh, trait), trait


def test_nobody_sees_a_half_changed_choice() -> None:
    model = ChooseModel("graphene")
    model.basis, model.spin = "gaussian", True
    model.change(repeats=(2, 1, 1))
    seen = []

    def look(change: Any) -> None:
        seen.append((model.title, model.calculation(), model.preset, model.blocker, model.size))

    model.observe(look)
    model.take_shipped("al")
    fresh = ChooseModel("al")
    assert len(seen) > 5
    for picture in seen:
        assert picture == (fresh.title, fresh.calculation(), fresh.preset, "", fresh.size)


def test_an_element_without_pseudopotentials_is_a_sentence() -> None:
    model = ChooseModel("si")
    model.take_text(poscar("U"))
    assert model.blocker.startswith("Pseudopotentials:")
    assert "U" in model.blocker
    model.take_shipped("si")
    assert model.blocker == ""


def test_presets_change_cutoff_mesh_and_tolerance_and_own_settings_belong_to_none() -> None:
    model = ChooseModel("al")
    assert model.preset == "balanced"
    model.choose_preset("quick look")
    assert (model.ecut_ha, model.kmesh, model.tolerance, model.preset) == (15.0, (5, 5, 5), 1e-4, "quick look")
    model.ecut_ha = 16.0
    assert model.preset == ""
    model.choose_preset("converged")
    assert (model.ecut_ha, model.kmesh, model.tolerance) == (25.0, (14, 14, 14), 1e-8)
    model.change(repeats=(2, 1, 1))
    assert (model.kmesh, model.preset) == ((7, 14, 14), "converged")


def test_the_cost_is_told_before_a_run() -> None:
    model = ChooseModel("graphene")
    assert model.estimate == "Run about 5 s, equation of state about 15 s on two cores; 0.2 GB of memory."
    model.ecut_ha = -1.0
    assert model.estimate == ""


def test_the_distance_of_k_points_chooses_the_mesh_and_shows_that_of_a_mesh() -> None:
    model = ChooseModel("graphene")
    model.choose_spacing(0.5)
    assert model.kmesh == (6, 6, 1)
    assert 0.4 < model.spacing_per_ang <= 0.5
    model.kmesh = (12, 12, 1)
    assert model.spacing_per_ang == pytest.approx(4 * np.pi / 3**0.5 / 2.466 / 12, rel=1e-6)


@pytest.mark.parametrize("spacing", [0.0, -0.2, nan, inf])
def test_a_distance_that_is_none_is_refused_and_the_mesh_stays(spacing: float) -> None:
    model = ChooseModel("al")
    with pytest.raises(InputError, match="k spacing"):
        model.choose_spacing(spacing)
    assert model.kmesh == (8, 8, 8)


def test_gaussians_bring_a_set_a_grid_and_pseudopotentials_and_plane_waves_theirs() -> None:
    model = ChooseModel("si")
    model.basis = "gaussian"
    assert (model.gaussian_basis, model.pseudo, model.blocker) == ("gth-dzvp-molopt-sr", "gth", "")
    assert "gth-szv" in model.gaussian_sets
    assert "Gaussian functions" in model.size
    assert set(model.families()) == {"gth", "gth-pbe", "gth-pade", "gth-uzh"}
    cutoff = model.ecut_ha
    model.gaussian_basis = "gth-szv"
    assert model.ecut_ha != cutoff
    assert model.calculation().gaussian_basis == "gth-szv"
    model.pseudo = "pseudodojo"
    assert "Pseudopotentials" in model.blocker
    model.basis = "pw"
    assert (model.pseudo, model.ecut_ha, model.gaussian_sets, model.blocker) == ("pseudodojo", 18.0, (), "")


def test_an_element_without_gaussians_is_a_sentence() -> None:
    model = ChooseModel("si")
    model.take_text(poscar("Xe"))
    model.basis = "gaussian"
    model.gaussian_sets, model.gaussian_basis = (), ""
    assert model.blocker.startswith("Basis: no set of Gaussian orbitals has functions for all of Xe")


def test_other_pseudopotentials_bring_their_cutoff_and_names() -> None:
    model = ChooseModel("gaas")
    model.change(strain_percent=(1.0, 0.0, 0.0))
    model.pseudo = "gth"
    assert (model.ecut_ha, model.pseudo_names, model.blocker) == (20.0, {"Ga": "q3"}, "")
    assert model.calculation().pseudo_names == {"Ga": "q3"}


@pytest.mark.parametrize(("setting", "value"), [("xc", "lda"), ("pseudo", "gth")])
def test_a_cutoff_that_was_typed_stays_and_a_suggested_one_follows(setting: str, value: str) -> None:
    typed, suggested, quick = ChooseModel("ni"), ChooseModel("ni"), ChooseModel("ni")
    typed.ecut_ha = 33.0
    quick.choose_preset("quick look")
    quick.kmesh = (7, 7, 7)
    for model in (typed, suggested, quick):
        setattr(model, setting, value)
    assert typed.ecut_ha == 33.0
    assert suggested.preset == "balanced"
    asked = Calculation.from_dict({"structure": "ni", setting: value})
    assert suggested.ecut_ha == asked.ecut_ha
    assert quick.ecut_ha == PRESETS["quick look"].settings(asked)["ecut_ha"]


def test_another_kind_of_basis_brings_its_cutoff_whatever_was_typed() -> None:
    model, untouched = ChooseModel("si"), ChooseModel("si")
    model.ecut_ha = 33.0
    for choice in (model, untouched):
        choice.basis = "gaussian"
    assert model.ecut_ha == untouched.ecut_ha != 33.0


def test_spin_with_fixed_occupations_wants_a_total_moment() -> None:
    model = ChooseModel("si")
    model.spin = True
    assert model.blocker.startswith("Total moment")
    model.total_moment = 2.0
    assert model.blocker == ""
    assert model.calculation().total_moment == 2.0
    model.total_moment = 1e9
    assert "1e+09" in model.blocker
    model.spin = False
    assert model.calculation().total_moment is None
    assert model.blocker == ""


@pytest.mark.parametrize("trait", ["ecut_ha", "width_ha", "tolerance", "total_moment"])
@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_what_is_no_number_blocks_the_run(trait: str, value: float) -> None:
    model = ChooseModel("al")
    model.spin = True
    setattr(model, trait, value)
    assert LABELS[trait] in model.blocker
    assert "\n" not in model.blocker


def test_a_field_that_holds_no_number_does_not_chase_its_model() -> None:
    model = ChooseModel("al")
    field = FloatText()
    bind(model, "ecut_ha", field, MessageArea())
    field.value = nan
    assert isnan(model.ecut_ha)
    model.ecut_ha = 12.0
    assert field.value == 12.0


def test_what_the_server_does_not_allow_is_said_before_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLXC_MAX_ECUT", "15")
    monkeypatch.setenv("MLXC_MAX_ATOMS", "1")
    assert ChooseModel("al").blocker.startswith("Cutoff (Ha): 20 hartree is more than the 15 hartree")
    model = ChooseModel("si")
    model.ecut_ha = 10
    assert model.blocker.startswith("Crystal: 2 atoms are more")


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("ecut_ha", -5.0), ("ecut_ha", float("nan")), ("ecut_ha", 0.0), ("kmesh", (0, 2, 2)), ("kmesh", (2, 2, 1000)),
        ("tolerance", -1.0), ("tolerance", 2.0), ("max_iterations", 0), ("width_ha", -0.1), ("xc", "pbbe"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_at_its_field_and_nowhere_else(field: str, wrong: Any) -> None:
    model = ChooseModel("al")
    widgets = {name: Text() for name in ("ecut_ha", "kmesh", "tolerance", "max_iterations", "width_ha", "xc")}
    boxes = {name: with_problem(model, name, widget) for name, widget in widgets.items()}
    right = getattr(model, field)
    setattr(model, field, wrong)
    assert model.blocked_field == field
    wrongs = [name for name, box in boxes.items() if box.children[1].value]
    assert wrongs == [name for name, widget in widgets.items() if "mlxc-wrong" in widget._dom_classes] == [field]
    setattr(model, field, right)
    assert model.blocked_field == ""
    assert not any(box.children[1].value for box in boxes.values())


def test_how_fine_survives_another_crystal() -> None:
    model = ChooseModel("al")
    model.choose_preset("quick look")
    model.take_shipped("si")
    assert model.preset == "quick look"
    model.take_text(poscar("Fe"))
    assert model.preset == "quick look"
    # What a person types belongs to its crystal; what was chosen before is for the next one.
    model.ecut_ha = 23.0
    assert model.preset == ""
    model.take_shipped("al")
    assert model.preset == "quick look"


def test_moments_can_be_given_to_each_atom() -> None:
    model = ChooseModel("si")
    model.spin = True
    assert model.starting_moments == [1.0, 1.0]
    model.take_atom_moments("2, −2")
    assert model.structure["moments_bohr_magneton"] == [2.0, -2.0]
    assert model.starting_moment("Si") is None
    model.change(repeats=(1, 1, 2))
    assert sorted(model.structure["moments_bohr_magneton"]) == [-2.0, -2.0, 2.0, 2.0]
    for wrong, why in (("1", "1 numbers for 2 atoms"), ("up, down", "are not numbers")):
        with pytest.raises(InputError, match=why):
            model.take_atom_moments(wrong)
    model.take_atom_moments("99, 0")
    assert "99 for Si is not allowed" in model.blocker
    # The moment of an element is that of all its atoms.
    model.moments = {"Si": 1.5}
    assert model.starting_moments == [1.5, 1.5]
    assert set(model.structure["moments_bohr_magneton"]) == {1.5}
    assert "not allowed" not in model.blocker
    model.take_atom_moments("")
    assert model.starting_moments == [1.0, 1.0]
