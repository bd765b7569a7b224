"""The line that reproduces a run in a shell."""

from __future__ import annotations

import shlex
from typing import Any

from mlxc.calculation.setting import settings_table
from mlxc.export.script import one_line
from mlxc.export.settings import (
    calculation_settings,
    further_settings,
    settings_of,
    shipped_structure,
    structure_file,
)
from mlxc.export.training import CONFIGURATION_FILE
from mlxc.runs.folder import RunFolder
from mlxc.tasks.files import with_files_beside
from mlxc.tasks.kinds import calculation_of, kind_of
from mlxc.tasks.training.task import TrainingTask


def command_line(folder: RunFolder, files_beside: bool = False) -> str:
    """The command that computes the run again, in one line, quoted for a shell; see :func:`command_words`."""
    return shlex.join(command_words(folder, files_beside))


def shell_script(folder: RunFolder, files_beside: bool = False) -> str:
    """The same command in a file that a shell runs, an option a line; see :func:`command_words`."""
    words = [
        ("\\\n  " if word.startswith("--") else "") + shlex.quote(word) for word in command_words(folder, files_beside)
    ]
    return f"#!/bin/sh\n# {one_line(folder.title)}\n{' '.join(words)}\n"


def command_words(folder: RunFolder, files_beside: bool = False) -> list[str]:
    """The words of the command that computes the run again.

    A structure that is not shipped is expected in the file that :func:`~mlxc.export.settings.structure_file` makes, and
    a training in the one that :func:`~mlxc.export.training.configuration_file` makes. A run that no command describes
    is computed out of its folder, by ``mlxc run``.

    Args:
        folder: The folder of the run.
        files_beside: Whether checkpoint files lie in the same folder; otherwise they are named as in the run.

    Raises:
        InputError: the folder holds no valid task.
    """
    if isinstance(folder.task, TrainingTask):
        return ["mlxc", "train", CONFIGURATION_FILE]
    return ["mlxc", *(_words(folder, files_beside) or ["run", str(folder.path)])]


def needs_structure_file(folder: RunFolder) -> bool:
    """Whether the command reads the structure from a file beside it."""
    return shipped_structure(folder.task) is None and _words(folder, False) is not None


def _words(folder: RunFolder, files_beside: bool) -> list[str] | None:
    """The words of the command; None where no command describes the run."""
    task = folder.task
    command, calculation = kind_of(task).command, calculation_of(task)
    if command is None or calculation is None:
        return None
    told = settings_of(task)
    settings, further = calculation_settings(told), further_settings(told)
    known = {name for option in command.options for name in option.fields}
    table = settings_table(type(calculation))
    if not set(settings) <= set(table) or not set(further) <= known:
        return None
    if calculation.basis != command.basis:
        settings["basis"] = calculation.basis
    if files_beside:
        settings = with_files_beside(settings)
    structure = shipped_structure(task) or structure_file(task)[0]
    words = [command.word, structure]
    for name, setting in table.items():
        if name in settings and name != "structure":
            words += _option(setting.option, settings[name])
    for option in command.options:
        if set(option.fields) & set(further):
            words += _option(option.flag, option.argument(task))
    return words


def _option(option: str, value: Any) -> list[str]:
    if isinstance(value, bool):
        return [option if value else option.replace("--", "--no-", 1)]
    if isinstance(value, dict):
        return [option, *(f"{symbol}={name}" for symbol, name in value.items())]
    if isinstance(value, list | tuple):
        return [option, *map(_word, value)]
    word = _word(value)
    return [f"{option}={word}"] if word.startswith("-") else [option, word]


def _word(value: Any) -> str:
    """A number as short as it can be told without changing it; anything else as it is."""
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e6 else repr(value)
    return str(value)
