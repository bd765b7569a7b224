"""What people and programs rely on is as ``tests/golden`` pins it: commands, results, run folders, exports, states.

What is pinned must be there and be the same; more than that may be there. ``python tests/golden/record.py`` pins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from ase import Atoms
from golden import cases, files, public_face, run_folders

import mlxc
from mlxc.ase import MLXC
from mlxc.export.link import decode_setup, encode_setup

HARTREE_EV = 27.211386245988  # CODATA 2018

# By the name of the outermost entry that is listed. Runs with one and with two threads, which differ by rounding, agree
# ten times better or more: free energies to 1e-13, what is of first order in the error of the density to 1e-10.
TOLERANCES = {
    "free_energy_ha": 1e-10,
    "energies_ha": 1e-9,
    "energies_ev": 1e-9,
    "forces_ha_bohr": 1e-9,
    "stress_ha_bohr3": 1e-10,
    "bands_ev": 1e-7,
    "direct_gap_ev": 1e-7,
    "dos": 1e-6,
    "bulk_modulus_gpa": 1e-6,
    "bulk_modulus_derivative": 1e-7,
    "in_plane_modulus_n_per_m": 1e-7,
    "gradient_norm": 1e-7,
    "layers": 1e-7,
    "parameters": 1e-7,
    "pull": 1e-6,
}
DEFAULT_TOLERANCE = 1e-9
# Times, and what counts steps or depends on the last digits.
NOT_COMPARED = {"seconds", "iterations", "scf_iterations", "adjoint", "steps"}
# What is computed with every change; the rest takes longer.
QUICK = {"lda-fixed-occupations", "pbe-fermi-dirac", "bands-of-a-metal", "gradient-energy", "scf"}


def by_length(names: Iterable[str]) -> list[Any]:
    return [pytest.param(name, marks=() if name in QUICK else pytest.mark.thorough) for name in names]


def assert_holds(pinned_value: Any, value: Any, place: tuple[str, ...] = ()) -> None:
    """All that is pinned is there: keys, types, texts, and numbers within the tolerances."""
    if place and place[-1] in NOT_COMPARED:
        return
    if isinstance(pinned_value, dict):
        assert isinstance(value, dict), place
        assert set(pinned_value) <= set(value), place
        for key, item in pinned_value.items():
            assert_holds(item, value[key], (*place, key))
    elif isinstance(pinned_value, list):
        assert isinstance(value, list), place
        assert len(value) == len(pinned_value), place
        for first, second in zip(pinned_value, value, strict=True):
            assert_holds(first, second, place)
    else:
        assert type(value) is type(pinned_value), place
        if isinstance(pinned_value, float):
            named = [TOLERANCES[key] for key in place if key in TOLERANCES]
            assert value == pytest.approx(pinned_value, rel=0, abs=(named or [DEFAULT_TOLERANCE])[0]), place
        else:
            assert value == pinned_value, place


@pytest.mark.parametrize("command", cases.COMMANDS)
def test_a_command_takes_its_options(command: str) -> None:
    known, found = files.read("commands")[command], public_face.command_line(command)
    assert set(known["commands"]) <= set(found["commands"])
    assert known["positional"] == found["positional"]
    assert {name: found["options"].get(name) for name in known["options"]} == known["options"]
    assert not [name for name in set(found["options"]) - set(known["options"]) if found["options"][name]["required"]]


@pytest.mark.parametrize("name", cases.MISTAKES)
def test_a_mistake_is_answered_with_its_sentence(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert public_face.mistake(name) == files.read("mistakes")[name]


@pytest.mark.parametrize("name", by_length(cases.RESULTS))
def test_a_command_prints_its_result(name: str) -> None:
    found = public_face.result(name)
    assert_holds(files.read(f"results/{name}"), found)
    if name in cases.GROUND_STATES:
        assert found["free_energy_ha"] == pytest.approx(files.read("energies")[name], rel=0, abs=1e-10)


@pytest.mark.parametrize("name", [*cases.FORMS, *(pytest.param(s, marks=pytest.mark.slow) for s in cases.SLOW_FORMS)])
def test_a_command_prints_an_object_of_its_form(name: str, tmp_path: Path) -> None:
    assert_holds(files.read(f"forms/{name}"), public_face.result_form(name, tmp_path / "out"))


@pytest.mark.parametrize("name", cases.TASKS)
def test_a_task_file_is_read_and_written(name: str, tmp_path: Path) -> None:
    known = files.read(f"tasks/{name}")
    assert_holds(known, run_folders.written_task(cases.TASKS[name], tmp_path / "short"))
    assert_holds(known, run_folders.written_task(known, tmp_path / "complete"))


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, str]]:
    """The folder of a finished run of a kind, and the report on it."""
    return cache(lambda kind: run_folders.computed_folder(kind, tmp_path_factory.mktemp(kind)))


@pytest.mark.parametrize("kind", by_length(cases.COMPUTED_TASKS))
def test_a_run_writes_its_files(kind: str, computed: Callable[[str], tuple[Path, str]]) -> None:
    folder, report = computed(kind)
    known = files.read(f"runs/{kind}")
    assert report.splitlines() == known.pop("report")
    assert_holds(known, run_folders.folder_content(folder))


@pytest.mark.parametrize("kind", by_length(cases.COMPUTED_TASKS))
def test_a_run_is_taken_away(kind: str, computed: Callable[[str], tuple[Path, str]], tmp_path: Path) -> None:
    assert_holds(files.read(f"exports/{kind}"), run_folders.exports(computed(kind)[0], tmp_path))


@pytest.mark.parametrize("kind", by_length(cases.COMPUTED_TASKS))
def test_tables_have_their_names_and_columns(
    kind: str, computed: Callable[[str], tuple[Path, str]], tmp_path: Path
) -> None:
    assert run_folders.tables(computed(kind)[0], tmp_path) == files.read("tables")[kind]


@pytest.mark.parametrize("name", cases.STATES)
def test_a_saved_state_is_read(name: str) -> None:
    state = mlxc.GroundState.load(files.GOLDEN / f"{name}.h5")
    assert_holds(files.read(f"states/{name}"), public_face.state_content(state))


@pytest.mark.parametrize("name", cases.STATES)
def test_a_calculation_starts_from_a_saved_state(name: str) -> None:
    saved = mlxc.GroundState.load(files.GOLDEN / f"{name}.h5")
    calculation = mlxc.Calculation.from_dict(saved.calculation)
    again = calculation.run(start=saved)
    assert again.converged
    assert len(again.history) < len(saved.history)
    assert float(again.energy) == pytest.approx(float(saved.energy), rel=0, abs=1e-10)


def test_an_scf_in_python_starts_from_a_saved_state() -> None:
    saved = mlxc.GroundState.load(files.GOLDEN / "plane-waves.h5")
    settings: dict[str, Any] = {"basis": mlxc.PlaneWaves(4.0), "kmesh": (2, 2, 1), "pseudo": "gth"}
    again = mlxc.scf(mlxc.Crystal.load("si"), **settings, tolerance=1e-10, start=saved)
    assert len(again.history) < len(saved.history)
    assert again.energy.item() == pytest.approx(float(saved.energy), rel=0, abs=1e-10)


def test_a_calculator_goes_on_from_a_saved_state() -> None:
    saved = mlxc.GroundState.load(files.GOLDEN / "plane-waves.h5")
    atoms: Atoms = mlxc.Crystal.load("si").to_ase()
    settings = {"ecut_ha": 4, "kmesh": [2, 2, 1], "pseudo": "gth", "smearing": "none", "cutoff_smoothing_ha": 0}
    atoms.calc = MLXC(**settings, tolerance=1e-10)
    atoms.calc.ground_state = saved
    energy = atoms.get_potential_energy() / HARTREE_EV
    assert energy == pytest.approx(float(saved.energy), rel=0, abs=1e-10)
    assert len(atoms.calc.ground_state.history) < len(saved.history)


@pytest.mark.parametrize("name", cases.SHORT_SETTINGS)
def test_short_settings_become_complete(name: str) -> None:
    assert_holds(files.read("defaults")[name], public_face.defaults(name))


@pytest.mark.parametrize("name", cases.SHORT_SETTINGS)
def test_a_link_restores_its_settings(name: str) -> None:
    calculation = mlxc.Calculation.from_dict(cases.SHORT_SETTINGS[name])
    assert decode_setup(files.read("links")[name]) == calculation
    assert decode_setup(encode_setup(calculation)) == calculation


def test_names_are_there() -> None:
    known = files.read("names")
    assert set(known["mlxc"]) <= set(mlxc.__all__) <= set(dir(mlxc))
    for name in (f"mlxc.{name}" for name in known["mlxc"]):
        assert named(name) is not None
    for name in known["README.md"]:
        try:
            assert named(name) is not None
        except ModuleNotFoundError as error:
            if error.name != "deepchem":  # which does not install everywhere
                raise


def named(name: str) -> Any:
    """A module, or what is in one, by its dotted name."""
    module, _, attribute = name.rpartition(".")
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name and not (error.name or "").startswith("mlxc"):
            raise
        return getattr(named(module), attribute)
