"""The card with the list of functionals, among them a person's own, and the way to bring one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from ipywidgets import HTML, Button, HBox, ToggleButtons, Widget

from mlxc.errors import InputError
from mlxc.structures.files import MAX_FILE_BYTES
from mlxc.xc.cards.card import ORIGINS
from mlxc.xc.catalogue import carries_ensemble, functional_groups, origin_of
from mlxc.xc.checkpoints.record import SUFFIX
from mlxc_app.choose.field_problem import with_problem
from mlxc_app.choose.model import USUAL_FUNCTIONAL, ChooseModel
from mlxc_app.choose.own.checkpoints import delete_checkpoint, keep_checkpoint, own_checkpoints
from mlxc_app.choose.words import describe, functional_in_words
from mlxc_app.widgets.choosing.cards import MODEL, Card, Cards
from mlxc_app.widgets.choosing.grouped_choice import Entry, Group, GroupedChoice
from mlxc_app.widgets.choosing.upload import MIB, Upload
from mlxc_app.widgets.message import MessageArea, hint

CHOSEN, MINE = "Chosen", "Mine"
EVERY_ORIGIN = ""
# What the label of a functional ends with that carries an ensemble, and what is said of one.
ERROR_BARS = "±"
WHAT_ERROR_BARS_ARE = f"{ERROR_BARS} It carries an ensemble, so that what follows from it has error bars."
LIMIT = f"A functional that you have trained: {SUFFIX}, at most {MAX_FILE_BYTES // MIB} MB"


def functional_choices(owner: str, origin: str = EVERY_ORIGIN) -> list[Group]:
    """The functionals by group, each with its label and its name; those of the visitor are the last.

    The labels of those that carry error bars end with a mark.

    Args:
        owner: The visitor.
        origin: The kind of origin, of :data:`~mlxc.xc.cards.card.ORIGINS`, of those that are wanted; empty for all.
    """
    groups = [(heading, [_entry(name) for name in names]) for heading, names in functional_groups().items()]
    groups.append((MINE, [_entry(str(path)) for path in own_checkpoints(owner)]))
    if origin == EVERY_ORIGIN:
        return groups
    return [(heading, [entry for entry in entries if _has_origin(entry[1], origin)]) for heading, entries in groups]


def _entry(name: str) -> Entry:
    label = functional_in_words(name)
    return (f"{label} {ERROR_BARS}" if has_error_bars(name) else label, name)


def has_error_bars(name: str) -> bool:
    """Whether results of a functional come with error bars; one whose file is damaged has none."""
    try:
        return carries_ensemble(name)
    except InputError:  # it says so when it is chosen
        return False


def _has_origin(name: str, origin: str) -> bool:
    try:
        return origin_of(name) == origin
    except InputError:  # a file that is damaged; it says so when it is chosen
        return False


class FunctionalPicker:
    """Shows and changes the functional of a :class:`ChooseModel`.

    Attributes:
        about: The button that asks for more about the chosen functional.
        widget: The card.
    """

    def __init__(self, model: ChooseModel, cards: Cards, messages: MessageArea) -> None:
        self._model, self._messages = model, messages
        self.about = Button(description="About this functional")
        self._names = GroupedChoice(description="XC functional", rows=12)
        self._origin = ToggleButtons(
            description="Origin",
            options=[("All", EVERY_ORIGIN), *((origin.capitalize(), origin) for origin in ORIGINS)],
            tooltips=["Whatever it was made of", *(meaning.capitalize() for meaning in ORIGINS.values())],
            style={"button_width": "auto", "description_width": "48px"},
        )
        self._origin.add_class("mlxc-origins")
        self._meaning = HTML()
        self._delete = Button(description="Delete", tooltip="Take this functional off the list")
        self._examination: asyncio.Task[None] | None = None
        self._card = Card(MODEL, cards, [], self._make, messages)
        self.widget = self._card.widget
        self._names.observe(messages.guard(self._name_chosen), "value")
        self._origin.observe(messages.guard(self._show), "value")
        self._delete.on_click(messages.guard(self._delete_chosen))
        model.observe(messages.guard(self._show), ["xc", "owner"])
        self._show()

    def _make(self) -> list[Widget]:
        upload = Upload("Your own functional …", LIMIT, SUFFIX, MAX_FILE_BYTES, self._file_chosen, self._messages)
        row = HBox([self.about, upload, self._delete])
        row.add_class("mlxc-more")
        return [self._origin, with_problem(self._model, "xc", self._names), self._meaning, row]

    def _name_chosen(self, change: Any) -> None:
        chosen = self._names.listed
        if chosen and chosen != self._model.xc:
            self._messages.clear()
            self._model.xc = chosen

    def _file_chosen(self, name: str, content: bytes) -> None:
        self._messages.show("information", f"{name} is being examined …")
        self._examination = asyncio.get_running_loop().create_task(self.examine(name, content))

    async def examine(self, name: str, content: bytes) -> None:
        """Take a checkpoint into the list and choose it, or say what is wrong with it."""
        path = await self._messages.guarded(keep_checkpoint(name, content, self._model.owner))
        if path is not None:
            self._messages.clear()
            self._model.xc = str(path)
            self._show()

    def _delete_chosen(self, button: Button) -> None:
        self._messages.clear()
        path = Path(self._model.xc)
        delete_checkpoint(path, self._model.owner)
        self._model.xc = USUAL_FUNCTIONAL
        self._messages.show("information", f"{path.stem} is deleted; {self._model.xc} is chosen.")

    def _show(self, change: Any = None) -> None:
        chosen, description = self._model.xc, describe(self._model.xc)
        groups = functional_choices(self._model.owner, self._origin.value)
        is_listed = chosen in [name for _, names in groups for _, name in names]
        self._names.show([(CHOSEN, [] if is_listed else [(description.title, chosen)]), *groups], chosen)
        told = [description.meaning, WHAT_ERROR_BARS_ARE if has_error_bars(chosen) else ""]
        self._meaning.value = hint(" ".join(filter(None, told)))
        mine = [str(path) for path in own_checkpoints(self._model.owner)]
        self._delete.layout.display = "" if chosen in mine else "none"
        self._card.tell(description.title, description.meaning)
