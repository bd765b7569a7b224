"""The Python script that reproduces a run."""

from __future__ import annotations

import json
from typing import Any

import mlxc
from mlxc.export.settings import settings_of
from mlxc.export.training import task_as_it_happened
from mlxc.runs.folder import RunFolder
from mlxc.tasks.files import files_of, with_files_beside
from mlxc.tasks.kind import Figure, Kind
from mlxc.tasks.kinds import calculation_of, kind_of
from mlxc.tasks.task import main_part

LONGEST_LINE = 100
BESIDE = ("from os import chdir", "from pathlib import Path", "")


def python_script(folder: RunFolder, files_beside: bool = False) -> str:
    """A script that computes the run again and prints its main figures.

    Args:
        folder: The folder of the run.
        files_beside: Whether the files that it names lie beside the script; otherwise they are named as in the run.

    Raises:
        InputError: the folder holds no valid task.
    """
    task = task_as_it_happened(folder)
    settings = settings_of(task)
    reads_files = files_beside and bool(files_of(task))
    if files_beside:
        named = main_part(settings)
        named.update(with_files_beside(named))
    name, form, kind = _variable(task), type(task), kind_of(task)
    figures = _told(kind, folder.result)
    lines = [
        f"# {one_line(folder.title)}",
        f"# Written by mlxc {mlxc.__version__}. Energies are in hartree (_ha), lengths in angstrom (_ang).",
        *_found(figures, folder.result),
        *(BESIDE if reads_files else ()),
        f"from {_home(form)} import {form.__name__}",
        "",
        *(("chdir(Path(__file__).parent)  # where the files lie that it reads", "") if reads_files else ()),
        f"{name} = {form.__name__}.from_dict(",
        f"    {literal(settings, 4)}",
        ")",
        f"result = {name}.run({kind.run_arguments}).summary()",
        "",
        *_prints(figures),
    ]
    return "\n".join(lines) + "\n"


def one_line(text: str) -> str:
    """A person's text without what would end a line."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())


def literal(value: Any, indent: int = 0) -> str:
    """A value as a Python literal: short lists in one line, long ones and dictionaries an item a line."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    short = _short(value)
    if not isinstance(value, (dict, list)) or (len(short) + indent < LONGEST_LINE and not _is_nested(value)):
        return short
    blanks = " " * (indent + 4)
    if isinstance(value, dict):
        items = [f"{blanks}{literal(key)}: {literal(item, indent + 4)},\n" for key, item in value.items()]
        return "{\n" + "".join(items) + " " * indent + "}"
    return "[\n" + "".join(f"{blanks}{literal(item, indent + 4)},\n" for item in value) + " " * indent + "]"


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key)}: {_short(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_short, value)) + "]"
    return literal(value) if isinstance(value, str) else repr(value)


def _is_nested(value: dict[str, Any] | list[Any]) -> bool:
    if isinstance(value, dict):
        return len(value) > 2
    return len(value) > 1 and isinstance(value[0], list)


def _variable(task: Any) -> str:
    return "calculation" if task is calculation_of(task) else "task"


def _home(form: type) -> str:
    return "mlxc" if form.__name__ in mlxc.__all__ else form.__module__


def _told(kind: Kind, result: dict[str, Any] | None) -> list[Figure]:
    """The figures that a result has."""
    return [figure for figure in kind.figures if result is not None and result.get(figure.key) is not None]


def _found(figures: list[Figure], result: dict[str, Any] | None) -> list[str]:
    """Comments that say what the run has come to."""
    found = [
        f"#   {figure.label}: {one_line(format(result[figure.key], figure.form))}{figure.unit}"
        for figure in figures
        if result is not None
    ]
    return ["# The run found:", *found, ""] if found else [""]


def _prints(figures: list[Figure]) -> list[str]:
    """Lines of Python that print figures of ``result``."""
    lines = []
    for figure in figures:
        braces = "{result['" + figure.key + "']" + (f":{figure.form}" if figure.form else "") + "}"
        lines.append(f'print(f"{figure.label}: {braces}{figure.unit}")')
    return lines or ["print(result)"]
