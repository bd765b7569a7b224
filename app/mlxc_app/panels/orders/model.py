"""The magnetic orders of the crystal, as far as they are computed, and which of them has the lowest energy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from traitlets import HasTraits, Instance, Int

from mlxc.crystal.magnetism import often_magnetic
from mlxc.errors import InputError
from mlxc.tasks.orders.presentation import ground_in_words
from mlxc.tasks.orders.result import with_relative_energies
from mlxc.tasks.orders.task import MagneticOrdersTask
from mlxc_app.choose.model import ChooseModel
from mlxc_app.run.model import RunModel

# What magnetic orders decide by themselves.
THEIR_OWN = {"spin", "total_moment"}


@dataclass(frozen=True)
class OrdersPicture:
    """What the panel shows.

    Attributes:
        title: The title of the run; empty if the run in hand is of another kind.
        orders: What is known of each finished order, see :class:`~mlxc.tasks.orders.result.OrderedStates`.
        words: Which order is lowest, or how far the run has come.
    """

    title: str = ""
    orders: tuple[Mapping[str, Any], ...] = ()
    words: str = ""


class OrdersModel(HasTraits):
    """Starts the magnetic orders of what is chosen, and follows them.

    Attributes:
        picture: What is to be seen.
        max_cells: The largest number of cells in a supercell.
    """

    picture = Instance(OrdersPicture, args=())
    max_cells = Int(2)

    def __init__(self, run: RunModel, choose: ChooseModel) -> None:
        super().__init__()
        self._run, self._choose = run, choose
        run.observe(self._redraw, ["result", "title", "kind", "state"])
        run.observe_records(self._redraw, "order", "iteration")
        self._redraw()

    def task(self) -> MagneticOrdersTask:
        """The orders of what is chosen.

        Raises:
            InputError: they cannot be computed, or the crystal has no magnetic element.
        """
        if not often_magnetic(self._choose.elements):
            raise InputError(f"{self._choose.title} has no element that is often magnetic, such as iron or nickel.")
        calculation = self._choose.calculation().model_dump(exclude=THEIR_OWN)
        return MagneticOrdersTask.from_dict({"calculation": calculation, "max_cells": self.max_cells})

    def start(self) -> None:
        """Compute the orders of what is chosen.

        Raises:
            InputError: they cannot be computed, or the crystal has no magnetic element.
        """
        self._run.start(self.task(), self._choose.run_title())

    def _redraw(self, change: Any = None) -> None:
        run = self._run
        if run.kind != "orders":
            self.picture = OrdersPicture()
            return
        result = run.result if "orders" in run.result else {}
        orders = result["orders"] if result else with_relative_energies(run.of_kind("order"))
        self.picture = OrdersPicture(run.title, tuple(orders), self._words(result))

    def _words(self, result: Mapping[str, Any]) -> str:
        if result:
            words = ground_in_words(result)
            return f"{words[0].upper()}{words[1:]}."
        if not self._run.active or not isinstance(self._run.task, MagneticOrdersTask):
            return ""
        orders, done = self._run.task.orders, len(self._run.of_kind("order"))
        if done == len(orders):
            return ""
        return f"Order {done + 1} of {len(orders)}: {orders[done].name}."
