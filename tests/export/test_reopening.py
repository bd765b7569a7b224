"""An archive of a run opens again elsewhere with all that the run needs; what is no archive is refused in words."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from support import Outcome

from mlxc import Calculation, InputError
from mlxc.export.archive import write_archive
from mlxc.export.files import EXPORTS
from mlxc.export.reopening import open_archive
from mlxc.export.script import python_script
from mlxc.runs.folder import RunFolder
from mlxc.tasks.gradient.task import GradientTask
from mlxc.xc.checkpoints.files import checkpoint_of, shipped_checkpoints

SECRET = "a-folder-of-the-server"
RESULT = json.loads((Path(__file__).parents[1] / "golden/results/pbe-fermi-dirac.json").read_text())
SUMS = ("{}", "clamped:{}", "0.5*{} + 0.5*pbe", "0.25*pbe + 0.75*clamped:{}", "{} - 0.1*pbe", "{} + 0.1*clamped:{}")


def checkpoint(folder: Path, name: str = "own model.safetensors") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(shipped_checkpoints()["bulk-constrained"].read_bytes())
    return path


def run_with(xc: str, root: Path, **further: Any) -> RunFolder:
    calculation = Calculation.from_dict({"structure": "si", "ecut_ha": 5, "kmesh": (2, 2, 2), "xc": xc, **further})
    folder = RunFolder.create(calculation, "a <run>", root, owner="secret-visitor")
    folder.append({"kind": "iteration", "iteration": 1, "free_energy_ha": -7.0})
    folder.write_result(RESULT | {"calculation": calculation.model_dump(mode="json")})
    folder.set_status("finished", "A note.")
    return folder


def archived(folder: RunFolder) -> io.BytesIO:
    target = io.BytesIO()
    write_archive(folder, target)
    return target


def members(archive: io.BytesIO) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as file:
        return {Path(name).name: file.read(name) for name in file.namelist()}


@pytest.mark.parametrize("form", SUMS)
def test_an_archive_brings_its_checkpoint_and_names_no_folder_of_the_server(form: str, tmp_path: Path) -> None:
    path = checkpoint(tmp_path / SECRET)
    folder = run_with(form.replace("{}", str(path)), tmp_path)
    archive = archived(folder)
    found = members(archive)
    assert found[path.name] == path.read_bytes()
    assert not [name for name, content in found.items() if SECRET.encode() in content]
    task = json.loads(found["task.json"])
    assert task["xc"] == form.replace("{}", path.name)
    assert task["files"] == {path.name: sha256(path.read_bytes()).hexdigest()}
    path.unlink()
    opened = open_archive(archive, "run.zip", tmp_path / "elsewhere", owner="another")
    assert (opened.title, opened.owner, opened.status["state"]) == ("a <run>", "another", "finished")
    assert opened.status["message"] == "A note."
    assert opened.records() == folder.records()
    xc = opened.task.xc  # type: ignore[union-attr]
    assert xc == form.replace("{}", str(opened.path / path.name))
    assert opened.task.model_dump(exclude={"xc"}) == {  # type: ignore[union-attr]
        **Calculation.from_dict({"structure": "si", "ecut_ha": 5, "kmesh": (2, 2, 2)}).model_dump(exclude={"xc"})
    }
    # It can be taken away again, and renamed.
    opened.rename("another name")
    assert members(archived(opened))["task.json"].count(b"own model") == found["task.json"].count(b"own model")


def test_checkpoints_of_one_name_in_two_folders_stay_apart(tmp_path: Path) -> None:
    first, second = (checkpoint(tmp_path / name, "m.safetensors") for name in ("one", "two"))
    archive = archived(run_with(f"0.5*{first} + 0.5*{second}", tmp_path))
    assert json.loads(members(archive)["task.json"])["xc"] == "0.5*m.safetensors + 0.5*2-m.safetensors"
    opened = open_archive(archive, "run.zip", tmp_path / "elsewhere")
    for name in ("m.safetensors", "2-m.safetensors"):
        assert checkpoint_of(str(opened.path / name)) is not None


@pytest.mark.parametrize("kind", ["script", "cli"])
def test_what_is_taken_away_alone_brings_its_checkpoint_too(kind: str, tmp_path: Path) -> None:
    path = checkpoint(tmp_path / SECRET)
    files = EXPORTS[kind].make(run_with(f"clamped:{path}", tmp_path))
    assert files[path.name] == path
    texts = [content for content in files.values() if isinstance(content, str)]
    assert texts
    assert not any(SECRET in text for text in texts)
    assert any(f"clamped:{path.name}" in text for text in texts)


def test_a_script_without_files_moves_nowhere(tmp_path: Path) -> None:
    assert "chdir" not in python_script(run_with("pbe", tmp_path), files_beside=True)
    assert "chdir" in python_script(run_with(str(checkpoint(tmp_path)), tmp_path), files_beside=True)


def test_a_run_without_files_opens_as_it_was(tmp_path: Path) -> None:
    folder = run_with("pbe", tmp_path)
    folder.ground_state_path.write_bytes(b"not really HDF5")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for path in folder.path.iterdir():
            file.write(path, f"some name/{path.name}")
    opened = open_archive(archive, "run.zip", tmp_path / "elsewhere")
    assert opened.task == folder.task
    assert opened.result == folder.result
    assert opened.ground_state_path.read_bytes() == b"not really HDF5"


def test_a_run_that_had_not_ended_is_stopped(tmp_path: Path) -> None:
    folder = run_with("pbe", tmp_path)
    folder.set_status("queued")
    assert open_archive(archived(folder), "run.zip", tmp_path / "elsewhere").status["state"] == "stopped"


def zipped(**files: bytes | str) -> io.BytesIO:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        for name, content in files.items():
            file.writestr(f"a/{name.replace('__', '.')}", content)
    return target


TASK = {"task": "scf", "title": "x", **Calculation.from_dict({"structure": "si"}).model_dump(mode="json")}
DAMAGED = {
    "no zip": io.BytesIO(b"PK but not really"),
    "empty": io.BytesIO(b""),
    "cut off": io.BytesIO(zipped(task__json=json.dumps(TASK)).getvalue()[:-30]),
    "another zip": zipped(readme__txt="hello"),
    "no JSON": zipped(task__json="{"),
    "a list": zipped(task__json="[]"),
    "no task": zipped(task__json="{}"),
    "an unknown kind": zipped(task__json=json.dumps(TASK | {"task": "magic"})),
    "bad settings": zipped(task__json=json.dumps(TASK | {"ecut_ha": -3})),
    "bad status": zipped(task__json=json.dumps(TASK), status__json="3"),
    "bad records": zipped(task__json=json.dumps(TASK), records__jsonl="{nonsense}\n"),
    "bad result": zipped(task__json=json.dumps(TASK), result__json="nonsense"),
    "a missing file": zipped(task__json=json.dumps(TASK | {"files": {"m.safetensors": "0"}})),
    "another file": zipped(task__json=json.dumps(TASK | {"files": {"m.safetensors": "0"}}), m__safetensors="x"),
    "a path": zipped(task__json=json.dumps(TASK | {"files": {"../m.safetensors": "0"}})),
    "bad files": zipped(task__json=json.dumps(TASK | {"files": [1]})),
    "a file of the server": zipped(task__json=json.dumps(TASK | {"xc": "/etc/model.safetensors"})),
    "a hidden file of the server": zipped(
        task__json=json.dumps(TASK | {"xc": "0.5*pbe + 0.5*clamped:/etc/m.safetensors"})
    ),
    "a potential of the server": zipped(task__json=json.dumps(TASK | {"terms": {"external_potential": "/etc/v.cube"}})),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_what_is_no_archive_of_a_run_is_refused_in_a_sentence(case: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^mine\.zip: .*\.$") as error:
        open_archive(DAMAGED[case], "mine.zip", tmp_path)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_nothing_is_written_outside_the_folder_of_the_run(tmp_path: Path) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        file.writestr("a/task.json", json.dumps(TASK))
        file.writestr("a/../../evil.txt", "x")
        file.writestr("a/stop", "")
    root = tmp_path / "runs"
    opened = open_archive(target, "mine.zip", root)
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
    assert sorted(path.name for path in opened.path.iterdir()) == ["status.json", "task.json"]


@pytest.mark.thorough
def test_an_archive_is_computed_again_by_one_command(
    tmp_path: Path, mlxc_command: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLXC_RUNS", str(tmp_path / "runs"))
    path = tmp_path / "taken.zip"
    own = checkpoint(tmp_path)
    path.write_bytes(archived(run_with(str(own), tmp_path, tolerance=1e-3)).getvalue())
    own.unlink()
    outcome = mlxc_command("run", str(path))
    assert outcome.code == 0, outcome.stderr
    assert "converged after" in outcome.stdout
    assert mlxc_command("run", str(tmp_path / "nothing.zip")).code == 2


def test_a_gradient_is_exported_by_parameter_and_by_layer(tmp_path: Path) -> None:
    task = GradientTask.from_dict({"calculation": {"structure": "si", "xc": "pbe-kappa-mu"}, "loss": "energy"})
    folder = RunFolder.create(task, "gradient", tmp_path)
    single = {"size": 1, "norm": 0.8, "gradient_norm": 0.1, "value": 0.8, "gradient": -0.1}
    array = {"size": 9, "norm": 3.0, "gradient_norm": 5.8, "value": None, "gradient": None}
    folder.write_result(
        {
            "parameters": {"kappa": single, "network.0.weight": array},
            "layers": {"kappa": 0.1, "network.0": 5.8},
            "after": {"single_parameters": {"kappa": 0.85}},
        }
    )
    tables = EXPORTS["csv"].make(folder)
    rows = list(csv.DictReader(io.StringIO(str(tables["parameters.csv"]))))
    assert [(row["parameter"], row["gradient"], row["gradient_norm"]) for row in rows] == [
        ("kappa", "-0.1", "0.1"), ("network.0.weight", "", "5.8"),
    ]  # fmt: skip
    assert rows[0]["value_after_step"] == "0.85"
    layers = list(csv.DictReader(io.StringIO(str(tables["layers.csv"]))))
    assert [row["layer"] for row in layers] == ["kappa", "network.0"]
    folder.write_result({"parameters": None, "layers": None, "after": None})
    assert "parameters.csv" not in EXPORTS["csv"].make(folder)
