"""The widgets in which a person finds, brings, looks at and edits a crystal."""

from __future__ import annotations

from typing import Any

from ipywidgets import HTML, Button, FileUpload, Select, Text, Textarea, VBox, Widget

from mlxc.structures.files import MAX_FILE_BYTES
from mlxc_app.choose.cell_editor import CellEditor
from mlxc_app.choose.database_search import DatabaseSearch, DatabaseSearchModel
from mlxc_app.choose.model import ChooseModel
from mlxc_app.choose.structure_model import MAX_PASTE_BYTES
from mlxc_app.choose.structure_search import find_structures
from mlxc_app.choose.understood_view import UnderstoodView
from mlxc_app.widgets.controls import LABEL, WIDE
from mlxc_app.widgets.crystal_viewer import StructureViewer
from mlxc_app.widgets.disclosure import Disclosure
from mlxc_app.widgets.message import MessageArea, hint
from mlxc_app.widgets.theme import Theme

FILES = f"CIF, POSCAR, extended XYZ or cube; at most {MAX_FILE_BYTES // 1024**2} MB"


class StructureView:
    """Observes a :class:`ChooseModel`."""

    def __init__(self, model: ChooseModel, messages: MessageArea, theme: Theme) -> None:
        self._model, self._messages = model, messages
        self._listing = False
        self._search = Text(placeholder="name or formula", description="Search", style=LABEL, layout=WIDE)
        self._names = Select(rows=4, description="Crystal", style=LABEL, layout=WIDE)
        self._nothing = HTML()
        self._viewer = StructureViewer(model.structure, theme)
        self._understood = UnderstoodView(model, messages)
        edit = Disclosure(
            "Edit the cell: size, strain, supercell", lambda: CellEditor(model, messages).widgets, messages
        )
        own = Disclosure("Your own structure: file or text", self._make_own, messages)
        databases = Disclosure("Databases of structures", self._make_databases, messages)
        self.widget = VBox(
            [
                self._search,
                self._names,
                self._nothing,
                self._viewer.widget,
                self._understood.widget,
                edit.widget,
                own.widget,
                databases.widget,
            ]
        )
        self._search.observe(messages.guard(self._list), "value")
        self._search.on_msg(messages.guard(self._entered))
        self._names.observe(messages.guard(self._name_chosen), "value")
        model.observe(self._show_structure, "structure")
        self._list()
        self._show_structure()

    def _list(self, change: Any = None) -> None:
        """Show what is searched for; in between, the widget believes that something was chosen."""
        self._listing = True
        try:
            found = find_structures(self._search.value)
            self._names.options = found
            self._select()
        finally:
            self._listing = False
        nothing = "No shipped structure is called like this. Bring your own below." if not found else ""
        self._nothing.value = hint(nothing) if nothing else ""

    def _select(self) -> None:
        """Mark the chosen structure in the list, if it is there."""
        shown = [name for _, name in self._names.options]
        self._names.value = self._model.shipped_name if self._model.shipped_name in shown else None

    def _entered(self, widget: Widget, content: dict[str, Any], buffers: Any) -> None:
        """The Enter key in the field of the search takes the first of the list."""
        if content.get("event") == "submit" and self._names.options:
            self._names.value = self._names.options[0][1]

    def _name_chosen(self, change: Any) -> None:
        if not self._listing and change["new"] and change["new"] != self._model.shipped_name:
            self._messages.clear()
            self._model.take_shipped(change["new"])

    def _make_own(self) -> list[Widget]:
        upload = FileUpload(accept="", multiple=False, description="Your own file", tooltip=FILES)
        upload.add_class("mlxc-upload")
        upload.observe(self._messages.guard(self._file_chosen), "value")
        text = Textarea(
            placeholder="Paste a structure: CIF, POSCAR or extended XYZ",
            description="Paste a structure",
            rows=5,
            continuous_update=False,
            style=LABEL,
            layout=WIDE,
        )
        use = Button(description="Use this text")
        use.add_class("mlxc-use-text")
        use.on_click(self._messages.guard(lambda button: self._text_chosen(text.value)))
        limit = HTML(hint(f"At most {MAX_PASTE_BYTES // 1000} kB."))
        return [upload, HTML(hint(FILES + ".")), text, limit, use]

    def _make_databases(self) -> list[Widget]:
        return DatabaseSearch(DatabaseSearchModel(self._model.take_crystal), self._messages).widgets

    def _file_chosen(self, change: Any) -> None:
        for file in change["new"]:
            self._messages.clear()
            self._model.take_file(file["name"], bytes(file["content"]))

    def _text_chosen(self, text: str) -> None:
        self._messages.clear()
        self._model.take_text(text)

    def _show_structure(self, change: Any = None) -> None:
        self._select()
        self._viewer.show(self._model.structure, cell_only=self._model.repeats != (1, 1, 1))
