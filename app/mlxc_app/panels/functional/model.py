"""What is known about the chosen functional: its meaning, its record, and what it answers when it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from traitlets import Bool, HasTraits, Instance, Unicode, observe

from mlxc.errors import InputError, MlxcError
from mlxc.xc.cards.card import FunctionalCard
from mlxc.xc.catalogue import card_of
from mlxc_app.choose.model import ChooseModel
from mlxc_app.choose.words import FunctionalDescription, describe
from mlxc_app.panels.functional.report import FunctionalReport, check_functional


class FunctionalModel(HasTraits):
    """Follows the choice of the functional, and asks it when somebody looks.

    Attributes:
        shown: Whether somebody looks.
        description: The description of the chosen functional.
        card: What is known of it; None where nothing is.
        report: The functional's answers; None before they have come.
        problem: Why there are no answers, in one sentence.
    """

    shown = Bool(False)
    description = Instance(FunctionalDescription)
    card = Instance(FunctionalCard, allow_none=True)
    report = Instance(FunctionalReport, allow_none=True)
    problem = Unicode()

    def __init__(
        self, choose: ChooseModel, check: Callable[[str], Awaitable[FunctionalReport]] = check_functional
    ) -> None:
        super().__init__()
        self._choose, self._check = choose, check
        self._reports: dict[str, FunctionalReport] = {}
        self._changed = asyncio.Event()
        choose.observe(self._turn, "xc")
        self._turn()

    async def follow(self) -> None:
        """Ask whatever functional is looked at, one after the other."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._ask()

    def _turn(self, change: Any = None) -> None:
        self.problem = ""
        self.card = _card(self._choose.xc)
        self.description = describe(self._choose.xc)
        self.report = self._reports.get(self._choose.xc)
        self._changed.set()

    @observe("shown")
    def _look(self, change: Any) -> None:
        self._changed.set()

    async def _ask(self) -> None:
        name = self._choose.xc
        if not self.shown or name in self._reports:
            return
        problem = ""
        try:
            self._reports[name] = await self._check(name)
        except MlxcError as error:
            problem = str(error)
        except Exception as error:  # nobody would ever see it
            problem = f"The check met an unexpected problem ({type(error).__name__}: {error})."
        # Meanwhile a person may have turned to another functional.
        if name == self._choose.xc:
            self.report, self.problem = self._reports.get(name), problem


def _card(name: str) -> FunctionalCard | None:
    """What is known of a functional; nothing of a file that cannot be read any more, which its description says."""
    try:
        return card_of(name)
    except InputError:
        return None
