"""What several codes do while they are compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlxc.codes.live import label_of
from mlxc.console.progress import Progress
from mlxc.console.record_table import Record, RecordTable
from mlxc.tasks.kind import ITERATION, ITERATIONS

if TYPE_CHECKING:
    from rich.table import Table


class ComparisonProgress(Progress):
    """Shows a row for each code on a terminal, a line for each of its SCF steps elsewhere."""

    def __init__(self, tables: Mapping[str, RecordTable]) -> None:
        super().__init__(tables)
        self._last: dict[str, tuple[str, ...]] = {}

    def _keep(self, record: Record, line: str, stays: bool) -> None:
        self._last[record["code"]] = _cells(record)

    def _table(self) -> Table:
        from rich.table import Table

        table = Table(box=None)
        for heading in ("code", "volume", "step", "free energy / Ha", "seconds"):
            table.add_column(heading)
        for code, cells in self._last.items():
            table.add_row(label_of(code), *cells)
        return table


def record_of(code: str, record: Mapping[str, Any]) -> Record:
    """What a code tells, see :meth:`mlxc.codes.live.ReferenceRun.records`, as a record of a comparison."""
    told: Record = {"kind": f"code_{record['kind']}", "code": code}
    if record["kind"] == "result":
        return told | {"seconds": record["seconds"]}
    return told | {name: value for name, value in record.items() if name not in told}


def _cells(record: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Volume, step, free energy and time."""
    if record["kind"] == "code_failure":
        return "", "", record["message"], ""
    seconds = f"{record['seconds']:.1f} s"
    if record["kind"] == "code_result":
        return "", "", "done", seconds
    volume = "" if record["point"] is None else f"volume {record['point'] + 1}"
    return volume, f"{record['iteration']:>3}", f"F = {record['free_energy_ha']:.10f} Ha", seconds


def _line(record: Mapping[str, Any]) -> str:
    return f"{label_of(record['code']):6} {'  '.join(filter(None, _cells(record)))}"


RECORDS = {
    # Those of the steps that are computed here are told as those of a code too.
    ITERATION: RecordTable(ITERATIONS.name, "one row per SCF step of mlxc"),
    "code_iteration": RecordTable("code_iterations", "one row per SCF step of each code", _line),
    "code_point": RecordTable("code_points", "one row per volume, or area, of each code"),
    "code_result": RecordTable("code_results", "how long each code took", _line),
    "code_failure": RecordTable("code_failures", "why a code found nothing", _line),
}
