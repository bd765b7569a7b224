"""What is taken away from a run says the same as the run, and computes it again."""

from __future__ import annotations

import csv
import io
import json
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from mlxc_app.run.model import RunModel
from mlxc_app.run.take_away_model import TakeAwayModel
from set_ups import SEVERAL, assert_same_settings, strained
from stand_ins import IdleWorker
from support import Outcome

from mlxc import cli
from mlxc.calculation.calculation import Calculation
from mlxc.cli.runs import KINDS as FILES
from mlxc.cli.runs import ZIP
from mlxc.crystal.crystal import Crystal
from mlxc.export.command import command_line
from mlxc.export.files import EXPORTS, Files
from mlxc.export.script import python_script
from mlxc.export.settings import settings_of, structure_file
from mlxc.runs.folder import RunFolder
from mlxc.runs.worker import execute
from mlxc.structures.files import read_structure
from mlxc.tasks.bands.task import BandsTask
from mlxc.tasks.gradient.task import GradientTask
from mlxc.tasks.kinds import KINDS, kind_of, task_from_dict
from mlxc.tasks.task import AnyTask
from mlxc.tasks.training.task import TrainingTask
from mlxc.training.config import read_config

ROOT = Path(__file__).parents[2]
QUICK: dict[str, Any] = {"structure": "si", "ecut_ha": 5, "kmesh": [2, 2, 2], "tolerance": 1e-8}


def folder_for(task: AnyTask, root: Path) -> RunFolder:
    return RunFolder.create(task, 'A "title" \n import os; 100 %', root, owner="secret-visitor")


def computed(data: dict[str, Any], root: Path, kind: str = "scf") -> RunFolder:
    folder = folder_for(task_from_dict(kind, data), root)
    execute(folder)
    return folder


