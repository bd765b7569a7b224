"""The page: panels put together, and the task that follows the run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from IPython.display import display
from ipywidgets import HTML, HBox, VBox

from mlxc.errors import InputError
from mlxc.export.link import decode_setup
from mlxc.runs.client import Workers
from mlxc.runs.folder import runs_directory
from mlxc.utils.memory import give_back
from mlxc.utils.writable import obstacle_to_writing
from mlxc_app.choose.model import ChooseModel
from mlxc_app.choose.view import ChooseView
from mlxc_app.page.accordion import Accordion
from mlxc_app.page.drawer import Drawer
from mlxc_app.page.presence import Presence
from mlxc_app.page.watched_panel import WatchedPanel
from mlxc_app.panels.functional.view import FUNCTIONAL
from mlxc_app.panels.panel import LEARN, Page
from mlxc_app.panels.registry import make_panels
from mlxc_app.run.computes_runs import ComputesRuns
from mlxc_app.run.model import RunModel
from mlxc_app.run.result_line import ResultLine
from mlxc_app.run.runs_list_model import visible_runs
from mlxc_app.run.shown_and_chosen import ShownAndChosen
from mlxc_app.run.shown_and_chosen_view import ShownAndChosenView
from mlxc_app.run.take_away_model import TakeAwayModel
from mlxc_app.run.take_away_view import TakeAwayView
from mlxc_app.run.view import RunView
from mlxc_app.widgets.choosing.escape import Escape
from mlxc_app.widgets.message import MessageArea, card
from mlxc_app.widgets.theme import Theme

# Often enough to look live, rare enough to leave the processor to the computation.
POLL_SECONDS = 0.25
TIDY_SECONDS = 15.0
INVITATION = "New here? “Learn”: six stops, ten minutes"
STYLES = ("page.css", "bar.css", "choices.css", "train.css")
# Where the link that skips the choices leads to.
RESULTS = '<div id="mlxc-results" tabindex="-1"></div>'


class Dashboard:
    """All models and views of one page."""

    def __init__(self, make_worker: Callable[[], ComputesRuns]) -> None:
        self.page = Page(ChooseModel(), RunModel(make_worker), MessageArea(), Theme(), self._unfold)
        self.panels = make_panels(self.page)
        self.presence, self.escape = Presence(), Escape()
        choose, run, messages = self.page.choose, self.page.run, self.page.messages
        self._choose_view = choose_view = ChooseView(choose, self.page.cards, messages, self.page.theme)
        self._line = ShownAndChosenView(ShownAndChosen(run, choose), messages).widget
        self.accordion = Accordion(self.panels, messages, self._line)
        watched = WatchedPanel(run, self.panels, lambda: self.accordion.unfolded, self._unfold, messages.announce)
        self._take_away = TakeAwayModel(run)
        result = ResultLine(messages, TakeAwayView(self._take_away, messages), INVITATION)
        self.presence.observe(messages.guard(self._begin), "visited")
        self.presence.observe(messages.guard(lambda change: run.keep_ready()), "signs")
        run.observe(self._keep, ["state", "title"])
        self.accordion.observe(self._follow_panel, "unfolded")
        run.observe(messages.guard(watched.follow), "state")
        result.invitation.on_click(messages.guard(lambda button: self.accordion.unfold(LEARN)))
        choose_view.functional.about.on_click(messages.guard(lambda button: self.accordion.unfold(FUNCTIONAL)))
        drawer = Drawer(_styled(choose_view.widget, "mlxc-left"))
        buttons = _styled(HBox([drawer.button, RunView(run, choose, messages).widget]), "mlxc-buttons")
        bar = _styled(VBox([buttons, result.widget]), "mlxc-bar")
        right = _styled(VBox([HTML(RESULTS), self.accordion.widget]), "mlxc-right")
        columns = _styled(HBox([drawer.widget, right]), "mlxc-columns")
        self.widget = _styled(VBox([HTML(f"<style>{_css()}</style>"), bar, columns]), "mlxc-page")

    async def follow(self) -> None:
        """Look at the run's folder and do what the panels do by themselves, for as long as the page's kernel lives."""
        tasks = [panel.follow() for panel in self.panels if panel.follow is not None]
        await asyncio.gather(self.presence.wait(), self._poll(), self._tidy(), *tasks)

    async def _poll(self) -> None:
        poll = self.page.messages.guard(self.page.run.poll)
        while True:
            poll()
            await asyncio.sleep(POLL_SECONDS)

    async def _tidy(self) -> None:
        """A class has as many kernels as people, and what is sent to a browser is large for a moment."""
        while True:
            await asyncio.sleep(TIDY_SECONDS)
            give_back()

    def _restore(self) -> None:
        """Show the run that was shown before the page was reloaded, or choose what the link in the address says."""
        owner, came_back = self.presence.visitor, self.presence.run
        shown = [folder for folder in visible_runs(owner) if folder.path.name == came_back]
        for folder in shown:
            self.page.run.open(folder)
        if self.presence.setup and not shown:
            self.page.choose.take_calculation(decode_setup(self.presence.setup))

    def _keep(self, change: Any) -> None:
        """The browser knows which run is shown."""
        if self.page.run.folder is not None:
            self.presence.shown = self.page.run.folder.path.name

    def _follow_panel(self, change: Any) -> None:
        """The browser knows which panel is unfolded, and so does a link.

        What a panel says of something else than a run cannot differ from what is chosen.
        """
        self.presence.unfolded = self._take_away.panel = change["new"]
        (panel,) = (panel for panel in self.panels if panel.name == change["new"])
        self._line.layout.display = "" if panel.kinds or panel.shows else "none"

    def _unfold(self, name: str) -> None:
        self.accordion.unfold(name)

    def _begin(self, change: Any) -> None:
        """Start what a page without a visitor can do without, and what need not be ready while the page is drawn."""
        self.page.run.warm_up()
        self.page.choose.owner = self.presence.visitor
        self.page.run.belong_to(self.presence.visitor)
        try:
            self._restore()
        finally:  # a link that is damaged leads to the usual page
            names = [panel.name for panel in self.panels]
            wanted = self.presence.panel if self.presence.panel in names else self.accordion.unfolded
            self.accordion.unfold(wanted or names[0])
            self._choose_view.structure.show_picture()


def show() -> asyncio.Task[None] | None:
    """Display the dashboard in the notebook that calls this, which wants a worker as soon as somebody looks.

    Returns the task that follows the runs: the caller keeps it, since a task nobody holds may be collected.
    """
    try:
        directory = _writable_runs_directory()
    except InputError as error:
        display(HTML(f"<style>{_css()}</style>{card('error', str(error))}"))
        return None
    dashboard = Dashboard(lambda: Workers(directory, directory / "worker.log"))
    display(dashboard.widget)
    return asyncio.get_running_loop().create_task(dashboard.follow())


def _styled(widget: Any, style_class: str) -> Any:
    """The widget, of a class that the style sheet knows."""
    widget.add_class(style_class)
    return widget


def _writable_runs_directory() -> Path:
    directory = runs_directory()
    obstacle = obstacle_to_writing(directory)
    if obstacle is not None:
        raise InputError(
            f"Runs cannot be written to {directory} ({obstacle}): name another folder with the variable MLXC_RUNS."
        )
    return directory


def _css() -> str:
    return "".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in STYLES)
