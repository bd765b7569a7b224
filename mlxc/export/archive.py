"""Everything of a run in one zip file, from which the run can be opened, read and computed again elsewhere."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile

import mlxc
from mlxc.export.command import shell_script
from mlxc.export.files import EXPORTS, Files, structure_beside
from mlxc.export.script import one_line, python_script
from mlxc.runs.folder import TASK_FILE, TRACEBACK_FILE, RunFolder
from mlxc.tasks.files import files_of, term_files, with_files_beside
from mlxc.tasks.kinds import calculation_of, kind_of
from mlxc.tasks.task import main_part

# That make a folder one of a run, beside its task, see mlxc.runs.folder.
RUN_FILES = ("status.json", "records.jsonl", TRACEBACK_FILE)
MEANINGS = {
    "run.py": "Python script that computes the run again",
    "run.sh": "the same as a command for a shell",
    "result.json": "all figures of the result, with units in their names",
    "qcschema.json": "the same as QCSchema, the JSON of quantum chemistry",
    "training.yaml": "what mlxc train takes to train the functional again",
    "result.h5": "density, potential, levels, orbitals (HDF5; mlxc.SavedState.load reads it)",
    "task.json": "what was asked for; mlxc run computes it again",
    "status.json": "how the run ended",
    "records.jsonl": "what it told step by step",
    "traceback.txt": "where the program failed",
}
TERM_MEANING = "a further term of the energy, which run.py and run.sh read"
MEANINGS_OF_SUFFIXES = {
    ".cif": "the crystal",
    ".xyz": "the crystal with all digits, which run.sh reads",
    ".cube": "volumetric data for VESTA, VMD, Avogadro (electrons/bohr^3)",
    ".xsf": "the same for XCrySDen, VESTA",
    ".safetensors": "the checkpoint of a functional",
}


def write_archive(folder: RunFolder, target: Path | BinaryIO) -> None:
    """Write a zip file with everything there is of a run.

    Args:
        folder: The folder of the run.
        target: The file to write.

    Raises:
        InputError: the folder holds no valid task.
    """
    files = archive_files(folder)
    name = folder.path.resolve().name
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}/README.txt", _readme(folder, files))
        for file_name, content in files.items():
            if isinstance(content, Path):
                archive.write(content, f"{name}/{file_name}")
            else:
                archive.writestr(f"{name}/{file_name}", content)


def archive_files(folder: RunFolder) -> Files:
    """What is in the archive, by file name, but for the text that explains it."""
    files: dict[str, str | Path] = {
        "run.py": python_script(folder, files_beside=True),
        "run.sh": shell_script(folder, files_beside=True),
        **structure_beside(folder),
        **files_of(folder.task),
    }
    for name, export in EXPORTS.items():
        if name not in ("script", "cli"):
            files |= {name: _without_folders(content, folder) for name, content in export.make(folder).items()}
    files[TASK_FILE] = _task(folder)
    run_files = {name: folder.path / name for name in RUN_FILES}
    return files | {name: path for name, path in run_files.items() if path.exists()}


def _task(folder: RunFolder) -> str:
    """The task without its owner, whose name is all that it takes to act as him, and with the files that lie beside it
    named so, with their hashes.
    """
    task, files = folder.task, files_of(folder.task)
    data = task.model_dump(mode="json")
    named = main_part(data)
    named.update(with_files_beside(named))
    header: dict[str, Any] = {"task": folder.kind, "title": folder.title}
    if files:
        header["files"] = {name: sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
    return json.dumps(header | data, indent=1)


def _without_folders(content: str | Path, folder: RunFolder) -> str | Path:
    """A text in which files are named as they lie in the archive."""
    if isinstance(content, str):
        for name, path in files_of(folder.task).items():
            content = content.replace(json.dumps(str(path))[1:-1], json.dumps(name)[1:-1])
    return content


def _readme(folder: RunFolder, files: Files) -> str:
    lines = [f"{name:24}{meaning}" for name, meaning in meanings(folder, files).items()]
    state = folder.status["state"]
    return "\n".join([one_line(folder.title), f"A run of mlxc {mlxc.__version__}: {state}.", "", *lines, ""])


def meanings(folder: RunFolder, files: Files) -> dict[str, str]:
    """What each file of the archive of a run is."""
    kind = kind_of(folder.task)
    tables = {f"{table.name}.csv": table.meaning for table in kind.records.values()}
    tables |= {f"{table.name}.csv": table.meaning for table in kind.tables}
    calculation = calculation_of(folder.task)
    terms = dict.fromkeys(term_files(calculation.terms), TERM_MEANING) if calculation else {}
    known = MEANINGS | tables | terms
    return {name: known.get(name) or MEANINGS_OF_SUFFIXES[Path(name).suffix] for name in files}
