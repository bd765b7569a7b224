"""Controls that look alike wherever a person chooses something."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isfinite
from typing import Any, TypeAlias

from ipywidgets import HTML, FloatText, HBox
from traitlets import HasTraits

from mlxc.errors import InputError
from mlxc_app.widgets.glossary import explained, meaning_of
from mlxc_app.widgets.message import MessageArea

LABEL: dict[str, Any] = {"description_width": "132px"}
# As plain values: a widget makes a layout of its own of them, which can be hidden alone.
WIDE = {"width": "100%"}
# Of three numbers in a row.
SHORT_LABEL: dict[str, Any] = {"description_width": "18px"}
SHORT = {"width": "72px"}
Names: TypeAlias = tuple[str, str, str]


def number(label: str, step: float, **properties: Any) -> FloatText:
    """A field for a number, its label in front."""
    words = {"tooltip": meaning_of(label)} | properties
    return FloatText(description=label, step=step, style=LABEL, layout=WIDE, **words)


class WholeNumber(FloatText):
    """A field for a whole number; what is not allowed is told, and does not stay.

    A field for integers drops what it cannot hold, so that 1e9 would silently become 19; this one does not.

    Attributes:
        limits: The smallest and the largest number; None where whoever takes the number says what is allowed.
    """

    def __init__(self, label: str, limits: tuple[int, int] | None = None, **properties: Any) -> None:
        """Make the field; it holds nothing before :meth:`connect`.

        Args:
            label: What the field is called where a number is not allowed.
            limits: See above.
            properties: Further properties of the widget.
        """
        super().__init__(**properties)
        self._label, self.limits = label, limits

    def connect(self, read: Callable[[], int], write: Callable[[int], None], messages: MessageArea) -> None:
        """Show a number, and hand over what a person enters.

        Args:
            read: The function that tells the number.
            write: The function that takes another one.
            messages: Where it is told that a number is not allowed.
        """

        def take(change: Any) -> None:
            if change["new"] == read():
                return
            try:
                number = self._checked(change["new"])
            except InputError:
                self.value = float(read())
                raise
            messages.clear()
            write(number)

        self.value = float(read())
        self.observe(messages.guard(take), "value")

    def _checked(self, value: float) -> int:
        low, high = self.limits or (-inf, inf)
        if not (isfinite(value) and value == int(value) and low <= value <= high):
            allowed = f" from {low} to {high}" if self.limits else ""
            raise InputError(f"{self._label}: {value:g} is not allowed: give a whole number{allowed}.")
        return int(value)


def whole_number(
    model: HasTraits, trait: str, messages: MessageArea, label: str, limits: tuple[int, int], **properties: Any
) -> WholeNumber:
    """A field for a whole number within limits, bound to a trait.

    Args:
        model: What has the trait.
        trait: The name of the trait.
        messages: Where it is told that a number is not allowed.
        label: What the field is called.
        limits: The smallest and the largest number.
        properties: Further properties of the widget.
    """
    low, high = limits
    field = WholeNumber(label, limits, description=label, **properties)
    field.tooltip = " ".join(filter(None, [properties.get("tooltip") or label, f"({low} to {high})"]))
    field.connect(lambda: int(getattr(model, trait)), lambda number: setattr(model, trait, number), messages)

    def show(change: Any) -> None:
        field.value = float(change["new"])

    model.observe(show, trait)
    return field


def three_numbers(label: str, names: Names, style: str) -> HBox:
    """Three small fields in a row, each with its own label; they are the children after the first."""
    return _row(label, [FloatText(description=name, style=SHORT_LABEL, layout=SHORT) for name in names], style)


def three_whole_numbers(
    label: str,
    names: Names,
    style: str,
    read: Callable[[], tuple[int, ...]],
    write: Callable[[tuple[int, ...]], None],
    messages: MessageArea,
) -> HBox:
    """Such fields for three whole numbers that belong together.

    Args:
        label: What the three are called.
        names: What each of them is called.
        style: The class of the row.
        read: The function that tells the three numbers.
        write: The function that takes three others, and says which are allowed.
        messages: Where it is told that a number is not allowed.
    """
    fields = [WholeNumber(label, description=name, style=SHORT_LABEL, layout=SHORT) for name in names]

    def connect(index: int, field: WholeNumber) -> None:
        def write_one(number: int) -> None:
            numbers = read()
            write((*numbers[:index], number, *numbers[index + 1 :]))

        field.connect(lambda: read()[index], write_one, messages)

    for index, field in enumerate(fields):
        connect(index, field)
    return _row(label, fields, style)


def _row(label: str, fields: list[Any], style: str) -> HBox:
    row = HBox([HTML(f'<div class="mlxc-label">{explained(label)}</div>'), *fields])
    row.add_class("mlxc-three")
    row.add_class(style)
    return row
