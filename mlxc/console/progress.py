"""Progress on standard error: a live table on a terminal, one short line per record elsewhere."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from mlxc.console.record_table import Record, RecordTable

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

_ROWS_SHOWN = 12


class Progress:
    """Shows what happens in a run; give it each record with :meth:`tell`, inside ``with``.

    Args:
        tables: How records are shown, by their kinds.
    """

    def __init__(self, tables: Mapping[str, RecordTable]) -> None:
        self._tables = tables
        self._live: Live | None = None
        self._steps: deque[Mapping[str, Any]] = deque(maxlen=_ROWS_SHOWN)
        self._above: list[str] = []

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live

            # Cleared at the end: the result that follows says what the table said.
            self._live = Live(console=Console(stderr=True), transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def tell(self, record: Record) -> None:
        """Show one record; one of a kind that has no table is passed over."""
        table = self._tables.get(record["kind"])
        line = None if table is None else table.line(record)
        if table is None or line is None:
            return
        if self._live is None:
            print(line, file=sys.stderr, flush=True)
            return
        self._keep(record, line, table.stays)
        self._live.update(self._table())

    def _keep(self, record: Record, line: str, stays: bool) -> None:
        """Remember what the live table shows: the steps of the latest SCF, and lines above them."""
        if record["kind"] != "iteration":
            self._steps.clear()
            self._above += [line] if stays else []
            return
        if self._steps and record["point"] != self._steps[-1]["point"]:
            self._steps.clear()
        self._steps.append(record)

    def _table(self) -> Table:
        from rich.table import Table

        table = Table(title="\n".join(self._above) or None, title_justify="left", box=None)
        for heading in ("iteration", "free energy / Ha", "density residual", "seconds"):
            table.add_column(heading, justify="right")
        for step in self._steps:
            table.add_row(*_cells(step))
        return table


def iteration_line(record: Mapping[str, Any]) -> str:
    """One SCF step, see :class:`~mlxc.kohn_sham.monitor.SCFRecord`."""
    iteration, energy, residual, seconds = _cells(record)
    return f"{iteration:>4}  F = {energy} Ha  residual {residual}  {seconds} s"


def _cells(record: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return (
        str(record["iteration"]),
        f"{record['free_energy_ha']:.10f}",
        f"{record['density_residual']:.2e}",
        f"{record['seconds']:.2f}",
    )
