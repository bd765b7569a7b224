"""The card in which a person finds, brings, looks at and edits a crystal."""

from __future__ import annotations

from typing import Any

from ipywidgets import HTML, Button, HBox, Text, Textarea, VBox, Widget

from mlxc.structures.files import MAX_FILE_BYTES
from mlxc_app.choose.cell_editor import CellEditor
from mlxc_app.choose.database_search import DatabaseSearch, DatabaseSearchModel
from mlxc_app.choose.model import ChooseModel
from mlxc_app.choose.structure_model import MAX_PASTE_BYTES
from mlxc_app.choose.structure_search import find_own_structures, find_structures
from mlxc_app.choose.understood_view import UnderstoodView
from mlxc_app.widgets.choosing.cards import CRYSTAL, Card, Cards
from mlxc_app.widgets.choosing.grouped_choice import GroupedChoice
from mlxc_app.widgets.choosing.upload import MIB, Upload
from mlxc_app.widgets.controls import WIDE
from mlxc_app.widgets.crystal_viewer import StructureViewer
from mlxc_app.widgets.disclosure import Disclosure
from mlxc_app.widgets.message import MessageArea, hint
from mlxc_app.widgets.theme import Theme

FILES = f"CIF, POSCAR, extended XYZ or cube; at most {MAX_FILE_BYTES // MIB} MB"
CHOSEN, OWN, SHIPPED = "Chosen", "Your own", "Comes along"
PICTURE_HEIGHT = "150px"


class StructureView:
    """Observes a :class:`ChooseModel`: the picture is always seen, the rest once the card is open.

    The picture's place is kept until somebody wants to see it: it loads more JavaScript than the rest of the page.
    """

    def __init__(self, model: ChooseModel, cards: Cards, messages: MessageArea, theme: Theme) -> None:
        self._model, self._messages, self._theme = model, messages, theme
        self._viewer: StructureViewer | None = None
        self._place = VBox()
        self._place.add_class("mlxc-picture-place")
        seen = VBox([self._place, UnderstoodView(model, messages).widget])
        seen.add_class("mlxc-picture")
        self._card = Card(CRYSTAL, cards, [seen], self._make, messages)
        self._drawers: list[Disclosure] = []
        cards.observe(self._fold_drawers, "opened")
        self.widget = self._card.widget
        model.observe(self._tell, "title")
        model.observe(self._draw, "structure")
        self._tell()

    def _tell(self, change: Any = None) -> None:
        self._card.tell(self._model.title)

    def show_picture(self) -> None:
        """Draw the crystal, now and whenever it changes."""
        self._viewer = StructureViewer(self._model.structure, self._theme, PICTURE_HEIGHT)
        self._place.children = [self._viewer.widget]

    def _draw(self, change: Any) -> None:
        if self._viewer is not None:
            self._viewer.show(self._model.structure, cell_only=self._model.repeats != (1, 1, 1))

    def _make(self) -> list[Widget]:
        model, messages = self._model, self._messages
        finder = StructureList(model, messages)
        edit = Disclosure("Edit the cell", lambda: CellEditor(model, messages).widgets, messages)
        paste = Disclosure("Paste a text", self._make_paste, messages)
        databases = Disclosure("Databases", self._make_databases, messages)
        self._drawers = [edit, paste, databases]
        return [finder.widget, one_of(self._drawers, finder.widget)]

    def _make_databases(self) -> list[Widget]:
        return DatabaseSearch(DatabaseSearchModel(self._model.take_crystal), self._messages).widgets

    def _fold_drawers(self, change: Any) -> None:
        """A card that opens again begins with the list."""
        for drawer in self._drawers:
            drawer.fold()

    def _make_paste(self) -> list[Widget]:
        text = Textarea(
            placeholder="CIF, POSCAR or extended XYZ",
            description="Paste a structure",
            rows=4,
            continuous_update=False,
            layout=WIDE,
        )
        text.add_class("mlxc-stacked")
        use = Button(description="Use this text", tooltip=f"At most {MAX_PASTE_BYTES // 1000} kB")
        use.on_click(self._messages.guard(lambda button: self._text_chosen(text.value)))
        return [text, use]

    def _text_chosen(self, text: str) -> None:
        self._messages.clear()
        self._model.take_text(text)


