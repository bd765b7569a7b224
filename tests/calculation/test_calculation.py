"""A calculation is described once, completed from its structure, and says in one sentence what is wrong with it."""

from __future__ import annotations

import json

import pytest

from mlxc.calculation.calculation import Calculation
from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.structures.shipped import shipped_names
from mlxc.tasks.eos.task import EquationOfStateTask


@pytest.mark.parametrize("name", shipped_names())
def test_a_description_survives_json(name: str) -> None:
    calculation = Calculation.from_dict({"structure": name})
    assert Calculation.from_dict(json.loads(calculation.model_dump_json())) == calculation


def test_what_is_given_wins_over_the_defaults_of_the_structure() -> None:
    calculation = Calculation.from_dict({"structure": "al", "ecut_ha": 12, "kmesh": [2, 3, 4], "xc": None})
    assert (calculation.ecut_ha, calculation.kmesh, calculation.width_ha) == (12, (2, 3, 4), 0.01)
    assert calculation.xc == "pbe"


def test_fixed_occupations_have_no_width() -> None:
    assert Calculation.from_dict({"structure": "al", "smearing": "none"}).width_ha is None
    assert Calculation.from_dict({"structure": "si"}).width_ha is None


def test_asking_for_a_width_or_a_smearing_gives_an_insulator_both() -> None:
    assert Calculation.from_dict({"structure": "si", "width_ha": 0.005}).smearing == "fermi-dirac"
    assert Calculation.from_dict({"structure": "si", "smearing": "gaussian"}).width_ha == 0.01


def test_the_structure_may_be_a_name_a_crystal_or_lists() -> None:
    by_name = Calculation.from_dict({"structure": "al"})
    assert Calculation.from_dict({"structure": Crystal.load("al")}) == by_name
    assert Calculation.from_dict({"structure": Crystal.load("al").to_dict()}) == by_name


def test_another_volume_keeps_the_settings_but_not_the_grid() -> None:
    calculation = Calculation.from_dict({"structure": "al", "fft_grid": [24, 24, 24]})
    larger = calculation.with_crystal(calculation.crystal.scaled(1.02))
    assert larger.fft_grid is None
    assert larger.crystal.volume == pytest.approx(1.02**3 * calculation.crystal.volume)
    assert (larger.ecut_ha, larger.kmesh) == (calculation.ecut_ha, calculation.kmesh)


def test_a_calculation_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Calculation.from_dict({"structure": "al"}).ecut_ha = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ecut_ha", -1), ("ecut_ha", 0), ("ecut_ha", "many"), ("ecut_ha", float("nan")), ("ecut_ha", 1e6),
        ("kmesh", [0, 1, 1]), ("kmesh", [1, 1]), ("kmesh", [1, 1, 1000]), ("kmesh", 4), ("smearing", "cold"),
        ("width_ha", -0.1), ("width_ha", float("inf")), ("fft_grid", [1, 2]), ("tolerance", 0), ("max_iterations", 0),
        ("basis", "sto-3g"), ("seed", -1), ("cutoff_smoothing_ha", -1), ("pseudo_names", "GTH"), ("spam", True),
        ("structure", 3), ("structure", {"species": ["Al"]}),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_that_names_the_field(field: str, value: object) -> None:
    with pytest.raises(InputError) as error:
        Calculation.from_dict({"structure": "al", field: value})
    sentence = str(error.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert field in sentence


def test_a_calculation_needs_a_structure() -> None:
    with pytest.raises(InputError, match="structure"):
        Calculation.from_dict({"ecut_ha": 20})


def test_an_equation_of_state_smooths_the_cutoff_unless_told_otherwise() -> None:
    assert EquationOfStateTask.from_dict({"calculation": {"structure": "al"}}).calculation.cutoff_smoothing_ha > 0
    sharp = {"structure": "al", "cutoff_smoothing_ha": 0}
    assert EquationOfStateTask.from_dict({"calculation": sharp}).calculation.cutoff_smoothing_ha == 0


@pytest.mark.parametrize("change", [{"points": 3}, {"lowest_volume": 1.1}, {"highest_volume": 0.9}, {"volumes": []}])
def test_a_mistake_in_an_equation_of_state_names_the_field(change: dict[str, object]) -> None:
    with pytest.raises(InputError, match=next(iter(change))):
        EquationOfStateTask.from_dict({"calculation": {"structure": "al"}, **change})


def test_all_volumes_of_an_equation_of_state_share_a_grid_that_suits_the_largest() -> None:
    calculation = Calculation.from_dict({"structure": "nacl"})
    small, large = calculation.at_volumes([0.9, 1.1])
    assert small.fft_grid == large.fft_grid
    assert large.crystal.volume == pytest.approx(1.1 * calculation.crystal.volume)
    large.check()
    chosen = calculation.model_copy(update={"fft_grid": (60, 60, 60)})
    assert chosen.at_volumes([0.9, 1.1])[0].fft_grid == (60, 60, 60)
