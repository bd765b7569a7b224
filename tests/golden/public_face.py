"""What the version at hand answers: its command line, and the states, settings and names of ``mlxc``.

Only the public face is used, so that whatever is behind it may change.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from golden.cases import FORMS, MISTAKES, RESULTS, SHORT_SETTINGS, SLOW_FORMS, STATES, TIGHT
from golden.files import GOLDEN, form, without_times
from support import Outcome

import mlxc
from mlxc.cli import main


def run_command(*words: str) -> Outcome:
    """What ``mlxc WORDS`` leaves behind, run in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(words)
        except SystemExit as exit_:
            code = int(exit_.code or 0)
    return Outcome(code, out.getvalue(), err.getvalue())


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """Set environment variables for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def command_line(command: str) -> dict[str, Any]:
    """The sub-commands, positional arguments and options of a command, as its help tells them."""
    with environment(COLUMNS="100000"):
        text = run_command(*command.split(), "--help").stdout
    usage, *paragraphs = text.split("\n\n")
    sections = {lines[0]: lines[1:] for lines in map(str.splitlines, paragraphs)}
    entries = [line for lines in sections.values() for line in lines]
    options = {}
    for line in entries:
        if found := re.match(r"  (-[\w-]+(?:, -[\w-]+)*)((?: \S+)*)(?:  |$)", line):
            name, value = found[1].split(", ")[-1], found[2].strip()
            options[name] = {"value": value, "required": re.search(rf"\[[^\]]*{name}\b", usage) is None}
    options["--help"]["required"] = False  # which the usage calls -h
    positional = re.findall(r"^  (\S+)", "\n".join(sections.get("positional arguments:", ())), re.MULTILINE)
    commands = re.findall(r"^ {4}(\S+)", "\n".join(sections.get("commands:", ())), re.MULTILINE)
    return {"commands": sorted(commands), "positional": positional, "options": options}


def result(name: str) -> dict[str, Any]:
    """The JSON object of a calculation, without the times that it took."""
    outcome = run_command(*RESULTS[name], *TIGHT)
    assert outcome.code == 0, outcome.stderr
    return without_times(json.loads(outcome.stdout))


def result_form(name: str, folder: Path) -> dict[str, Any]:
    """The keys and types of the JSON object of a command that writes to a folder what else it writes."""
    words = (FORMS | SLOW_FORMS)[name]
    out = ("--out", str(folder)) if words[0] == "evaluate" else ()
    outcome = run_command(*words, *out, "--json")
    assert outcome.code == 0, outcome.stderr
    found: dict[str, Any] = form(json.loads(outcome.stdout))
    return found


def mistake(name: str) -> dict[str, Any]:
    """The exit code and what the last line on standard error says; what depends on rounding is masked."""
    outcome = run_command(*MISTAKES[name])
    sentence = outcome.stderr.splitlines()[-1]
    return {"code": outcome.code, "sentence": re.sub(r"\d\.\de[+-]\d\d", "#", sentence)}


def save_state(name: str, path: Path) -> None:
    """Compute a state and write it."""
    outcome = run_command("scf", *STATES[name], *TIGHT, "--save", str(path))
    assert outcome.code == 0, outcome.stderr


def state_content(state: mlxc.GroundState) -> dict[str, Any]:
    """The numbers in a state."""
    return {
        "free_energy_ha": float(state.energy),
        "energies_ha": state.energies,
        "fermi_level_ha": state.fermi_level,
        "magnetisation": state.magnetisation,
        "density_shape": list(state.density.shape),
        "electrons": float(state.density.sum() * state.crystal.volume / state.density[0].numel()),
        "eigenvalues": state.eigenvalues.tolist(),
        "occupations": state.occupations.tolist(),
        "steps": len(state.history),
        "calculation": state.calculation,
    }


def defaults(name: str) -> dict[str, Any]:
    """The complete settings that are made of a few."""
    given = SHORT_SETTINGS[name]
    calculation = mlxc.Calculation.from_dict(given)
    task = mlxc.EquationOfStateTask.from_dict({"calculation": given})
    return {"calculation": calculation.model_dump(mode="json"), "eos": task.model_dump(mode="json")}


def names_in_readme() -> list[str]:
    """Dotted names of modules and of what is in them that README tells."""
    text = (GOLDEN.parents[1] / "README.md").read_text(encoding="utf-8")
    imported = re.findall(r"^from (mlxc[\w.]*) import (\w+)$", text, re.MULTILINE)
    inline = re.findall(r"`(mlxc\.[\w.]+)[`(]", text)
    entry_points = {"mlxc.functionals"}
    return sorted(({f"{module}.{name}" for module, name in imported} | set(inline)) - entry_points)
