"""Progress on standard error: a live table on a terminal, one short line per SCF step elsewhere."""

from __future__ import annotations

import sys
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from mlxc.codes.live import label_of

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

    from mlxc.kohn_sham.monitor import SCFRecord
    from mlxc.tasks.diagnosis.finding import Finding

_ROWS_SHOWN = 12
_GRADIENT_LINES = {
    "loss": "loss {stage}: {value:.8g} {unit}",
    "adjoint": "adjoint {iteration:>2}  residual {residual:.2e}  {seconds:.2f} s",
    "density_gradient": "step {step:>3}  |dL/dn| {norm:.3e}",
}


class _OnTerminal:
    """Has a place for a live table if standard error is a terminal, inside ``with``."""

    _live: Live | None = None

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


class Progress(_OnTerminal):
    """Shows the steps of a run; give :meth:`record` and :meth:`point` to it, and run it inside ``with``."""

    def __init__(self) -> None:
        self._records: deque[SCFRecord] = deque(maxlen=_ROWS_SHOWN)
        self._points: list[dict[str, Any]] = []

    def record(self, record: SCFRecord) -> None:
        """Show one SCF step."""
        if self._records and record.point != self._records[-1].point:
            self._records.clear()
        self._records.append(record)
        if self._live is not None:
            self._live.update(self._table())
        else:
            iteration, energy, residual, seconds = _cells(record)
            print(f"{iteration:>4}  F = {energy} Ha  residual {residual}  {seconds} s", file=sys.stderr, flush=True)

    def point(self, point: dict[str, Any]) -> None:
        """Show one finished point of an equation of state, see :meth:`mlxc.EquationOfStateTask.run`."""
        self._points.append(point)
        if self._live is None:
            print(_point_line(point), file=sys.stderr, flush=True)

    def bands(self, done: dict[str, Any]) -> None:
        """Show how many k points are done, see :meth:`mlxc.tasks.bands.task.BandsTask.run`."""
        if self._live is None:
            print(f"bands: {done['computed']} of {done['points']} k points", file=sys.stderr, flush=True)

    def gradient(self, record: dict[str, Any]) -> None:
        """Show what happens on the way to a gradient, see :meth:`mlxc.tasks.gradient.task.GradientTask.run`."""
        self._records.clear()
        if record["kind"] == "point":
            self.point(record)
        elif self._live is None:
            print(_GRADIENT_LINES[record["kind"]].format(**record), file=sys.stderr, flush=True)

    def finding(self, finding: Finding) -> None:
        """Show what a test of a diagnosis found."""
        self._records.clear()
        if self._live is None:
            print(f"{finding.test}: {finding.sentence}", file=sys.stderr, flush=True)

    def _table(self) -> Table:
        from rich.table import Table

        table = Table(title="\n".join(map(_point_line, self._points)) or None, title_justify="left", box=None)
        for heading in ("iteration", "free energy / Ha", "density residual", "seconds"):
            table.add_column(heading, justify="right")
        for record in self._records:
            table.add_row(*_cells(record))
        return table


class ComparisonProgress(_OnTerminal):
    """Shows what several codes do: a row for each on a terminal, a line for each SCF step elsewhere."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[str, ...]] = {}

    def record(self, code: str, record: dict[str, Any]) -> None:
        """Show a record of a code, see :meth:`mlxc.codes.live.ReferenceRun.records`."""
        cells = _comparison_cells(record)
        if cells is None:
            return
        self._last[code] = cells
        if self._live is not None:
            self._live.update(self._table())
        else:
            print(f"{label_of(code):6} {'  '.join(filter(None, cells))}", file=sys.stderr, flush=True)

    def _table(self) -> Table:
        from rich.table import Table

        table = Table(box=None)
        for heading in ("code", "volume", "step", "free energy / Ha", "seconds"):
            table.add_column(heading)
        for code, cells in self._last.items():
            table.add_row(label_of(code), *cells)
        return table


def _comparison_cells(record: dict[str, Any]) -> tuple[str, ...] | None:
    """Volume, step, free energy and time; None of a record that says nothing new."""
    if record["kind"] == "point":
        return None
    if record["kind"] == "failure":
        return "", "", record["message"], ""
    seconds = f"{record['seconds']:.1f} s"
    if record["kind"] == "result":
        return "", "", "done", seconds
    volume = "" if record["point"] is None else f"volume {record['point'] + 1}"
    return volume, f"{record['iteration']:>3}", f"F = {record['free_energy_ha']:.10f} Ha", seconds


def _cells(record: SCFRecord) -> tuple[str, str, str, str]:
    return (
        str(record.iteration),
        f"{record.free_energy_ha:.10f}",
        f"{record.density_residual:.2e}",
        f"{record.seconds:.2f}",
    )


def _point_line(point: dict[str, Any]) -> str:
    varied, size = "volume", f"{point['volume_ang3']:.4f} ang^3"
    if point["area_ang2"] is not None:
        varied, size = "area", f"{point['area_ang2']:.4f} ang^2"
    return f"{varied} {point['index'] + 1} of {point['points']}: {size}, {point['energy_ev']:.6f} eV"
