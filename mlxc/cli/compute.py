"""The commands that compute a task: one for each kind that has a command."""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path

from mlxc.calculation.calculation import Calculation
from mlxc.calculation.notes import notes
from mlxc.console.options import CONVERGED, NOT_CONVERGED, calculation_fields, check_writable, fail, tell
from mlxc.console.record_table import Record, Tell
from mlxc.crystal.summary import CrystalSummary
from mlxc.tasks.command import Command
from mlxc.tasks.kind import Kind, monitor_telling
from mlxc.tasks.kinds import required_calculation, told
from mlxc.utils.processes import processes


def add_computing_command(parser: argparse.ArgumentParser, kind: Kind, command: Command) -> None:
    """Define the command of a kind of task."""
    parser.set_defaults(command=partial(_compute, kind, command), divides=not command.minds_time)
    command.add_to(parser)


def _compute(kind: Kind, command: Command, options: argparse.Namespace, _: list[str]) -> int:
    writes = processes().is_first
    save: Path | None = options.save if command.saves and writes else None
    files = [(file, path) for file in command.files if writes and (path := file.path(options)) is not None]
    check_writable(save)
    for file, path in files:
        check_writable(path, file.flag)
    task = kind.make(calculation_fields(options) | command.settings(options), command.fields(options))
    calculation = required_calculation(task)
    first = notes(calculation) if options.json else [*_understood(calculation), *notes(calculation)]
    with kind.progress(kind.records) as progress:
        channel = _with_first(first, progress.tell)
        result = kind.run(task, monitor_telling(channel), channel)
    ending, summary = kind.ending(result), told(task, result)
    if save is not None and ending.state is not None:
        ending.state.save(save, ending.fields)
    for file, path in files:
        file.write(summary, path)
    print(json.dumps(summary, indent=1) if options.json else kind.report(summary))
    return CONVERGED if ending.converged else fail(ending.message, NOT_CONVERGED)


def _understood(calculation: Calculation) -> list[str]:
    """What was understood of the structure."""
    summary = CrystalSummary.of(calculation.crystal)
    smaller = summary.primitive_in_words
    return [
        *summary.sentences(),
        *([f"The cell is not primitive: {smaller}, which --primitive takes."] if smaller else []),
    ]


def _with_first(sentences: list[str], channel: Tell) -> Tell:
    """Tell records, and before the first one, when nothing was found that stops the run, what a person should know."""
    remaining = list(sentences)

    def told(record: Record) -> None:
        while remaining:
            tell(remaining.pop(0))
        channel(record)

    return told