@pytest.fixture(scope="module")
def silicon(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A finished run of a shipped structure."""
    return computed(QUICK, tmp_path_factory.mktemp("silicon"))


@pytest.fixture(scope="module")
def uploaded(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A finished run of an uploaded structure with an uploaded checkpoint."""
    root = tmp_path_factory.mktemp("uploaded")
    checkpoint = root / "own model.safetensors"
    checkpoint.write_bytes((ROOT / "assets/checkpoints/pbe-proxy.safetensors").read_bytes())
    return computed(QUICK | {"structure": strained(), "xc": str(checkpoint)}, root)


def text(files: Files, name: str) -> str:
    content = files[name]
    assert isinstance(content, str)
    return content


def free_energy(text_of_script: str) -> float:
    return float(text_of_script.split("TS:")[1].split()[0])


def execute_script(script: Path) -> float:
    found = subprocess.run(
        [sys.executable, script.name], cwd=script.parent, capture_output=True, text=True, timeout=300
    )
    assert found.returncode == 0, found.stderr
    return free_energy(found.stdout)


def execute_command(script: Path) -> float:
    """The command of a shell script, which must have no other."""
    line = " ".join(line for line in script.read_text().splitlines() if not line.startswith("#")).replace("\\", "")
    program, *words = shlex.split(line)
    assert program == "mlxc"
    command = [sys.executable, "-m", "mlxc.cli", *words, "--json"]
    found = subprocess.run(command, cwd=script.parent, capture_output=True, text=True, timeout=300)
    assert found.returncode == 0, found.stderr
    return float(json.loads(found.stdout)["free_energy_ha"])


@pytest.mark.process
@pytest.mark.parametrize("run", [pytest.param("silicon", marks=pytest.mark.slow), "uploaded"])
def test_script_and_command_in_the_archive_give_the_same_energy_elsewhere(
    run: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder = request.getfixturevalue(run)
    assert cli.main(["export", str(folder.path), "--to", "zip", "--out", str(tmp_path)]) == 0
    with zipfile.ZipFile(tmp_path / f"{folder.path.name}.zip") as archive:
        archive.extractall(tmp_path)
    unpacked = tmp_path / folder.path.name
    assert folder.result is not None
    expected = folder.result["free_energy_ha"]
    assert execute_script(unpacked / "run.py") == pytest.approx(expected, abs=1e-8)
    assert execute_command(unpacked / "run.sh") == pytest.approx(expected, abs=1e-8)
    # The unpacked folder is one of a run itself, in which files are named as they lie there.
    xc = folder.result["calculation"]["xc"]
    assert RunFolder(unpacked).result == json.loads(json.dumps(folder.result).replace(xc, Path(xc).name))
    # Who knows the owner's name can act as him.
    assert not [path for path in unpacked.iterdir() if b"secret-visitor" in path.read_bytes()]
    listed = (unpacked / "README.txt").read_text()
    assert all(path.name in listed for path in unpacked.iterdir() if path.name != "README.txt")


@pytest.mark.slow
@pytest.mark.process
def test_an_equation_of_state_is_reproduced_by_its_script(tmp_path: Path) -> None:
    quick = {"structure": "al", "ecut_ha": 6, "kmesh": [2, 2, 2]}
    folder = computed({"calculation": quick, "points": 5, "highest_volume": 1.08}, tmp_path, "eos")
    assert folder.result is not None
    script = python_script(folder)
    (tmp_path / "run.py").write_text(script)
    again = subprocess.run([sys.executable, "run.py"], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    for line in again.stdout.splitlines():
        assert f"#   {line}" in script
    assert "bulk modulus" in again.stdout
    assert "--volume-range 0.94 1.08 --points 5" in command_line(folder)


# What a task of each kind says beyond its calculation.
FURTHER: dict[str, dict[str, Any]] = {
    "scf": {},
    "eos": {"points": 9},
    "bands": {"points": 50, "dos_width_ev": 0.1},
    "sweep": {"vary": "kmesh", "values": ("2x2x2", "3x3x2"), "lattice_constant": True, "energy_tolerance_mev": 2.0},
    "orders": {"max_cells": 3, "max_orders": 30},
    "moments": {"lowest_moment": -0.5, "highest_moment": 1.5, "points": 5, "both_ways": True},
    "gradient": {"loss": "density_moment", "target": 1.5, "mode": "unrolled"},
    "diagnosis": {},
    "training": {"config": {"name": "learner", "start": "bulk-constrained", "train": ("Al_fcc",), "rounds": 3}},
    "comparison": {"codes": ["pyscf"], "eos": True, "points": 5, "lowest_volume": 0.9, "highest_volume": 1.06},
}
# What the calculation of a kind must, or must not, say.
OWN: dict[str, dict[str, Any]] = {
    "scf": {"uncertainty": True},
    "eos": {"uncertainty": True},
    "bands": {"uncertainty": True},
    "gradient": {"xc": "pbe-kappa-mu"},
    "moments": {"total_moment": None},
    "orders": {"total_moment": None, "smearing": "gaussian"},
}


def tasks_of(calculation: dict[str, Any]) -> dict[str, AnyTask]:
    """A task of each kind; a gradient is one of a functional with parameters, and moments are not held twice."""
    made = {}
    for kind in KINDS:
        own = calculation | OWN.get(kind, {})
        further = dict(FURTHER[kind])
        if kind == "orders":
            further["magnetic"] = Calculation.from_dict(own).crystal.species[:1]
        about = own if kind == "scf" else {} if kind == "training" else {"calculation": own}
        made[str(kind)] = task_from_dict(kind, {**about, **further})
    return made


@pytest.mark.parametrize(
    "calculation",
    [
        {"structure": "si", "basis": "gaussian", "gaussian_basis": "gth-tzvp",
         "gaussian_basis_names": {"Si": "gth-dzvp"}},
        {"structure": strained("al", (0.7,)), **SEVERAL},
        *(pytest.param(more, marks=pytest.mark.thorough) for more in (
            {"structure": "ni", "spin": True},
            {"structure": "graphene", "smearing": "none"},
            {"structure": "al", "xc": "-0.5*pbe + 1.5*lda", "ecut_ha": 7.123456789012345},
        )),
        pytest.param({"structure": "mgo"}, marks=pytest.mark.slow),
        pytest.param({"structure": "al", **SEVERAL}, marks=pytest.mark.slow),
    ],
    ids=lambda calculation: str(calculation["structure"])[:8],
)  # fmt: skip
def test_what_is_told_of_a_task_makes_the_same_task(
    calculation: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for kind, task in tasks_of(calculation).items():
        told = type(task).from_dict(settings_of(task))
        folder = folder_for(task, tmp_path)
        scope: dict[str, Any] = {}
        written = python_script(folder)
        exec(written[: written.index("result = ")], scope)
        for file, content in EXPORTS["cli"].make(folder).items():
            Path(file).write_text(str(content))
        by_words = [] if kind == "training" else [by_command(folder)]  # which mlxc train reads from a file
        for again in (told, scope["calculation" if kind == "scf" else "task"], *by_words):
            assert_same_settings(again.model_dump(), task.model_dump())


def by_command(folder: RunFolder) -> AnyTask:
    """The task that the command line makes of the exported command."""
    options, unparsed = cli.make_parser().parse_known_args(shlex.split(command_line(folder))[1:])
    assert not unparsed
    seen: list[AnyTask] = []

    def remember(task: AnyTask, *_: object) -> None:
        seen.append(task)
        raise KeyboardInterrupt

    kind = kind_of(folder.task)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(kind.__dict__, "run", remember)
        with pytest.raises(KeyboardInterrupt):
            options.command(options, [])
    return seen[0]


def test_whatever_is_offered_of_a_run_of_any_kind_can_be_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLXC_RUNS", str(tmp_path))
    for task in tasks_of({"structure": "si"}).values():
        folder = folder_for(task, tmp_path)
        folder.set_status("stopped")
        assert_all_can_be_taken_away(folder)


@pytest.mark.parametrize("start", [{"network": {"rung": "mgga"}}, {"start": "own"}], ids=["fresh", "own"])
def test_a_training_is_taken_away_with_all_that_it_reads(start: dict[str, Any], tmp_path: Path) -> None:
    checkpoint = tmp_path / "own model.safetensors"
    checkpoint.write_bytes((ROOT / "assets/checkpoints/pbe-proxy.safetensors").read_bytes())
    start = start if "network" in start else {"start": str(checkpoint)}
    task = TrainingTask.from_dict({"config": {"name": "learner", "train": ["Al_fcc"], **start}})
    folder = folder_for(task, tmp_path)
    folder.set_status("stopped")
    assert_all_can_be_taken_away(folder)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name, content in EXPORTS["cli"].make(folder).items():
        (elsewhere / name).write_bytes(content.read_bytes() if isinstance(content, Path) else content.encode())
    line = (elsewhere / "run.sh").read_text().splitlines()[-1]
    assert str(tmp_path) not in line
    word, command, file = shlex.split(line)
    assert (word, command) == ("mlxc", "train")
    config = read_config(elsewhere / file)
    assert config == task.config.model_copy(update={"start": checkpoint.name if task.config.start else ""})


def assert_all_can_be_taken_away(folder: RunFolder) -> None:
    run = RunModel(IdleWorker)
    run.open(folder)
    model = TakeAwayModel(run)
    assert {"zip", "script", "cli"} <= {name for name, _, _ in model.offer.kinds}
    for name, label, meaning in model.offer.kinds:
        assert label
        assert meaning
        assert model.file(name)[1]
    assert str(folder.path.parent) not in model.offer.command


def test_the_command_line_offers_every_kind_of_file() -> None:
    assert set(FILES) == {ZIP, *EXPORTS}


def test_a_script_reads_as_a_person_would_write_it(silicon: RunFolder) -> None:
    script = python_script(silicon)
    assert '"structure": "si",' in script
    assert '"kmesh": [2, 2, 2],' in script
    assert "calculation = Calculation.from_dict(" in script
    # What nobody chose and what is usual is not there.
    for absent in ("seed", "device", "max_iterations", "lattice_ang", "null"):
        assert absent not in script


def test_a_title_stays_in_its_comment(silicon: RunFolder) -> None:
    first = python_script(silicon).splitlines()[0]
    assert first == '# A "title" import os; 100 %'


def test_a_structure_file_keeps_every_digit_and_the_moments(tmp_path: Path) -> None:
    task = Calculation.from_dict({"structure": strained("al", (0.7,)), "spin": True})
    name, content = structure_file(task)
    crystal = read_structure(content, name)
    assert crystal.lattice == pytest.approx(task.crystal.lattice, abs=1e-11)
    assert crystal.moments == pytest.approx([0.7])


@pytest.fixture(scope="module")
def polarised(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A finished run with spin, of a crystal whose three directions differ."""
    structure = Crystal.load("si").supercell(1, 1, 2).to_dict()
    data = QUICK | {"structure": structure, "spin": True, "total_moment": 2, "smearing": "none", "kmesh": [1, 1, 1]}
    return computed(data, tmp_path_factory.mktemp("spin"))


@pytest.mark.parametrize("name", ["density", "spin_density"])
def test_a_cube_file_holds_the_density_and_integrates_to_the_electrons(name: str, polarised: RunFolder) -> None:
    from ase.io.cube import read_cube

    with h5py.File(polarised.ground_state_path) as file:
        up, down = file["density"][()]
    data, atoms = read_cube_of(text(EXPORTS["cube"].make(polarised), f"{name}.cube"), read_cube)
    values = up + down if name == "density" else up - down
    assert data == pytest.approx(values, rel=1e-5, abs=1e-9)
    crystal = polarised.task.crystal  # type: ignore[union-attr]
    assert data.mean() * crystal.volume == pytest.approx(16 if name == "density" else 2, rel=1e-5)
    assert atoms.get_scaled_positions() == pytest.approx(crystal.to_ase().get_scaled_positions(), abs=1e-5)
    assert atoms.cell.volume == pytest.approx(crystal.to_ase().cell.volume, rel=1e-4)


def read_cube_of(content: str, read: Callable[..., Any]) -> tuple[np.ndarray, Any]:
    found = read(io.StringIO(content), read_data=True)
    return (found["data"], found["atoms"]) if isinstance(found, dict) else found


def test_an_xsf_file_holds_the_density_and_repeats_its_first_points_at_its_end(polarised: RunFolder) -> None:
    from ase.io.xsf import read_xsf

    with h5py.File(polarised.ground_state_path) as file:
        density = file["density"][()].sum(axis=0)
    data, origin, spans, atoms = read_xsf(
        io.StringIO(text(EXPORTS["xsf"].make(polarised), "density.xsf")), read_data=True
    )
    assert data[:-1, :-1, :-1] == pytest.approx(density, rel=1e-5)
    for axis in range(3):
        assert data.take(-1, axis=axis) == pytest.approx(data.take(0, axis=axis))
    assert spans == pytest.approx(np.asarray(atoms.cell), abs=1e-6)
    assert atoms.get_chemical_symbols() == ["Si"] * 4
    assert not origin.any()


def test_tables_hold_the_steps(silicon: RunFolder) -> None:
    tables = EXPORTS["csv"].make(silicon)
    rows = list(csv.DictReader(io.StringIO(text(tables, "iterations.csv"))))
    records = [record for record in silicon.records()[0] if record["kind"] == "iteration"]
    assert [float(row["free_energy_ha"]) for row in rows] == [record["free_energy_ha"] for record in records]
    assert float(rows[-1]["energies_ha.kinetic"]) == records[-1]["energies_ha"]["kinetic"]
    assert rows[0]["point"] == ""


def test_a_cif_holds_the_crystal(uploaded: RunFolder) -> None:
    (name, content), *_ = EXPORTS["cif"].make(uploaded).items()
    crystal = read_structure(str(content), name)
    original = uploaded.task.crystal  # type: ignore[union-attr]
    assert crystal.volume == pytest.approx(original.volume, rel=1e-8)
    assert crystal.positions == pytest.approx(original.positions, abs=1e-8)


def test_a_cif_says_whose_moments_it_holds(tmp_path: Path) -> None:
    crystal = replace(Crystal.load("si"), moments=np.array([2.0, -2.0]))
    folder = folder_for(
        Calculation.from_dict(QUICK | {"structure": crystal, "spin": True, "total_moment": 0.0}), tmp_path
    )
    (started,) = EXPORTS["cif"].make(folder).values()
    assert "that the calculation started with" in str(started).splitlines()[0]
    assert read_structure(str(started), "si.cif").moments == pytest.approx([2, -2])
    folder.write_result({"atomic_moments_bohr_magneton": [0.5, -0.5]})
    (found,) = EXPORTS["cif"].make(folder).values()
    assert "that the calculation has found" in str(found).splitlines()[0]
    assert read_structure(str(found), "si.cif").moments == pytest.approx([0.5, -0.5])


def test_what_a_run_has_not_is_left_out(tmp_path: Path, mlxc_command: Callable[..., Outcome]) -> None:
    folder = folder_for(Calculation.from_dict(QUICK), tmp_path)
    folder.set_status("stopped", "Stopped on request.")
    assert not EXPORTS["cube"].make(folder)
    outcome = mlxc_command("export", str(folder.path), "--to", "cube")
    assert outcome.code == 2
    assert "stopped" in outcome.stderr
    outcome = mlxc_command("export", str(folder.path), "--to", "zip")
    assert outcome.code == 0
    with zipfile.ZipFile(outcome.stdout.strip()) as archive:
        names = {Path(name).name for name in archive.namelist()}
    assert {"run.py", "run.sh", "task.json", "si.cif", "README.txt"} <= names


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("task", "progress", "report"),
    [
        (BandsTask.from_dict({"calculation": QUICK, "points": 10}), "k points", "smallest direct gap"),
        (GradientTask.from_dict({"calculation": QUICK | {"xc": "pbe-kappa-mu"}, "loss": "gap"}), "adjoint", "dL/d(mu)"),
    ],
    ids=["bands", "gradient"],
)
def test_mlxc_run_shows_what_the_command_of_its_own_shows(
    task: AnyTask, progress: str, report: str, tmp_path: Path, mlxc_command: Callable[..., Outcome]
) -> None:
    outcome = mlxc_command("run", str(folder_for(task, tmp_path).path))
    assert outcome.code == 0
    assert progress in outcome.stderr
    assert report in outcome.stdout


@pytest.mark.thorough
def test_mlxc_run_computes_a_waiting_folder_and_repeats_a_finished_one(
    tmp_path: Path, mlxc_command: Callable[..., Outcome]
) -> None:
    folder = folder_for(Calculation.from_dict(QUICK), tmp_path)
    first = mlxc_command("run", str(folder.path), "--json")
    assert first.code == 0
    assert json.loads(first.stdout) == folder.result
    second = mlxc_command("run", str(folder.path))
    assert "converged after" in second.stdout
    assert len(list(tmp_path.glob("*/result.json"))) == 2
    again = mlxc_command("run", str(tmp_path))
    assert (again.code, "not the folder of a run" in again.stderr) == (2, True)
