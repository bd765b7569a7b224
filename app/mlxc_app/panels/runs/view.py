"""The table of runs that are kept."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from mlxc_app.panels.panel import RUNS, Page, Panel
from mlxc_app.run.runs_list_model import SHOWN, RunsListModel
from mlxc_app.widgets.message import MessageArea

ABOUT = (
    f"The newest {SHOWN} runs that are kept, with the number that each was made for. “Open” shows one in the panels "
    "as if it had just ended; what is being computed goes on."
)
LIST_SECONDS = 1.0


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
        lambda: RunsView(model, page.messages).table,
        group=RUNS,
        shown=look,
        follow=follow,
    )


class RunsTable(anywidget.AnyWidget):
    """Draws entries and sends ``{"action": "Open" | "Rename" | "Delete", "name": ..., "title": ...}``.

    Attributes:
        entries: The entries of the table, see :class:`~mlxc_app.run.runs_list_model.RunsListModel`.
    """

    _esm = Path(__file__).with_name("runs_table.js").read_text(encoding="utf-8")
    entries: traitlets.List[Any] = traitlets.List().tag(sync=True)


class RunsView:
    """Observes a :class:`RunsListModel`.

    Attributes:
        table: The table.
    """

    def __init__(self, model: RunsListModel, messages: MessageArea) -> None:
        self._model, self._messages = model, messages
        self.table = RunsTable()
        self.table.on_msg(messages.guard(self._act))
        model.observe(messages.guard(self._show), "entries")
        self._show()

    def _show(self, change: Any = None) -> None:
        self.table.entries = list(self._model.entries)

    def _act(self, widget: RunsTable, content: dict[str, Any], buffers: object) -> None:
        self._messages.clear()
        name = str(content["name"])
        if content["action"] == "Open":
            self._model.open(name)
        elif content["action"] == "Rename":
            self._model.rename(name, str(content["title"]))
        elif content["action"] == "Delete":
            self._model.delete(name)
