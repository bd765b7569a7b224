"""What a run tells step by step, as comma-separated values."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mlxc.runs.folder import RunFolder
from mlxc.tasks.kind import ELAPSED
from mlxc.tasks.kinds import kind_named

# A spreadsheet takes a text that begins so for a formula, and titles come from anybody.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def record_tables(folder: RunFolder) -> dict[str, str]:
    """A table of each kind of record in the run's folder, and those of its result, by names such as ``iterations``, the
    shortest first.

    Records that this kind of task does not tell of, see :class:`~mlxc.tasks.kind.Kind`, have no table.

    Raises:
        InputError: there is no such kind of task as the folder says.
    """
    records, _ = folder.records()
    rows = {
        table.name: [_flat(record) for record in records if record["kind"] == kind]
        for kind, table in kind_named(folder.kind).records.items()
    }
    result = folder.result
    if result is not None:
        rows |= {table.name: [_flat(row) for row in table.rows(result)] for table in kind_named(folder.kind).tables}
    return {name: csv_text(rows[name]) for name in sorted(rows, key=lambda name: len(rows[name])) if rows[name]}


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as comma-separated values below a line with the names of their columns; what is None is empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(FORMULA_SIGNS):
        return f"'{value}"
    return "" if value is None else value


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record in one level: entries of dictionaries become columns of their own; a list has no place in a table.

    When a record came is a matter of progress, and no result.
    """
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{part}": item for part, item in value.items() if not _is_list(item)}
        elif name not in ("kind", ELAPSED) and not _is_list(value):
            flat[name] = value
    return flat


def _is_list(value: Any) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str)
