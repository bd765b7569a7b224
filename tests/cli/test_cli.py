"""The command line as scripts rely on it: exit codes, one JSON object, everything else on standard error."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support import Outcome, poscar

from mlxc import cli
from mlxc.calculation.calculation import Calculation
from mlxc.crystal.crystal import Crystal
from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc.tasks.kinds import KINDS

QUICK = ["si", "--ecut", "6", "--kmesh", "2", "2", "2"]
QUICK_METAL = ["al", "--ecut", "8", "--kmesh", "3", "3", "3", "--points", "4", "--tolerance", "1e-5"]
SCF_KEYS = {
    "converged", "iterations", "free_energy_ha", "energies_ha", "fermi_level_ha", "fermi_levels_ha",
    "magnetisation_bohr_magneton", "absolute_magnetisation_bohr_magneton", "atomic_moments_bohr_magneton",
    "forces_ha_bohr", "net_force_ha_bohr", "stress_ha_bohr3", "irreducible_kpoints",
    "fft_grid", "seconds", "calculation",
}  # fmt: skip
EOS_KEYS = {
    "volumes_ang3", "energies_ev", "volume0_ang3", "lattice_constant_ang", "bulk_modulus_gpa",
    "bulk_modulus_derivative", "seconds", "varied", "areas_ang2", "area0_ang2", "in_plane_modulus_n_per_m",
}  # fmt: skip


def test_scf_prints_one_json_object_and_its_progress_elsewhere(mlxc_command: Callable[..., Outcome]) -> None:
    outcome = mlxc_command("scf", *QUICK, "--json")
    assert outcome.code == 0
    result = json.loads(outcome.stdout)
    assert set(result) >= SCF_KEYS
    assert result["converged"] is True
    assert result["free_energy_ha"] == pytest.approx(sum(result["energies_ha"].values()))
    assert set(result["seconds"]) == {"setup", "scf", "total"}
    remarks, steps = outcome.stderr.splitlines()[:1], outcome.stderr.splitlines()[1:]
    assert [result["message"]] == [remark.removeprefix("mlxc: ") for remark in remarks]
    assert len(steps) == result["iterations"]


@pytest.mark.thorough
def test_the_calculation_in_the_json_gives_the_same_result_again(mlxc_command: Callable[..., Outcome]) -> None:
    first = json.loads(mlxc_command("scf", *QUICK, "--json").stdout)
    again = Calculation.from_dict(first["calculation"]).run()
    assert again.summary()["free_energy_ha"] == pytest.approx(first["free_energy_ha"], abs=1e-9)


def test_a_person_reads_a_table_with_units(mlxc_command: Callable[..., Outcome]) -> None:
    outcome = mlxc_command("scf", *QUICK)
    assert outcome.code == 0
    for text in ("free energy F = E - TS", "kinetic", "Ha", "irreducible k points", "converged after", "stress xx"):
        assert text in outcome.stdout


@pytest.mark.thorough
def test_a_file_gives_the_same_energy_as_the_shipped_structure(
    mlxc_command: Callable[..., Outcome], tmp_path: Path
) -> None:
    Crystal.load("si").to_ase().write(tmp_path / "silicon.vasp", format="vasp")
    shipped = json.loads(mlxc_command("scf", *QUICK, "--json").stdout)
    read = json.loads(mlxc_command("scf", "silicon.vasp", *QUICK[1:], "--smearing", "none", "--json").stdout)
    assert read["free_energy_ha"] == pytest.approx(shipped["free_energy_ha"], abs=1e-7)


def test_what_has_not_converged_is_printed_all_the_same(mlxc_command: Callable[..., Outcome]) -> None:
    outcome = mlxc_command("scf", *QUICK, "--max-iterations", "2", "--json")
    assert outcome.code == 3
    assert json.loads(outcome.stdout)["converged"] is False
    assert "converged" in outcome.stderr.splitlines()[-1].lower()
    assert "NOT CONVERGED" in mlxc_command("scf", *QUICK, "--max-iterations", "2").stdout


def test_eos_finds_the_lattice_constant(mlxc_command: Callable[..., Outcome]) -> None:
    outcome = mlxc_command("eos", *QUICK_METAL, "--json")
    assert outcome.code == 0
    result = json.loads(outcome.stdout)
    assert set(result) >= EOS_KEYS
    assert len(result["volumes_ang3"]) == len(result["energies_ev"]) == 4
    assert 3.9 < result["lattice_constant_ang"] < 4.2
    assert "volume 4 of 4" in outcome.stderr


@pytest.mark.thorough
def test_an_equation_of_state_without_a_minimum_is_printed_and_says_so(mlxc_command: Callable[..., Outcome]) -> None:
    too_small = ["--volume-range", "0.8", "1.001"]
    outcome = mlxc_command("eos", *QUICK_METAL, *too_small)
    assert outcome.code == 3
    assert "energy / eV" in outcome.stdout
    assert "no minimum" in outcome.stderr.splitlines()[-1]
    assert "still fall at the largest, so choose larger ones" in outcome.stderr.splitlines()[-1]


def test_a_saved_result_is_loaded_again(mlxc_command: Callable[..., Outcome], tmp_path: Path) -> None:
    from mlxc import GroundState

    printed = json.loads(mlxc_command("scf", *QUICK, "--json", "--save", "si.h5").stdout)
    assert GroundState.load(tmp_path / "si.h5").summary()["free_energy_ha"] == printed["free_energy_ha"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--ecut", "12.5"], {"ecut_ha": 12.5}),
        (["--kmesh", "2", "3", "4"], {"kmesh": (2, 3, 4)}),
        (["--smearing", "none"], {"smearing": "none", "width_ha": None}),
        (["--smearing", "gaussian", "--width", "0.02"], {"smearing": "gaussian", "width_ha": 0.02}),
        (["--pseudo", "gth-uzh", "--pseudo-name", "Mg=q2", "O=q6"],
         {"pseudo": "gth-uzh", "pseudo_names": {"Mg": "q2", "O": "q6"}}),
        (["--pseudo", "gth", "--pseudo-name", "Mg=q2", "--pseudo-name", "O=q6"],
             {"pseudo_names": {"Mg": "q2", "O": "q6"}, "ecut_ha": 40}),
        (["--fft-grid", "40", "40", "40"], {"fft_grid": (40, 40, 40)}),
        (["--xc", "lda", "--basis", "pw", "--device", "cpu", "--seed", "7"], {"xc": "lda", "seed": 7}),
        (["--tolerance", "1e-5", "--max-iterations", "9", "--cutoff-smoothing", "0.3"],
         {"tolerance": 1e-5, "max_iterations": 9, "cutoff_smoothing_ha": 0.3}),
        ([], {"ecut_ha": 42, "kmesh": (4, 4, 4), "smearing": "none", "xc": "pbe", "pseudo": "pseudodojo"}),
    ],
)  # fmt: skip
def test_options_become_the_fields_of_the_calculation(
    arguments: list[str],
    expected: dict[str, object],
    mlxc_command: Callable[..., Outcome],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[Calculation] = []

    def remember(calculation: Calculation, **_: object) -> None:
        seen.append(calculation)
        raise KeyboardInterrupt

    monkeypatch.setattr(Calculation, "run", remember)
    assert mlxc_command("scf", "mgo", *arguments).code == 130
    assert {name: getattr(seen[0], name) for name in expected} == expected


def test_the_species_of_a_poscar_are_an_option_or_stand_behind_its_name(
    mlxc_command: Callable[..., Outcome], tmp_path: Path
) -> None:
    (tmp_path / "POSCAR").write_text(poscar().replace("Al\n", ""))
    for arguments in (["POSCAR", "--species", "Al"], ["POSCAR#Al"]):
        outcome = mlxc_command("scf", *arguments, "--ecut", "-1")
        assert "ecut_ha" in outcome.stderr  # the structure has been read
    assert "--species Mg" in mlxc_command("scf", "POSCAR").stderr


def test_the_range_of_volumes_reaches_the_task(
    mlxc_command: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[EquationOfStateTask] = []

    def remember(task: EquationOfStateTask, *_: object) -> None:
        seen.append(task)
        raise KeyboardInterrupt

    monkeypatch.setitem(KINDS["eos"].__dict__, "run", remember)
    mlxc_command("eos", "al", "--points", "9", "--volume-range", "0.9", "1.2")
    assert (seen[0].points, seen[0].lowest_volume, seen[0].highest_volume) == (9, 0.9, 1.2)
    mlxc_command("eos", "graphene")
    mlxc_command("eos", "graphene", "--vary", "volume")
    assert [task.vary for task in seen] == ["volume", "area", "volume"]


def test_an_interruption_is_one_sentence(mlxc_command: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Calculation, "run", interrupted)
    outcome = mlxc_command("scf", "al", "--json")
    assert (outcome.code, outcome.stdout, outcome.stderr) == (130, "", "mlxc: Interrupted.\n")


@pytest.mark.parametrize("command", ["scf", "eos"])
def test_help_names_every_option_and_exits_with_zero(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main([command, "--help"])
    assert exit_.value.code == 0
    text = capsys.readouterr().out
    for option in ("--xc", "--ecut", "--kmesh", "--smearing", "--pseudo-name", "--fft-grid", "--json", "--save"):
        assert option in text


@pytest.mark.process
def test_the_command_is_installed() -> None:
    command = [sys.executable, "-m", "mlxc.cli", "--version"]
    completed = subprocess.run(command, capture_output=True, text=True, check=True)
    assert completed.stdout.startswith("mlxc ")
