"""Size, strain, height and repetition of the cell of the chosen crystal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ipywidgets import Button, FloatText, Widget

from mlxc.crystal.vacuum import vacuum_directions
from mlxc_app.choose.labels import LABELS
from mlxc_app.choose.structure_model import StructureModel
from mlxc_app.widgets.binding import same
from mlxc_app.widgets.controls import number, three_numbers, three_whole_numbers
from mlxc_app.widgets.message import MessageArea

# Digits of a length that are shown, angstrom.
DIGITS = 5


class CellEditor:
    """Shows and changes the edit of a :class:`StructureModel`.

    Attributes:
        widgets: The widgets, from top to bottom.
    """

    def __init__(self, model: StructureModel, messages: MessageArea) -> None:
        self._model, self._messages = model, messages
        self._constant = number(LABELS["lattice_constant_ang"], 0.01)
        self._scale = number(LABELS["scale_percent"], 1)
        self._height = number(LABELS["height_ang"], 1)
        self._strain = three_numbers(LABELS["strain_percent"], ("a", "b", "c"), "mlxc-strain")
        self._repeats = three_whole_numbers(
            LABELS["repeats"],
            ("n₁", "n₂", "n₃"),
            "mlxc-supercell",
            lambda: model.edit.repeats,
            lambda repeats: model.change(repeats=repeats),
            messages,
        )
        reset = Button(description="Back to the original cell", tooltip="Everything here is computed, not only drawn")
        reset.add_class("mlxc-reset")
        self.widgets: list[Widget] = [
            self._constant, self._scale, self._strain, self._height, self._repeats, reset,
        ]  # fmt: skip
        reset.on_click(messages.guard(lambda button: model.reset()))
        self._take(self._constant, "lattice_constant_ang", self._shown_constant)
        self._take(self._scale, "scale_percent", lambda: model.edit.scale_percent)
        self._take(self._height, "height_ang", self._shown_height)
        self._take_strain()
        model.observe(self._show, ["edit", "structure"])
        self._show()

    def _take(self, field: FloatText, name: str, shown: Callable[[], float]) -> None:
        def entered(change: Any) -> None:
            if not same(change["new"], shown()):
                self._model.change(**{name: change["new"]})

        field.observe(self._messages.guard(entered), "value")

    def _take_strain(self) -> None:
        fields = self._strain.children[1:]

        def entered(change: Any) -> None:
            strain = list(self._model.edit.strain_percent)
            index = fields.index(change["owner"])
            if not same(strain[index], change["new"]):
                strain[index] = change["new"]
                self._model.change(strain_percent=tuple(strain))

        for field in fields:
            field.observe(self._messages.guard(entered), "value")

    def _shown_constant(self) -> float:
        edited, own = self._model.edit.lattice_constant_ang, self._model.lattice_constant_ang
        return edited if edited is not None else round(own or 0.0, DIGITS)

    def _shown_height(self) -> float:
        edited, own = self._model.edit.height_ang, self._model.height_ang
        return edited if edited is not None else round(own or 0.0, DIGITS)

    def _show(self, change: Any = None) -> None:
        model = self._model
        has_constant, is_sheet = model.lattice_constant_ang is not None, model.height_ang is not None
        for field, visible in (
            (self._constant, has_constant),
            (self._scale, not has_constant),
            (self._height, is_sheet),
        ):
            field.layout.display = "" if visible else "none"
        fields = [self._constant, self._scale, self._height, *self._strain.children[1:], *self._repeats.children[1:]]
        edit = model.edit
        values = [self._shown_constant(), edit.scale_percent, self._shown_height(), *edit.strain_percent, *edit.repeats]
        for field, value in zip(fields, values, strict=True):
            if not same(field.value, value):
                field.value = value
        # Along a vacuum there is nothing to strain; the height is a field of its own.
        empty = vacuum_directions(model.original) if is_sheet else ()
        for direction, field in enumerate(self._strain.children[1:]):
            field.disabled = direction in empty
