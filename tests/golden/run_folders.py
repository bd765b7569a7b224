"""What the version at hand makes of a run's folder: the task, the result, the records, and what is taken away."""

from __future__ import annotations

import csv
import json
import re
import shlex
import zipfile
from pathlib import Path
from typing import Any

import h5py
from golden.cases import COMPUTED_TASKS, TITLE
from golden.files import form, masked, without_times
from golden.public_face import environment, run_command


def make_folder(task: dict[str, Any], root: Path, state: str = "queued") -> Path:
    """The folder of a run, as any program may write it."""
    folder = root / "given"
    folder.mkdir(parents=True)
    (folder / "task.json").write_text(json.dumps({"title": TITLE} | task))
    (folder / "status.json").write_text(json.dumps({"state": state, "message": ""}))
    return folder


def written_task(task: dict[str, Any], root: Path) -> dict[str, Any]:
    """The task file that is written when a run with this task is computed again; it ends after one step."""
    folder = make_folder(task, root, state="stopped")
    with environment(MLXC_MAX_SECONDS="0.0001"):
        outcome = run_command("run", str(folder))
    assert outcome.code == 130, outcome.stderr
    (again,) = set(root.glob("*/task.json")) - {folder / "task.json"}
    written: dict[str, Any] = json.loads(again.read_text())
    return written


def computed_folder(kind: str, root: Path) -> tuple[Path, str]:
    """The folder of a finished run, and the report on it with its numbers masked."""
    folder = make_folder(COMPUTED_TASKS[kind], root)
    outcome = run_command("run", str(folder))
    assert outcome.code == 0, outcome.stderr
    return folder, masked(outcome.stdout)


def folder_content(folder: Path) -> dict[str, Any]:
    """The names of a finished run's files, its result, and of what its records are made."""
    records = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
    kinds = dict.fromkeys(record["kind"] for record in records)
    with h5py.File(folder / "result.h5") as file:
        state = {name: list(dataset.shape) for name, dataset in file.items()}
    return {
        "files": sorted(path.name for path in folder.iterdir()),
        "status": sorted(json.loads((folder / "status.json").read_text())),
        "records": {kind: form([record for record in records if record["kind"] == kind]) for kind in kinds},
        "result": without_times(json.loads((folder / "result.json").read_text())),
        "state": state,
    }


def exports(folder: Path, target: Path) -> dict[str, Any]:
    """What can be taken away from a finished run; tables are in :func:`tables`."""
    assert run_command("export", str(folder), "--to", "zip", "--out", str(target)).code == 0
    with zipfile.ZipFile(target / f"{folder.name}.zip") as archive:
        contents = {Path(name).name: archive.read(name).decode() for name in archive.namelist() if ".h5" not in name}
        names = {Path(name).name for name in archive.namelist()}
    written = {}
    for kind in ("script", "cli", "json", "qcschema", "cif", "cube", "xsf", "hdf5"):
        outcome = run_command("export", str(folder), "--to", kind, "--out", str(target / kind))
        written[kind] = sorted(Path(line).name for line in outcome.stdout.splitlines())
    return {
        "archive": sorted(name for name in names if not name.endswith(".csv")),
        "files": written,
        "command": shlex.split(contents["run.sh"].replace("\\\n", ""), comments=True),
        "script": script_lines(contents["run.py"]),
        "structure": [contents[name] for name in names if name.endswith(".xyz")],
        "qcschema": form(json.loads(contents["qcschema.json"])) if "qcschema.json" in contents else None,
    }


def script_lines(text: str) -> list[str]:
    """A Python script that was taken away, without the version, the figures that were found, and homes of classes."""
    lines = [re.sub(r"^from mlxc[\w.]* import", "import", line) for line in text.splitlines()]
    return [masked(line) if line.startswith("#") else line for line in lines if "Written by mlxc" not in line]


def tables(folder: Path, target: Path) -> dict[str, list[str]]:
    """The columns of the tables of a run, by the names of their files."""
    run_command("export", str(folder), "--to", "csv", "--out", str(target / "csv"))
    return {path.name: next(csv.reader(path.open())) for path in sorted((target / "csv").iterdir())}
