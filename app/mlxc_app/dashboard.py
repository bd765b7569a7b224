"""The page: panels put together, and the task that follows the run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from IPython.display import display
from ipywidgets import HTML, HBox, VBox

from mlxc.errors import InputError
from mlxc.export.link import decode_setup
from mlxc.runs.client import Worker
from mlxc.runs.folder import runs_directory
from mlxc_app.choose_model import ChooseModel
from mlxc_app.choose_view import ChooseView
from mlxc_app.compare_model import CompareModel
from mlxc_app.compare_view import CompareView
from mlxc_app.convergence_model import ConvergenceModel
from mlxc_app.convergence_view import ConvergenceView
from mlxc_app.density_model import DensityModel
from mlxc_app.density_view import DensityView
from mlxc_app.eos_model import EquationOfStateModel
from mlxc_app.eos_view import EquationOfStateView
from mlxc_app.functional_model import FunctionalModel
from mlxc_app.functional_view import FunctionalView
from mlxc_app.history import HistoryView
from mlxc_app.message import MessageArea, card
from mlxc_app.panes import Panes
from mlxc_app.presence import Presence
from mlxc_app.run_model import ComputesRuns, RunModel
from mlxc_app.run_view import RunView
from mlxc_app.take_away_model import TakeAwayModel
from mlxc_app.take_away_view import TakeAwayView

# Often enough to look live, rare enough to leave the processor to the computation.
POLL_SECONDS = 0.25
CONVERGENCE, DENSITY, EQUATION_OF_STATE, FUNCTIONAL = "Convergence", "Density", "Equation of state", "Functional"
COMPARE = "Compare"


class Dashboard:
    """All models and views of one page."""

    def __init__(self, make_worker: Callable[[], ComputesRuns]) -> None:
        self.messages = MessageArea()
        self.choose = ChooseModel()
        self.run = RunModel(make_worker)
        self.functional = FunctionalModel(self.choose)
        self.presence = Presence()
        self.presence.observe(self.messages.guard(lambda change: self.run.warm_up()), "visited")
        self.presence.observe(self.messages.guard(self._restore), "setup")
        take_away = TakeAwayView(TakeAwayModel(self.run), self.messages)
        choose_view = ChooseView(self.choose, self.messages)
        run_view = RunView(self.run, self.choose, self.messages)
        self.panes = Panes(
            {
                CONVERGENCE: ConvergenceView(ConvergenceModel(self.run)).widget,
                DENSITY: DensityView(DensityModel(self.run), self.messages).widget,
                EQUATION_OF_STATE: EquationOfStateView(EquationOfStateModel(self.run, self.choose)).widget,
                FUNCTIONAL: FunctionalView(self.functional).widget,
                COMPARE: CompareView(CompareModel(self.run), self.messages).widget,
            },
            beside=HistoryView(self.run, self.messages).widget,
        )
        self.run.observe(self._unfold_what_runs, "state")
        self.panes.observe(self._look_at_the_functional, "unfolded")
        choose_view.functional.about.on_click(self.messages.guard(lambda button: self.panes.unfold(FUNCTIONAL)))
        left, right = choose_view.widget, VBox([run_view.widget, self.messages.widget, take_away, self.panes.widget])
        left.add_class("mlxc-left")
        right.add_class("mlxc-right")
        columns = HBox([left, right])
        columns.add_class("mlxc-columns")
        self.widget = VBox([HTML(f"<style>{_css()}</style>"), columns])

    async def follow(self) -> None:
        """Look at the run's folder and ask functionals, for as long as the page's kernel lives."""
        await asyncio.gather(self.presence.wait(), self._poll(), self.functional.follow())

    async def _poll(self) -> None:
        poll = self.messages.guard(self.run.poll)
        while True:
            poll()
            await asyncio.sleep(POLL_SECONDS)

    def _restore(self, change: Any) -> None:
        """Choose what the link says by which a person came."""
        self.choose.take_calculation(decode_setup(change["new"]))

    def _look_at_the_functional(self, change: Any) -> None:
        self.functional.shown = change["new"] == FUNCTIONAL

    def _unfold_what_runs(self, change: Any) -> None:
        if change["new"] == "queued":
            self.panes.unfold(EQUATION_OF_STATE if self.run.kind == "eos" else CONVERGENCE)


def show() -> asyncio.Task[None] | None:
    """Display the dashboard in the notebook that calls this, with a worker of its own as soon as somebody looks.

    Returns the task that follows the runs: the caller keeps it, since a task nobody holds may be collected.
    """
    try:
        log = _writable_runs_directory() / "worker.log"
    except InputError as error:
        display(HTML(f"<style>{_css()}</style>{card('error', str(error))}"))
        return None
    dashboard = Dashboard(lambda: Worker(log=log))
    display(dashboard.widget)
    return asyncio.get_running_loop().create_task(dashboard.follow())


def _writable_runs_directory() -> Path:
    directory = runs_directory()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=directory):
            return directory
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"Runs cannot be written to {directory} ({reason}): name another folder with the variable MLXC_RUNS."
        ) from None


def _css() -> str:
    return Path(__file__).with_name("page.css").read_text(encoding="utf-8")
