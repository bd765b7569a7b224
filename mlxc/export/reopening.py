"""A run out of an archive: the zip file that :mod:`mlxc.export.archive` writes becomes a folder of a run again."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO
from zipfile import BadZipFile, ZipFile, ZipInfo

from mlxc.errors import InputError
from mlxc.export.archive import RUN_FILES
from mlxc.references.tables import SOL58LC
from mlxc.runs.folder import ENDED, TASK_FILE, RunFolder
from mlxc.tasks.files import checkpoint_files
from mlxc.tasks.task import functionals_in, main_part
from mlxc.tasks.training.task import CHECKPOINT_FILE

# What is taken out of an archive; everything else in it is made of these.
KEPT = (*RUN_FILES, "result.json", "result.h5", CHECKPOINT_FILE)
JSON_FILES = ("status.json", "result.json")
LARGEST_BYTES = 1024**3


def open_archive(source: Path | BinaryIO, name: str, root: Path | None = None, owner: str = "") -> RunFolder:
    """Make a new folder that holds the run of an archive.

    Nothing in it is executed, and nothing but the files of a run and those that its task names is taken out.

    Args:
        source: The zip file.
        name: What errors call it.
        root: Where the new folder is made, by default the runs directory.
        owner: Whoever wants to find the run again.

    Raises:
        InputError: it is no archive of a run, is damaged, or too large.
    """
    try:
        with ZipFile(source) as archive:
            members = _members(archive, name)
            with TemporaryDirectory() as temporary:
                unpacked = RunFolder(Path(temporary))
                _unpack(archive, members, unpacked.path, name)
                return _kept(unpacked, name, root, owner)
    except (BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError):
        raise InputError(f"{name}: this is not a zip file, or it is damaged.") from None


def _members(archive: ZipFile, name: str) -> dict[str, ZipInfo]:
    """The files that lie beside the task, by their names."""
    tasks = [info for info in archive.infolist() if PurePosixPath(info.filename).name == TASK_FILE]
    if len(tasks) != 1:
        raise InputError(f"{name}: this is not the archive of a run; such a file holds one {TASK_FILE}.")
    home = PurePosixPath(tasks[0].filename).parent
    members = [info for info in archive.infolist() if PurePosixPath(info.filename).parent == home and not info.is_dir()]
    if sum(info.file_size for info in members) > LARGEST_BYTES:
        raise InputError(f"{name}: unpacked it is larger than {LARGEST_BYTES // 1024**2} MB.")
    return {PurePosixPath(info.filename).name: info for info in members}


def _unpack(archive: ZipFile, members: dict[str, ZipInfo], folder: Path, name: str) -> None:
    task = _json(archive.read(members[TASK_FILE]), TASK_FILE, name)
    files: Any = task.get("files", {})
    if not isinstance(files, dict) or not all(isinstance(known, str) and "/" not in known for known in files):
        raise InputError(f"{name}: the list of files in {TASK_FILE} is not valid.")
    _check_paths(task, files, name)
    for wanted in (TASK_FILE, *KEPT, *files):
        if wanted in members:
            content = archive.read(members[wanted])
            if wanted in JSON_FILES:
                _json(content, wanted, name)
            if wanted in files and sha256(content).hexdigest() != files[wanted]:
                raise InputError(f"{name}: {wanted} in it is not the file that the run has read.")
            (folder / wanted).write_bytes(content)
        elif wanted in files:
            raise InputError(f"{name}: the file {wanted} is missing in it.")


def _check_paths(task: dict[str, Any], files: dict[str, str], name: str) -> None:
    """See that the task reads no other files than those of the archive."""
    part = main_part(task)
    if not isinstance(part, dict):
        raise InputError(f"{name}: {TASK_FILE} in it is not valid.")
    terms = part.get("terms")
    paths = [str(path) for path in checkpoint_files(list(functionals_in(part).values())).values()]
    if isinstance(terms, dict):
        paths += [text for text in terms.values() if isinstance(text, str) and Path(text).suffix]
    if "solids" in part and part["solids"] != SOL58LC:
        raise InputError(
            f"{name}: the run reads a table of solids of its own, and an archive may name '{SOL58LC}' only."
        )
    for path in paths:
        if path not in files:
            raise InputError(f"{name}: the run reads the file {Path(path).name}, which the archive does not list.")


def _kept(unpacked: RunFolder, name: str, root: Path | None, owner: str) -> RunFolder:
    """The folder that stays, once it is sure that it is one of a run."""
    try:
        unpacked.records()
        task, state = unpacked.task, unpacked.status.get("state")
    except (InputError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{name}: the run in it is not valid ({' '.join(str(error).split())}).") from None
    folder = RunFolder.create(task, unpacked.title, root, owner)
    files = _json((unpacked.path / TASK_FILE).read_bytes(), TASK_FILE, name)
    for path in unpacked.path.iterdir():
        if path.name != TASK_FILE:
            shutil.copyfile(path, folder.path / path.name)
    (folder.path / TASK_FILE).write_text(json.dumps({**files, "owner": owner}, indent=1), encoding="utf-8")
    if state not in ENDED:
        folder.set_status("stopped", "The archive was made before the run had ended.")
    return folder


def _json(content: bytes, of: str, name: str) -> dict[str, Any]:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise InputError(f"{name}: {of} in it is not valid.")
    return data
