"""The page takes names and words of settings from the table of settings."""

from __future__ import annotations

from typing import Annotated

from mlxc_app.choose.labels import LABELS, SETTINGS
from mlxc_app.choose.model import ChooseModel
from mlxc_app.choose.setup_difference import setup_differences

from mlxc.calculation.calculation import Calculation
from mlxc.calculation.setting import Setting, settings_table


class WithPressure(Calculation):
    """A calculation with a setting that there is not."""

    pressure_gpa: Annotated[float, Setting(option="--pressure", label="Pressure", unit="GPa", help="from outside")] = 0


def test_the_page_offers_the_settings_that_are_meant_for_it() -> None:
    table = settings_table(Calculation)
    left_out = {name for name, setting in table.items() if not setting.on_page}
    assert left_out == {
        "gaussian_basis_names", "fft_grid", "cutoff_smoothing_ha", "terms", "device", "seed", "uncertainty",
    }  # fmt: skip
    assert set(SETTINGS) == set(table) - left_out
    assert set(SETTINGS) <= set(ChooseModel().trait_names())
    assert all(LABELS[name] == setting.title for name, setting in table.items())


def test_a_new_setting_shows_in_what_differs() -> None:
    low, high = (WithPressure.from_dict({"structure": "al", "pressure_gpa": value}) for value in (0.0, 2.5))
    assert setup_differences(low, high) == ["pressure (GPa): 0 → 2.5"]


def test_differences_are_told_with_the_labels_of_settings() -> None:
    plain = Calculation.from_dict({"structure": "al"})
    other = Calculation.from_dict({"structure": "al", "basis": "gaussian", "spin": True, "max_iterations": 9})
    phrases = setup_differences(plain, other)
    assert "basis: plane waves → gth-dzvp-molopt-sr" in phrases
    assert "spin-polarised: off → on" in phrases
    assert "most SCF steps: 60 → 9" in phrases
