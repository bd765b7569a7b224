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
from mlxc.errors import MlxcError
from mlxc.tasks.command import Command
from mlxc.tasks.kind import Kind, monitor_telling
from mlxc.tasks.kinds import calculation_of, told


def add_computing_command(parser: argparse.ArgumentParser, kind: Kind, command: Command) -> None:
    """Define the command of a kind of task."""
    parser.set_defaults(command=partial(_compute, kind, command))
    command.add_to(parser)


def _compute(kind: Kind, command: Command, options: argparse.Namespace, _: list[str]) -> int:
    save: Path | None = options.save if command.saves else None
    check_writable(save)
    for file in command.files:
        check_writable(file.path(options), file.flag)
    task = kind.make(calculation_fields(options), command.fields(options))
    if not options.json:
        _tell_crystal(calculation_of(task))
    with kind.progress(kind.records) as progress:
        channel = _with_notes(calculation_of(task), progress.tell)
        result = kind.run(task, monitor_telling(channel), channel)
    ending, summary = kind.ending(result), told(task, result)
    if save is not None and ending.state is not None:
        ending.state.save(save, ending.fields)
    for file in command.files:
        if (path := file.path(options)) is not None:
            file.write(summary, path)
    print(json.dumps(summary, indent=1) if options.json else kind.report(summary))
    return CONVERGED if ending.converged else fail(ending.message, NOT_CONVERGED)


def _tell_crystal(calculation: Calculation) -> None:
    """Say what was understood of the structure; where something stops the run, the sentence about that is enough."""
    try:
        calculation.check()
    except MlxcError:
        return
    summary = CrystalSummary.of(calculation.crystal)
    for sentence in summary.sentences():
        tell(sentence)
    if summary.primitive_in_words:
        tell(f"The cell is not primitive: {summary.primitive_in_words}, which --primitive takes.")


def _with_notes(calculation: Calculation, channel: Tell) -> Tell:
    """Tell records, and before the first one, when nothing was found that stops the run, what a person should know."""
    remaining = notes(calculation)

    def told(record: Record) -> None:
        while remaining:
            tell(remaining.pop(0))
        channel(record)

    return told
