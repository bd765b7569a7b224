"""Smearing and spin."""

from __future__ import annotations

from typing import Any

from ipywidgets import Checkbox, Dropdown, Text, VBox, Widget

from mlxc_app.choose.field_problem import with_problem
from mlxc_app.choose.labels import LABELS
from mlxc_app.choose.model import ChooseModel
from mlxc_app.widgets.binding import bind, same
from mlxc_app.widgets.controls import LABEL, WIDE, number
from mlxc_app.widgets.message import MessageArea

SMEARINGS = [
    ("Fermi-Dirac", "fermi-dirac"),
    ("Gaussian", "gaussian"),
    ("Marzari-Vanderbilt", "marzari-vanderbilt"),
    ("none (insulators only)", "none"),
]

MOMENTS = (
    "Moment to start from, along one axis. If nothing is known of it, the element has its usual one; opposite signs "
    "start an antiferromagnet."
)


BY_ATOM = "The moment that each atom of the chosen crystal starts from, one after the other:"


class ElectronsView:
    """Observes a :class:`ChooseModel`.

    Attributes:
        smearing: The fields for smearing.
        spin: The field for spin, and those for moments, which are seen where there is spin.
    """

    def __init__(self, model: ChooseModel, messages: MessageArea) -> None:
        self._model, self._messages = model, messages
        smearing = Dropdown(options=SMEARINGS, description=LABELS["smearing"], layout=WIDE)
        self._width = number(LABELS["width_ha"], 0.005)
        spin = Checkbox(description=LABELS["spin"], indent=False, layout=WIDE)
        self._moments = VBox()
        self._by_atom = Text(description="By atom (μB)", style=LABEL, layout=WIDE, continuous_update=False)
        self._hold = Checkbox(description="Hold total moment", indent=False, layout=WIDE)
        self._total = number(LABELS["total_moment"], 0.5)
        total = with_problem(model, "total_moment", self._total)
        polarised = with_problem(model, "spin", spin)
        polarised.add_class("mlxc-wide")
        by_atom = with_problem(model, "moments", self._by_atom)
        by_atom.add_class("mlxc-wide")
        self._magnetic = (self._moments, VBox([self._hold, total]), by_atom)
        self.smearing: list[Widget] = [
            with_problem(model, "smearing", smearing),
            with_problem(model, "width_ha", self._width),
        ]
        self.spin: list[Widget] = [polarised, *self._magnetic]
        for trait, widget in (("smearing", smearing), ("width_ha", self._width), ("spin", spin)):
            bind(model, trait, widget, messages)
        self._hold.observe(messages.guard(self._take_total), "value")
        self._total.observe(messages.guard(self._take_total), "value")
        model.observe(self._show, ["smearing", "spin", "total_moment"])
        self._by_atom.observe(messages.guard(self._take_by_atom), "value")
        model.observe(self._show_moments, ["structure", "moments", "atom_moments"])
        self._show()
        self._show_moments()

    def _take_total(self, change: Any) -> None:
        total = self._total.value if self._hold.value else None
        if not same(total, self._model.total_moment):
            self._model.total_moment = total

    def _take_by_atom(self, change: Any) -> None:
        if change["new"] != self._told_by_atom():
            self._messages.clear()
            self._model.take_atom_moments(change["new"])

    def _told_by_atom(self) -> str:
        return ", ".join(f"{moment:g}" for moment in self._model.starting_moments)

    def _show(self, change: Any = None) -> None:
        model = self._model
        self._width.disabled = model.smearing == "none"
        for part in self._magnetic:
            part.layout.display = "" if model.spin else "none"
        holds = model.total_moment is not None
        # The number first: the box asks for it.
        if holds and not same(self._total.value, model.total_moment):
            self._total.value = model.total_moment
        self._hold.value = holds
        self._total.disabled = not holds

    def _show_moments(self, change: Any = None) -> None:
        self._by_atom.value = self._told_by_atom()
        symbols = self._model.original.species
        atoms = ", ".join(f"{number} {symbol}" for number, symbol in enumerate(symbols, start=1))
        self._by_atom.tooltip = f"{BY_ATOM} {atoms}."
        elements = self._model.elements
        if tuple(field.description for field in self._moments.children) != tuple(map(_label, elements)):
            self._moments.children = [self._moment_field(element) for element in elements]
        for element, field in zip(elements, self._moments.children, strict=True):
            moment = self._model.starting_moment(element)
            field.tooltip = MOMENTS if moment is not None else "As in the file: not the same for all atoms."
            if not same(field.value, moment or 0.0):
                field.value = moment or 0.0

    def _moment_field(self, element: str) -> Widget:
        field = number(_label(element), 0.5, value=self._model.starting_moment(element) or 0.0)

        def entered(change: Any) -> None:
            if not same(change["new"], self._model.starting_moment(element) or 0.0):
                self._model.moments = {**self._model.moments, element: change["new"]}

        field.observe(self._messages.guard(entered), "value")
        return field


def _label(element: str) -> str:
    return f"Moment of {element} (μB)"
