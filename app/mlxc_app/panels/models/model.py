"""Functionals on many solids: what is ticked, what the bench has answered, and the cell that is looked at."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from traitlets import Dict, HasTraits, Instance, Tuple, Unicode, observe

from mlxc.errors import InputError, MlxcError
from mlxc.runs.bench.client import Bench
from mlxc_app.choose.functional_picker import functional_choices
from mlxc_app.choose.model import ChooseModel
from mlxc_app.choose.own.checkpoints import keep_checkpoint
from mlxc_app.choose.words import functional_in_words
from mlxc_app.panels.models.columns import QUANTITIES, Column
from mlxc_app.panels.models.confirming import Confirming
from mlxc_app.panels.models.hand import GLIDING, Hand
from mlxc_app.run.model import RunModel
from mlxc_app.widgets.choosing.grouped_choice import Group

# Slots of the bench, see mlxc.runs.bench.protocol.
ABOUT, HAND, CELL, REPORT = "about", "hand", "cell", "report"
COLUMN, BESIDE, EXAMINE, MOVABLE, OTHER = "column ", "beside ", "examine ", "movable ", "other "
# What is answered sooner than this follows the hand, and nobody needs to be told how far it is.
SOON_SECONDS = 0.5
# What a result says of a solid.
FIELDS = tuple(quantity.field for quantity in QUANTITIES.values())


class Asks(Protocol):
    """What the panel needs of the bench, see :class:`mlxc.runs.bench.client.Bench`."""

    def ask(self, slot: str, ask: str, **request: Any) -> None:
        """Send a request."""

    def give_up(self, slot: str) -> None:
        """Want nothing of this slot any more."""

    def follow(self, take: Callable[[dict[str, Any]], None]) -> Awaitable[None]:
        """Hand answers over as they come."""


@dataclass(frozen=True)
class Cell:
    """One solid with one functional.

    Attributes:
        functional: The name of the functional.
        solid: The name of the solid.
        content: What the bench says of it, see :func:`mlxc.runs.bench.cell.cell`; empty before it has.
        problem: Why it says nothing.
    """

    functional: str
    solid: str
    content: Mapping[str, Any]
    problem: str = ""


class ModelsModel(HasTraits):
    """Asks the bench for what is ticked.

    Attributes:
        groups: The functionals that can be ticked, by group.
        solids: The solids with ``name``, ``kind`` and ``references``, those of a kind together.
        ticked: The names of the functionals that are compared, in the order in which they were ticked.
        columns: What they give.
        quantity: What is compared, a name of :data:`~mlxc_app.panels.models.columns.QUANTITIES`.
        moved: What the functional under the hand gives; None where none is moved.
        progress: How far the functional under the hand is, where it takes its time; empty where it does not.
        beside: F_xc along s of what is drawn beside it, by name.
        cell: The cell that is looked at; None before one is.
        files: Files to take away, base64 by name.
        problem: Why nothing is to be seen.
    """

    groups = Tuple()
    solids = Tuple()
    ticked = Tuple()
    columns = Tuple()
    quantity = Unicode("lattice_constant")
    moved = Instance(Column, allow_none=True)
    progress = Unicode()
    beside = Dict()
    cell = Instance(Cell, allow_none=True)
    files = Dict()
    problem = Unicode()

    def __init__(self, run: RunModel, choose: ChooseModel, bench: Asks | None = None) -> None:
        super().__init__()
        self._choose = choose
        self._bench: Asks = Bench() if bench is None else bench
        # What the functional under the hand has given at the place that the bench was asked for, and whether the hand
        # has gone on since.
        self._moving: Column | None = None
        self._has_gone_on = False
        self._asked_at = 0.0
        self._others: tuple[str, ...] = ()
        self._examinations: dict[str, asyncio.Future[str]] = {}
        self.hand = Hand()
        self.confirming = Confirming(run)
        self.hand.observe(self._move)
        choose.observe(self._list, ["owner", "xc"])
        self._list()

    @property
    def names(self) -> dict[str, str]:
        """What each functional that can be ticked is called, by its name."""
        return {name: functional_in_words(name) for _, entries in self.groups for _, name in entries}

    def look(self) -> None:
        """Somebody looks for the first time: the bench is started, if it is not there."""
        self._list()
        self._bench.ask(ABOUT, "about")

    async def follow(self) -> None:
        """Take what the bench answers."""
        await self._bench.follow(self.take)

    def tick(self, names: Iterable[str]) -> None:
        """Compare these functionals, the new ones behind those that were compared before.

        Raises:
            InputError: one of them is not in the list.
        """
        wanted, known = list(dict.fromkeys(names)), self.names
        for name in wanted:
            if name not in known:
                raise InputError(f"{functional_in_words(name)} is not in the list of functionals.")
        kept = [name for name in self.ticked if name in wanted]
        new = [name for name in wanted if name not in self.ticked]
        for name in self.ticked:
            if name not in wanted:
                self._bench.give_up(COLUMN + name)
        for name in new:
            self._bench.ask(COLUMN + name, "screen", functional=name, uncertainty=True)
        columns = {column.name: column for column in self.columns}
        self.ticked = (*kept, *new)
        self.columns = tuple(columns.get(name, Column(name, known[name])) for name in self.ticked)
        self.files = {}

    async def bring(self, file_name: str, content: bytes) -> None:
        """Take a checkpoint into the list, and tick it.

        Raises:
            InputError: with one sentence that says what is wrong with the file.
        """
        path = await keep_checkpoint(file_name, content, self._choose.owner, self._examine)
        self._list()
        self.tick([*self.ticked, str(path)])

    async def _examine(self, path: Path) -> None:
        """Ask the bench, which has PyTorch in memory."""
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        slot = f"{EXAMINE}{path}"
        self._examinations[slot] = answer
        self._bench.ask(slot, "examine", functional=str(path))
        try:
            problem = await answer
        finally:
            del self._examinations[slot]
        if problem:
            raise InputError(problem)

    def choose_cell(self, functional: str, solid: str) -> None:
        """Look at one cell."""
        asked = self.hand.moved.request if functional == HAND else {"functional": functional}
        if not asked or (functional != HAND and functional not in self.ticked):
            return
        self.cell = Cell(functional, solid, {})
        self._bench.ask(CELL, "resolve", solid=solid, quantity=self.quantity, **asked)

    @observe("quantity")
    def _resolve_again(self, change: Any) -> None:
        """What is looked at is what is compared."""
        if self.cell is not None:
            self.choose_cell(self.cell.functional, self.cell.solid)

    def take_away(self) -> None:
        """Ask for the files of a leaderboard of what is ticked.

        Raises:
            InputError: nothing is.
        """
        if not self.ticked:
            raise InputError("Tick a functional first.")
        labels = {column.name: column.label for column in self.columns}
        confirmed = [
            {"functional": labels[functional], "solid": solid} | {field: result.get(field) for field in FIELDS}
            for (functional, solid), result in self.confirming.results.items()
            if functional in labels
        ]
        self._bench.ask(REPORT, "report", functionals=labels, confirmed=confirmed)

    def take(self, answer: Mapping[str, Any]) -> None:
        """Take one answer of the bench."""
        slot = str(answer["slot"])
        if slot.startswith(COLUMN):
            name = slot.removeprefix(COLUMN)
            self.columns = tuple(column.told(answer) if column.name == name else column for column in self.columns)
        elif slot.startswith(BESIDE) and "curve" in answer:
            self.beside = {**self.beside, slot.removeprefix(BESIDE): answer["curve"]}
        elif slot.startswith(MOVABLE) and "weights" in answer:
            self.hand.movable = {**self.hand.movable, slot.removeprefix(MOVABLE): answer}
        elif slot == HAND:
            self._take_moved(answer)
        elif slot == CELL and self.cell is not None and answer.keys() & {"curves", "error"}:
            self.cell = replace(self.cell, content=answer, problem=answer.get("error", ""))
        elif slot in self._examinations and answer["last"]:
            self._examinations[slot].set_result(answer.get("error", ""))
        elif slot == ABOUT and "solids" in answer:
            self.solids = tuple(answer["solids"])
            self.confirming.remember(self.solids)
        elif slot == REPORT and "files" in answer:
            self.files = answer["files"]
        if (slot in (ABOUT, REPORT) or slot.startswith(MOVABLE)) and "error" in answer:
            self.problem = answer["error"]

    def _list(self, change: Any = None) -> None:
        groups: list[Group] = functional_choices(self._choose.owner)
        self.groups = tuple((heading, entries) for heading, entries in groups if entries)

    def _move(self, change: Any) -> None:
        """Ask for the functional under the hand; while one place is being answered, only the last of the next is kept.

        A hand that moves all the time would otherwise drop each question before it is answered.
        """
        if change["name"] in GLIDING and self._moving is not None:
            self._has_gone_on = True
        else:
            self._ask_moved()

    def _ask_moved(self) -> None:
        try:
            moved = self.hand.moved
        except MlxcError as error:
            self.problem = str(error)
            return
        self._want_others(moved.others)
        if moved.asks_of:
            self._bench.ask(MOVABLE + moved.asks_of, "movable", functional=moved.asks_of)
        if not moved.request:
            self._bench.give_up(HAND)
            self.moved, self._moving, self.progress = None, None, ""
            return
        self._moving, self._has_gone_on, self._asked_at = Column(HAND, "by hand"), False, time.monotonic()
        if self.moved is None:
            self.moved = self._moving
        self._bench.ask(HAND, "screen", **moved.request)
        for name in moved.beside:
            if name not in self.beside:
                self._bench.ask(BESIDE + name, "screen", functional=name)

    def _want_others(self, names: tuple[str, ...]) -> None:
        """Have what the hand will come to evaluated before it does."""
        if names == self._others:
            return
        for name in self._others:
            self._bench.give_up(OTHER + name)
        for name in names:
            self._bench.ask(OTHER + name, "screen", functional=name, can_wait=True)
        self._others = names

    def _take_moved(self, answer: Mapping[str, Any]) -> None:
        """Old and new numbers are never shown side by side: all rows change at once."""
        if self._moving is None or self.moved is None:
            return
        self._moving = self._moving.told(answer)
        known, late = len(self._moving.rows), time.monotonic() - self._asked_at > SOON_SECONDS
        is_done = self._moving.summary or self._moving.problem
        self.progress = f"{known} of {len(self.solids)} solids are evaluated …" if late and not is_done else ""
        if self._moving.summary or self._moving.problem:
            self.moved, self._moving = self._moving, None
            if self._has_gone_on:
                self._ask_moved()
