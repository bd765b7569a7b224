"""Write everything in this folder anew: ``python tests/golden/record.py``; one part of it with its name behind.

It is run only where a change of what people rely on is wanted; the differences are read before they are committed.
The saved states are those of version 0.1.0 and stay, unless their file is deleted first.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from golden import cases, files, public_face, run_folders

import mlxc
from mlxc.export.link import encode_setup


def record_commands(_: Path) -> None:
    files.write("commands", {command: public_face.command_line(command) for command in cases.COMMANDS})
    files.write("mistakes", {name: public_face.mistake(name) for name in cases.MISTAKES})


def record_results(_: Path) -> None:
    for name in cases.RESULTS:
        files.write(f"results/{name}", public_face.result(name))
    energies = {name: files.read(f"results/{name}")["free_energy_ha"] for name in cases.GROUND_STATES}
    files.write("energies", energies)


def record_forms(root: Path) -> None:
    for name in cases.FORMS | cases.SLOW_FORMS:
        files.write(f"forms/{name}", public_face.result_form(name, root / name))


def record_runs(root: Path) -> None:
    for name, task in cases.TASKS.items():
        files.write(f"tasks/{name}", run_folders.written_task(task, root / "tasks" / name))
    tables = {}
    for kind in cases.COMPUTED_TASKS:
        folder, report = run_folders.computed_folder(kind, root / kind)
        files.write(f"runs/{kind}", run_folders.folder_content(folder) | {"report": report.splitlines()})
        files.write(f"exports/{kind}", run_folders.exports(folder, root / kind / "exports"))
        tables[kind] = run_folders.tables(folder, root / kind)
    files.write("tables", tables)


def record_states(_: Path) -> None:
    for name in cases.STATES:
        path = files.GOLDEN / f"{name}.h5"
        if not path.exists():
            public_face.save_state(name, path)
        files.write(f"states/{name}", public_face.state_content(mlxc.GroundState.load(path)))


def record_settings(_: Path) -> None:
    files.write("defaults", {name: public_face.defaults(name) for name in cases.SHORT_SETTINGS})
    links = {}
    for name, settings in cases.SHORT_SETTINGS.items():
        links[name] = encode_setup(mlxc.Calculation.from_dict(settings))
    files.write("links", links)
    files.write("names", {"mlxc": mlxc.__all__, "README.md": public_face.names_in_readme()})


PARTS: dict[str, Callable[[Path], None]] = {
    "commands": record_commands,
    "results": record_results,
    "forms": record_forms,
    "runs": record_runs,
    "states": record_states,
    "settings": record_settings,
}


if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        with tempfile.TemporaryDirectory() as temporary:
            PARTS[part](Path(temporary))
