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

import pinned as p

import mlxc
from mlxc.export.link import encode_setup


def record_commands(_: Path) -> None:
    p.write("commands", {command: p.command_line(command) for command in p.COMMANDS})
    p.write("mistakes", {name: p.mistake(name) for name in p.MISTAKES})


def record_results(_: Path) -> None:
    for name in p.RESULTS:
        p.write(f"results/{name}", p.result(name))
    energies = {name: p.read(f"results/{name}")["free_energy_ha"] for name in p.GROUND_STATES}
    p.write("energies", energies)


def record_forms(root: Path) -> None:
    for name in p.FORMS | p.SLOW_FORMS:
        p.write(f"forms/{name}", p.result_form(name, root / name))


def record_runs(root: Path) -> None:
    for name, task in p.TASKS.items():
        p.write(f"tasks/{name}", p.written_task(task, root / "tasks" / name))
    tables = {}
    for kind in p.COMPUTED_TASKS:
        folder, report = p.computed_folder(kind, root / kind)
        p.write(f"runs/{kind}", p.folder_content(folder) | {"report": report.splitlines()})
        p.write(f"exports/{kind}", p.exports(folder, root / kind / "exports"))
        tables[kind] = p.tables(folder, root / kind)
    p.write("tables", tables)


def record_states(_: Path) -> None:
    for name in p.STATES:
        path = p.GOLDEN / f"{name}.h5"
        if not path.exists():
            p.save_state(name, path)
        p.write(f"states/{name}", p.state_content(mlxc.GroundState.load(path)))


def record_settings(_: Path) -> None:
    p.write("defaults", {name: p.defaults(name) for name in p.SHORT_SETTINGS})
    links = {}
    for name, settings in p.SHORT_SETTINGS.items():
        links[name] = encode_setup(mlxc.Calculation.from_dict(settings))
    p.write("links", links)
    p.write("names", {"mlxc": mlxc.__all__, "README.md": p.names_in_readme()})


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
