"""What the runs that a panel starts would cost, told beside their buttons, and why one cannot start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from ipywidgets import HTML, Button
from traitlets import HasTraits

from mlxc.calculation.duration import memory_in_words, seconds_in_words
from mlxc.errors import MlxcError
from mlxc.runs.limits import Limits
from mlxc.tasks.cost import Cost, cost_of
from mlxc.tasks.task import CrystalTask
from mlxc_app.choose.labels import SETTINGS, in_words_of_the_page
from mlxc_app.choose.model import ChooseModel
from mlxc_app.choose.words import without_folders


@dataclass
class Start:
    """A button and the task that it starts.

    Attributes:
        button: The button, greyed as long as the task cannot be done.
        make: A function that gives the task as it is chosen now, or says why there is none.
        name: What tells it from the others of the panel; empty where it is alone.
        task: The task whose cost is known; None if there is none.
        cost: Its cost; None likewise.
        obstacle: Why it cannot, in one sentence; empty if it can.
    """

    button: Button
    make: Callable[[], CrystalTask]
    name: str = ""
    task: CrystalTask | None = None
    cost: Cost | None = None
    obstacle: str = ""

    def look(self) -> None:
        """See what the task costs; nothing is counted twice for the same one."""
        try:
            task = self.make()
            if task != self.task:
                for calculation in task.calculations():
                    Limits.from_environment().check(calculation)
                self.cost, self.task = cost_of(task), task
            self.obstacle = ""
        except MlxcError as error:
            self.task, self.cost, self.obstacle = None, None, str(error)


class StartingView:
    """Observes what is chosen.

    Attributes:
        widget: The words.
    """

    def __init__(
        self, choose: ChooseModel, starts: Sequence[Start], model: HasTraits, traits: Sequence[str] = ()
    ) -> None:
        """Tell the cost now, and whenever it may be another one.

        Args:
            choose: What a person has chosen.
            starts: The buttons, with what they start.
            model: The model of the panel.
            traits: Those of its traits on which the tasks depend.
        """
        self._choose, self._starts = choose, starts
        self.widget = HTML()
        self.widget.add_class("mlxc-cost")
        choose.observe(self._show, [*SETTINGS, "blocker"])
        if traits:
            model.observe(self._show, list(traits))
        self._show()

    def _show(self, change: Any = None) -> None:
        """What stands in the way of all runs is told elsewhere."""
        blocked = bool(self._choose.blocker)
        for start in self._starts:
            if not blocked:
                start.look()
            start.button.disabled = blocked or bool(start.obstacle)
        self.widget.value = "" if blocked else self._told()

    def _told(self) -> str:
        costs = [(start.name, start.cost) for start in self._starts if start.cost is not None]
        obstacles = dict.fromkeys(self._of_the_page(start.obstacle) for start in self._starts if start.obstacle)
        told = f'<span class="mlxc-muted">{escape(_in_words(costs))}</span>' if costs else ""
        return told + "".join(f'<div class="mlxc-blocker" role="status">{escape(words)}</div>' for words in obstacles)

    def _of_the_page(self, sentence: str) -> str:
        return in_words_of_the_page(without_folders(sentence, self._choose.xc))


def _in_words(costs: Sequence[tuple[str, Cost]]) -> str:
    """The cost of one run, or what each of several takes and how much memory the largest of them needs."""
    *_, (name, last) = costs
    if not name:
        return f"Takes {last.in_words()}."
    (first, its_time), *others = [(name, seconds_in_words(cost.seconds)) for name, cost in costs]
    times = ", ".join([f"the {first} takes {its_time}", *(f"the {name} {time}" for name, time in others)])
    most = memory_in_words(max(cost.memory_gb for _, cost in costs))
    return f"To vary {times} on two cores; {most} of memory."
