"""The commands ``mlxc run`` and ``mlxc export``, about runs in folders."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlxc.console.record_table import Tell
from mlxc.errors import InputError
from mlxc.tasks.kinds import kind_named

if TYPE_CHECKING:
    from mlxc.runs.folder import RunFolder

EXIT_CODES = {"finished": 0, "failed": 2, "not converged": 3, "stopped": 130}
ZIP = "zip"
# What mlxc.export.files offers, which the parser need not load.
KINDS = (ZIP, "script", "cli", "json", "qcschema", "csv", "cif", "cube", "xsf", "hdf5", "checkpoint", "yaml")


def add_run_command(parser: argparse.ArgumentParser) -> None:
    """Define ``mlxc run``."""
    parser.set_defaults(command=_run)
    parser.add_argument(
        "folder", type=Path, help="of a run, or its archive; one that has ended is computed again, in a new folder"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object to standard output")


def add_export_command(parser: argparse.ArgumentParser) -> None:
    """Define ``mlxc export``."""
    parser.set_defaults(command=_export)
    parser.add_argument("folder", type=Path, help="of a run")
    parser.add_argument("--to", required=True, metavar="KIND", help=f"{', '.join(KINDS)} ({ZIP}: everything)")
    parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER", help="to write to (this one)")


def _run(options: argparse.Namespace, _: list[str]) -> int:
    from mlxc.runs.worker import execute

    folder = _to_compute(_opened(options.folder))
    kind = kind_named(folder.kind)
    with kind.progress(kind.records) as progress:
        execute(_telling(folder, progress.tell))
    status, result = folder.status, folder.result
    if result is not None:
        print(json.dumps(result, indent=1) if options.json else kind.report(result))
    if status["state"] != "finished":
        print(f"mlxc: {' '.join(status['message'].split())}", file=sys.stderr)
    return EXIT_CODES[status["state"]]


def _telling(folder: RunFolder, tell: Tell) -> RunFolder:
    """The folder, made to tell what is written to it."""
    from mlxc.runs.folder import RunFolder

    class TellingFolder(RunFolder):
        def append(self, record: dict[str, Any]) -> None:
            super().append(record)
            tell(record)

    return TellingFolder(folder.path)


def _to_compute(folder: RunFolder) -> RunFolder:
    """The folder itself, or, if that run has ended already, a new one beside it with the same task."""
    from mlxc.runs.folder import ENDED, RunFolder

    state = folder.status["state"]
    if state == "running":
        raise InputError(f"{folder.path}: this run is being computed at the moment.")
    if state not in ENDED:
        return folder
    again = RunFolder.create(folder.task, folder.title, folder.path.resolve().parent)
    print(f"The run has ended; it is computed again in {again.path}.", file=sys.stderr)
    return again


def _export(options: argparse.Namespace, _: list[str]) -> int:
    from mlxc.export.archive import write_archive
    from mlxc.export.files import EXPORTS

    if options.to not in KINDS:
        raise InputError(f"--to: '{options.to}' is not a kind of file; there are {', '.join(KINDS)}.")
    folder = _folder(options.folder)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        if options.to == ZIP:
            path = options.out / f"{folder.path.resolve().name}.zip"
            write_archive(folder, path)
            print(path)
            return 0
        files = EXPORTS[options.to].make(folder)
        if not files:
            raise InputError(f"{folder.path}: the run is {folder.status['state']} and has nothing to export as that.")
        for name, content in files.items():
            data = content.read_bytes() if isinstance(content, Path) else content.encode()
            (options.out / name).write_bytes(data)
            print(options.out / name)
    except OSError as error:
        raise InputError(f"--out: {options.out} cannot be written to: {error.strerror or error}.") from None
    return 0


def _opened(path: Path) -> RunFolder:
    """The folder of a run, or the one that its archive becomes beside the runs that are kept."""
    if path.suffix.lower() != f".{ZIP}":
        return _folder(path)
    from mlxc.export.reopening import open_archive

    if not path.is_file():
        raise InputError(f"{path}: there is no such file.")
    folder = open_archive(path, path.name)
    print(f"The run of the archive is in {folder.path}.", file=sys.stderr)
    return folder


def _folder(path: Path) -> RunFolder:
    from mlxc.runs.folder import RunFolder

    if not (path / "task.json").is_file():
        raise InputError(f"{path}: this is not the folder of a run; such a folder holds a file task.json.")
    return RunFolder(path)