def one_of(drawers: list[Disclosure], instead_of: Widget) -> HBox:
    """Buttons in a row of which one may be pressed; what it unfolds takes the place of something else."""
    row = HBox([drawer.widget for drawer in drawers])
    row.add_class("mlxc-drawers")

    def show(change: Any) -> None:
        if change["new"]:
            for drawer in drawers:
                if drawer is not change["owner"]:
                    drawer.fold()
        instead_of.layout.display = "none" if any(drawer.unfolded for drawer in drawers) else ""

    for drawer in drawers:
        drawer.observe(show, "unfolded")
    return row


class StructureList:
    """Finds a crystal by words, among a person's own and those that come along, and brings files into the list.

    Attributes:
        widget: The field for the words, the list, and its buttons.
    """

    def __init__(self, model: ChooseModel, messages: MessageArea) -> None:
        self._model, self._messages = model, messages
        self._search = Text(placeholder="name or formula", description="Search", layout=WIDE)
        self._names = GroupedChoice(description="Crystal", rows=5)
        self._nothing = HTML()
        upload = Upload("Your own file …", FILES, "", MAX_FILE_BYTES, model.take_file, messages)
        self._delete = Button(description="Delete", tooltip="Take this structure off the list")
        row = HBox([self._search, upload, self._delete])
        row.add_class("mlxc-finder")
        self.widget = VBox([row, self._names, self._nothing])
        self._search.observe(messages.guard(self._list), "value")
        self._search.on_msg(messages.guard(self._entered))
        self._names.observe(messages.guard(self._name_chosen), "value")
        self._delete.on_click(messages.guard(self._delete_chosen))
        model.observe(messages.guard(self._list), ["title", "shipped_name", "own_name", "owner"])
        self._list()

    def _found(self) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """What is searched for: a person's own structures, then those that come along."""
        own = find_own_structures(self._search.value, self._model.owner)
        return [(title, f"{OWN}/{name}") for title, name in own], find_structures(self._search.value)

    def _list(self, change: Any = None) -> None:
        """Show what is searched for, and in any case what is chosen."""
        own, shipped = self._found()
        model = self._model
        chosen = f"{OWN}/{model.own_name}" if model.own_name else model.shipped_name or CHOSEN
        is_found = chosen in [name for _, name in (*own, *shipped)]
        self._names.show(
            [(CHOSEN, [] if is_found else [(model.title, chosen)]), (OWN, own), (SHIPPED, shipped)], chosen
        )
        nothing = "No crystal here is called like this: bring your own file." if not (own or shipped) else ""
        self._nothing.value = hint(nothing) if nothing else ""
        self._delete.layout.display = "" if model.own_name else "none"

    def _entered(self, widget: Widget, content: dict[str, Any], buffers: Any) -> None:
        """The Enter key in the field of the search takes the first that was found."""
        if content.get("event") == "submit":
            for _, name in (found for group in self._found() for found in group):
                self._choose(name)
                break

    def _name_chosen(self, change: Any) -> None:
        if self._names.listed:
            self._choose(self._names.listed)

    def _choose(self, name: str) -> None:
        kind, _, own = name.partition("/")
        if kind == OWN and own != self._model.own_name:
            self._messages.clear()
            self._model.take_own(own)
        elif not own and name not in (CHOSEN, self._model.shipped_name):
            self._messages.clear()
            self._model.take_shipped(name)

    def _delete_chosen(self, button: Button) -> None:
        self._messages.clear()
        self._model.delete_own(self._model.own_name)
