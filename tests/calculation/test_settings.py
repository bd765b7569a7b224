"""One table of settings: what the command line and exports offer is what the fields say."""

from __future__ import annotations

import argparse
import subprocess
import sys
from types import SimpleNamespace
from typing import Annotated, cast

import pytest
from pydantic import Field

from mlxc.basis.kinds import BASES
from mlxc.calculation.calculation import Calculation
from mlxc.calculation.setting import Setting, settings_table
from mlxc.calculation.settings import CalculationSettings
from mlxc.cli.command_line import make_parser
from mlxc.console import options as console_options
from mlxc.errors import InputError
from mlxc.export.command import command_words
from mlxc.runs.folder import RunFolder


class WithPressure(Calculation):
    """A calculation with a setting that there is not."""

    pressure_gpa: Annotated[
        float | None, Setting(option="--pressure", label="Pressure", unit="GPa", metavar="GPA", help="from outside")
    ] = Field(default=None, ge=0)


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    return {option for action in parser._actions for option in action.option_strings}


def test_every_field_is_a_setting_with_an_option_of_its_own() -> None:
    table = settings_table(Calculation)
    assert list(table) == list(Calculation.model_fields)
    assert len({setting.option for setting in table.values()}) == len(table)
    assert all(setting.label and setting.help for setting in table.values())


def test_every_option_of_a_calculation_is_that_of_a_setting() -> None:
    (commands,) = (action for action in make_parser()._actions if isinstance(action, argparse._SubParsersAction))
    table = settings_table(Calculation)
    own = {setting.option for setting in table.values() if setting.option.startswith("-")}
    further = {"--no-spin", "--primitive", "--species", "--json", "--save", "--help", "-h"}
    assert options_of(commands.choices["scf"]) == own | further


def test_the_range_of_a_number_stands_at_its_field() -> None:
    with pytest.raises(InputError, match=r"pressure_gpa: -1.0 is not allowed: input should be greater than or equal"):
        WithPressure.from_dict({"structure": "al", "pressure_gpa": -1.0})


def test_a_field_is_all_that_a_new_setting_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console_options, "CalculationSettings", WithPressure)
    parser = argparse.ArgumentParser()
    console_options.add_calculation(parser)
    assert "--pressure GPA" in parser.format_help()
    fields = console_options.calculation_fields(parser.parse_args(["al", "--pressure", "2.5"]))
    assert fields == {"structure": "al", "basis": "pw", "pressure_gpa": 2.5}
    task = WithPressure.from_dict(fields)
    folder = cast(RunFolder, SimpleNamespace(task=task, kind="scf"))
    words = command_words(folder)
    assert words[words.index("--pressure") + 1] == "2.5"
    assert "--pressure" not in command_words(
        cast(RunFolder, SimpleNamespace(task=Calculation.from_dict({"structure": "al"}), kind="scf"))
    )


@pytest.mark.parametrize(
    ("label", "unit", "title", "in_sentence"),
    [("Cutoff", "Ha", "Cutoff (Ha)", "cutoff (Ha)"), ("FFT grid", "", "FFT grid", "FFT grid"),
     ("k mesh", "", "k mesh", "k mesh")],
)  # fmt: skip
def test_a_label_suits_a_form_and_a_sentence(label: str, unit: str, title: str, in_sentence: str) -> None:
    setting = Setting(option="--it", label=label, unit=unit, help="it")
    assert (setting.title, setting.in_sentence) == (title, in_sentence)


def test_every_basis_names_fields_as_its_own_settings() -> None:
    for name, kind in BASES.items():
        assert kind.name == name
        assert set(kind.own_settings) <= set(CalculationSettings.model_fields)


def test_an_unknown_basis_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(InputError, match="basis: 'wavelets' is not allowed: input should be 'pw' or 'gaussian'"):
        Calculation.from_dict({"structure": "al", "basis": "wavelets"})


@pytest.mark.process
@pytest.mark.parametrize("basis", BASES)
def test_words_and_estimates_of_a_basis_need_no_torch(basis: str) -> None:
    lines = (
        "import sys, mlxc",
        "from mlxc.calculation.duration import estimate_seconds",
        "from mlxc.calculation.feasibility import check_calculation",
        f"calculation = mlxc.Calculation.from_dict({{'structure': 'al', 'basis': '{basis}'}})",
        "assert estimate_seconds(calculation, check_calculation(calculation)) > 0",
        "settings = calculation.model_dump()",
        "kind = calculation.basis_kind",
        "assert all(say(settings) for say in (kind.in_words, kind.in_short, kind.in_full, kind.in_report))",
        "sys.exit('torch' in sys.modules)",
    )
    assert subprocess.run([sys.executable, "-c", "\n".join(lines)], timeout=60).returncode == 0
