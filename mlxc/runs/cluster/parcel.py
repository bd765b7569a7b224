"""A run on its way to another machine and back: its task with the files that it reads, and what comes of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from mlxc.runs.folder import TASK_FILE, RunFolder
from mlxc.tasks.files import files_of, with_files_beside
from mlxc.tasks.task import PARTS

# What belongs to where a run is computed, or is told while it is.
STAYING = (TASK_FILE, "status.json", "records.jsonl", "control.json", "stop", "lock")


@dataclass(frozen=True)
class Parcel:
    """A run to be computed.

    Attributes:
        name: The name of its folder.
        files: The content of its files, by their paths in the folder.
    """

    name: str
    files: dict[str, bytes]

    @classmethod
    def of(cls, folder: RunFolder) -> Parcel:
        """What another machine needs to compute a run.

        Raises:
            InputError: the folder holds no valid task.
        """
        task = folder.task
        data = task.model_dump(mode="json")
        part = next((name for name in PARTS if name in data), None)
        if part is None:
            data = with_files_beside(data)
        else:
            data[part] = with_files_beside(data[part])
        files = {name: path.read_bytes() for name, path in files_of(task).items()}
        header = {"task": folder.kind, "title": folder.title, "files": dict.fromkeys(files, "")}
        return cls(folder.path.name, files | {TASK_FILE: json.dumps(header | data).encode()})

    def unpack(self, root: Path) -> RunFolder:
        """Make a folder of the run in another one."""
        path = root / self.name
        write_files(path, self.files)
        folder = RunFolder(path)
        folder.set_status("queued")
        return folder


def results_in(folder: RunFolder, parcel: Parcel) -> dict[str, bytes]:
    """What has come of a run, by the paths in its folder."""
    paths = [path for path in folder.path.rglob("*") if path.is_file()]
    found = {str(path.relative_to(folder.path)): path for path in paths}
    return {name: path.read_bytes() for name, path in found.items() if name not in (*STAYING, *parcel.files)}


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    """Write files into a folder, which is made if it is not there."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
