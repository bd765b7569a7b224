"""The table of runs that are kept."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from ipywidgets import VBox

from mlxc.runs.kept import find_run
from mlxc_app.panels.compare.view import COMPARE
from mlxc_app.panels.panel import RUNS, Page, Panel
from mlxc_app.run.runs_list_model import SHOWN, RunsListModel
from mlxc_app.run.shown_and_chosen_view import USE
from mlxc_app.widgets.choosing.upload import MIB, Upload

ABOUT = (
    f"The newest {SHOWN} runs that are kept, with the number that each was made for and the room that it takes. “Open” "
    "shows one in the panels as if it had just ended, while what is being computed goes on; “Use these settings” fills "
    "the form as it was for that run. Tick several to set them side by side. A heading sorts the table by its column. "
    "“Open an archive” shows a run that was taken away, here or elsewhere."
)
LIST_SECONDS = 1.0
# With the orbitals of a magnet an archive has tens of megabytes; voila.json lets so much through.
LARGEST_ARCHIVE = 100 * MIB
LIMIT = f"a ZIP of at most {LARGEST_ARCHIVE // MIB} MB"


def runs_panel(page: Page) -> Panel:
    """The panel of all runs, which looks for new ones as long as it is seen."""
    model = RunsListModel(page.run)
    refresh = page.messages.guard(model.refresh)

    def look(shown: bool) -> None:
        model.shown = shown

    async def follow() -> None:
        while True:
            refresh()
            await asyncio.sleep(LIST_SECONDS)

    return Panel(
        RUNS,
        f"<p>{ABOUT}</p>",
        lambda: RunsView(model, page).widget,
        group=RUNS,
        shown=look,
        follow=follow,
    )


class RunsTable(anywidget.AnyWidget):
    """Draws entries and sends ``{"action": "Open" | "Use these settings" | "Rename" | "Delete", "name": ...}``, the
    second last with a ``"title"``, and ``{"action": "Compare", "names": [...]}``.

    Attributes:
        entries: The entries of the table, see :class:`~mlxc_app.run.runs_list_model.RunsListModel`.
    """

    _esm = Path(__file__).with_name("runs_table.js").read_text(encoding="utf-8")
    entries: traitlets.List[Any] = traitlets.List().tag(sync=True)


class RunsView:
    """Observes a :class:`RunsListModel`.

    Attributes:
        table: The table.
        widget: The table, below a button that opens an archive.
    """

    def __init__(self, model: RunsListModel, page: Page) -> None:
        self._model, self._page = model, page
        self.table = RunsTable()
        words, meaning = "Open an archive (ZIP) …", f"A run that was taken away: {LIMIT}"
        upload = Upload(words, meaning, ".zip", LARGEST_ARCHIVE, model.open_archive, page.messages)
        self.widget = VBox([upload, self.table])
        self.table.on_msg(page.messages.guard(self._act))
        model.observe(page.messages.guard(self._show), "entries")
        self._show()

    def _show(self, change: Any = None) -> None:
        self.table.entries = list(self._model.entries)

    def _act(self, widget: RunsTable, content: dict[str, Any], buffers: object) -> None:
        self._page.messages.clear()
        action, name = content["action"], str(content.get("name", ""))
        if action == "Open":
            self._model.open(name)
        elif action == USE:
            self._use_settings(name)
        elif action == "Rename":
            self._model.rename(name, str(content["title"]))
        elif action == "Delete":
            self._model.delete(name)
        elif action == "Compare":
            self._compare([str(name) for name in content["names"]])

    def _use_settings(self, name: str) -> None:
        self._page.choose.take_calculation(self._model.task(name))
        self._page.messages.show("information", "The settings of this run are filled in. Change some, or press Run.")

    def _compare(self, names: list[str]) -> None:
        self._page.side_by_side.ask(tuple(str(find_run(name).path) for name in names))
        self._page.unfold(COMPARE)
