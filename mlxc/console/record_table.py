"""How what a run tells step by step is told to people: as a table in a file, and as lines while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

# What happens in a run, as plain data with a ``kind``: a line of ``records.jsonl``, see mlxc.runs.folder.
Record: TypeAlias = dict[str, Any]
# Takes each record as soon as there is one; it stops the run by raising RunStoppedError.
Tell: TypeAlias = Callable[[Record], None]


@dataclass(frozen=True)
class ResultTable:
    """A table that a result makes when a run has ended.

    Attributes:
        name: The name of the table's file, without ``.csv``.
        meaning: What a row of it is, for the archive's explanation.
        rows: The rows, made from the result's summary; none where there is no such thing.
    """

    name: str
    meaning: str
    rows: Callable[[Mapping[str, Any]], Sequence[Mapping[str, Any]]]


def untold(record: Mapping[str, Any]) -> None:
    """The line of records that progress does not show."""


@dataclass(frozen=True)
class RecordTable:
    """All records of one kind.

    Attributes:
        name: The name of the table's file, without ``.csv``.
        meaning: What a row of it is, for the archive's explanation.
        line: A record in one line of progress; None for one that is not shown.
        stays: Whether the line stays above the live table of SCF steps on a terminal.
        doing: How far a run is, for the page while it goes on: the sentence (empty for none), and the
            fraction that is done, None where that is unknown.
    """

    name: str
    meaning: str
    line: Callable[[Mapping[str, Any]], str | None] = untold
    stays: bool = False
    doing: Callable[[Mapping[str, Any]], tuple[str, float | None]] | None = None
