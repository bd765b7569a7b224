"""What a preset asks for, and how long it is said to take."""

from __future__ import annotations

import pytest

from mlxc.calculation.calculation import Calculation
from mlxc.calculation.duration import estimate_seconds, seconds_in_words
from mlxc.calculation.feasibility import check_calculation
from mlxc.calculation.presets import PRESETS
from mlxc.crystal.crystal import Crystal
from mlxc.structures.default_settings import spacing_of_mesh

# Seconds of benchmarks/speed.py on two cores, as the README lists them.
MEASURED = {"al": 0.89, "si": 1.00, "ca": 4.72, "ni": 12.0, "cu": 3.74, "nacl": 4.81, "graphene": 5.13}
NICKEL = {"spin": True, "smearing": "gaussian"}


def seconds(settings: dict[str, object]) -> float:
    calculation = Calculation.from_dict(settings)
    return estimate_seconds(calculation, check_calculation(calculation))


@pytest.mark.parametrize("name", MEASURED)
def test_the_estimated_time_is_near_the_measured_one(name: str) -> None:
    estimate = seconds({"structure": name} | (NICKEL if name == "ni" else {}))
    assert MEASURED[name] / 2.5 < estimate < 2.5 * MEASURED[name]


def test_whatever_makes_a_run_larger_makes_it_longer() -> None:
    plain: dict[str, object] = {"structure": "si"}
    changes = ({"ecut_ha": 40}, {"kmesh": (8, 8, 8)}, {"spin": True, "smearing": "gaussian"}, {"xc": "r2scan"})
    for change in (*changes, {"structure": Crystal.load("si").supercell(2, 2, 2)}, {"tolerance": 1e-10}):
        assert seconds(plain | change) > 1.2 * seconds(plain)
    gaussians = {"structure": "si", "basis": "gaussian"}
    small, large = (seconds(gaussians | {"gaussian_basis": f"gth-{size}-molopt-sr"}) for size in ("szv", "dzvp"))
    assert large > 2 * small


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.01, "about 1 s"), (5.2, "about 5 s"), (33.0, "about 30 s"), (89.9, "about 90 s"), (120.0, "about 2 min"),
     (5000.0, "about 80 min"), (9000.0, "about 2 h"), (1e6, "about 12 days")],
)  # fmt: skip
def test_a_time_is_told_with_the_digits_that_it_deserves(value: float, words: str) -> None:
    assert seconds_in_words(value) == words


@pytest.mark.parametrize("name", ["al", "mg", "mgo", "graphene"])
def test_presets_are_ordered_and_balanced_is_what_is_recommended(name: str) -> None:
    recommended = Calculation.from_dict({"structure": name})
    settings = {preset: PRESETS[preset].settings(recommended) for preset in PRESETS}
    assert settings["balanced"]["ecut_ha"] == recommended.ecut_ha
    assert settings["balanced"]["kmesh"] == recommended.kmesh
    assert settings["balanced"]["tolerance"] == recommended.tolerance
    order = ["quick look", "balanced", "converged"]
    spacings = [spacing_of_mesh(recommended.crystal, settings[preset]["kmesh"]) for preset in order]
    assert spacings == sorted(spacings, reverse=True)
    times = [seconds({"structure": name} | settings[preset]) for preset in order]
    assert times == sorted(times)
    assert times[0] < times[2] / 3


def test_a_sheet_keeps_one_k_point_across_its_vacuum() -> None:
    recommended = Calculation.from_dict({"structure": "graphene"})
    assert all(preset.settings(recommended)["kmesh"][2] == 1 for preset in PRESETS.values())


def test_a_preset_leaves_the_grid_of_gaussians_as_fine_as_the_set_needs() -> None:
    recommended = Calculation.from_dict({"structure": "si", "basis": "gaussian"})
    assert all(preset.settings(recommended)["ecut_ha"] == recommended.ecut_ha for preset in PRESETS.values())


def test_the_quick_look_says_what_it_is() -> None:
    assert "not converged" in PRESETS["quick look"].meaning
