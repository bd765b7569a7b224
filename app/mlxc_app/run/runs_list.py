"""The table of runs, and the button that opens it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import traitlets
from ipywidgets import Button, FileUpload, VBox

from mlxc.errors import InputError
from mlxc.structures.files import MAX_FILE_BYTES
from mlxc_app.run.runs_list_model import RunsListModel
from mlxc_app.widgets.message import MessageArea

LIMIT = f"a ZIP of at most {MAX_FILE_BYTES // 1024**2} MB"
LABELS = {False: "Runs …", True: "Close runs"}


class RunsTable(anywidget.AnyWidget):
    """Draws entries and sends ``{"action": "Open" | "Rename" | "Delete", "name": ..., "title": ...}``.

    Attributes:
        entries: The entries of the table, see :class:`~mlxc_app.run.runs_list_model.RunsListModel`.
    """

    _esm = Path(__file__).with_name("runs_list.js").read_text(encoding="utf-8")
    entries: traitlets.List[Any] = traitlets.List().tag(sync=True)


class RunsList:
    """Observes a :class:`RunsListModel`.

    Attributes:
        button: The button that opens and closes the table.
        widget: The table, when it is open.
    """

    def __init__(self, model: RunsListModel, messages: MessageArea) -> None:
        self._model, self._messages = model, messages
        self.button = Button(tooltip="The newest runs that are kept: open, rename or delete them")
        self.button.add_class("mlxc-runs")
        self.widget = VBox()
        self._table: RunsTable | None = None
        self._upload = FileUpload(
            accept=".zip", multiple=False, description="Open an archive", tooltip=f"A run that was taken away: {LIMIT}"
        )
        self._upload.add_class("mlxc-upload-run")
        self._upload.observe(messages.guard(self._file_chosen), "value")
        self.button.on_click(messages.guard(self._press))
        model.observe(messages.guard(self._show), ["shown", "entries"])
        self._show()

    def _press(self, button: Button) -> None:
        self._model.shown = not self._model.shown

    def _show(self, change: Any = None) -> None:
        self.button.description = LABELS[self._model.shown]
        if self._table is None and self._model.shown:
            self._table = RunsTable()
            self._table.on_msg(self._messages.guard(self._act))
        if self._table is not None:
            self._table.entries = list(self._model.entries)
        self.widget.children = [self._upload, self._table] if self._table is not None and self._model.shown else []

    def _file_chosen(self, change: Any) -> None:
        for file in change["new"]:
            self._messages.clear()
            if file["size"] > MAX_FILE_BYTES:
                raise InputError(f"{file['name']}: {LIMIT}; open larger ones with “mlxc run FILE.zip”.")
            self._model.open_archive(file["name"], bytes(file["content"]))
            self._model.shown = False

    def _act(self, widget: RunsTable, content: dict[str, Any], buffers: object) -> None:
        self._messages.clear()
        name = str(content["name"])
        if content["action"] == "Open":
            self._model.open(name)
            self._model.shown = False
        elif content["action"] == "Rename":
            self._model.rename(name, str(content["title"]))
        elif content["action"] == "Delete":
            self._model.delete(name)
