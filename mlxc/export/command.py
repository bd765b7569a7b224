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
    with_checkpoints_beside,
)
from mlxc.runs.folder import RunFolder
from mlxc.tasks.kinds import calculation_of

# The command of a kind of run, and the options for what its task says beyond the calculation.
COMMANDS: dict[str, tuple[str, dict[str, str]]] = {
    "scf": ("scf", {}),
    "eos": ("eos", {"points": "--points", "lowest_volume": "", "highest_volume": "", "vary": "--vary"}),
    "bands": ("bands", {"points": "--points", "dos_width_ev": "--dos-width"}),
    "gradient": (
        "gradient",
        {"loss": "--loss", "target": "--target", "mode": "--unrolled", "step": "--step"},
    ),
    "diagnosis": ("diagnose", {}),
}


def command_line(folder: RunFolder, checkpoints_beside: bool = False) -> str:
    """The command that computes the run again, in one line, quoted for a shell; see :func:`command_words`."""
    return shlex.join(command_words(folder, checkpoints_beside))


def shell_script(folder: RunFolder, checkpoints_beside: bool = False) -> str:
    """The same in a file that a shell runs, an option a line; see :func:`command_words`."""
    words = [
        ("\\\n  " if word.startswith("--") else "") + shlex.quote(word)
        for word in command_words(folder, checkpoints_beside)
    ]
    return f"#!/bin/sh\n# {one_line(folder.title)}\n{' '.join(words)}\n"


def command_words(folder: RunFolder, checkpoints_beside: bool = False) -> list[str]:
    """The words of the command that computes the run again.

    A structure that is not shipped is expected in the file that :func:`~mlxc.export.settings.structure_file` makes. A
    run that no command describes is computed out of its folder, by ``mlxc run``.

    Args:
        folder: of the run.
        checkpoints_beside: whether checkpoint files lie in the same folder; otherwise they are named as in the run.

    Raises:
        InputError: the folder holds no valid task.
    """
    return ["mlxc", *(_words(folder, checkpoints_beside) or ["run", str(folder.path)])]


def needs_structure_file(folder: RunFolder) -> bool:
    """Whether the command reads the structure from a file beside it."""
    return shipped_structure(folder.task) is None and _words(folder, False) is not None


def _words(folder: RunFolder, checkpoints_beside: bool) -> list[str] | None:
    """None where no command describes the run."""
    task = folder.task
    told = settings_of(task)
    settings, further = calculation_settings(told), further_settings(told)
    if folder.kind not in COMMANDS:
        return None
    command, options = COMMANDS[folder.kind]
    table = settings_table(type(calculation_of(task)))
    # --spin switches spin on, and nothing switches off what a structure might ask for.
    if not set(settings) <= set(table) or not set(further) <= set(options) or settings.get("spin") is False:
        return None
    if checkpoints_beside:
        settings["xc"] = with_checkpoints_beside(settings["xc"])
    structure = shipped_structure(task) or structure_file(task)[0]
    words = [command, structure]
    for name, setting in table.items():
        if name in settings and name != "structure":
            words += _option(setting.option, settings[name])
    if {"lowest_volume", "highest_volume"} & set(further):
        words += _option("--volume-range", [getattr(task, name) for name in ("lowest_volume", "highest_volume")])
    for name, option in options.items():
        if option and name in further:
            words += _option(option, further[name])
    return words


def _option(option: str, value: Any) -> list[str]:
    if value is True or option == f"--{value}":
        return [option]
    if isinstance(value, dict):
        return [option, *(f"{symbol}={name}" for symbol, name in value.items())]
    if isinstance(value, list):
        return [option, *map(_word, value)]
    word = _word(value)
    return [f"{option}={word}"] if word.startswith("-") else [option, word]


def _word(value: Any) -> str:
    """A number as short as it can be told without changing it; anything else as it is."""
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e6 else repr(value)
    return str(value)
