"""Controls that look alike wherever a person chooses something."""

from __future__ import annotations

from math import isfinite
from typing import Any

from ipywidgets import HTML, FloatText, HBox, IntText
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


def number(label: str, step: float, **properties: Any) -> FloatText:
    """A field for a number, its label in front."""
    words = {"tooltip": meaning_of(label)} | properties
    return FloatText(description=label, step=step, style=LABEL, layout=WIDE, **words)


def whole_number(
    model: HasTraits, trait: str, messages: MessageArea, label: str, limits: tuple[int, int], **properties: Any
) -> FloatText:
    """A field for a whole number within limits, bound to a trait; what is not allowed is told, and does not stay.

    A field for integers drops what it cannot hold, so that 1e9 would silently become 19; this one does not.

    Args:
        model: What has the trait.
        trait: The name of the trait.
        messages: Where it is told.
        label: What the field is called.
        limits: The smallest and the largest number.
        properties: Further properties of the widget.
    """
    low, high = limits
    field = FloatText(description=label, **properties)
    field.tooltip = " ".join(filter(None, [properties.get("tooltip") or label, f"({low} to {high})"]))

    def show(change: Any = None) -> None:
        field.value = float(getattr(model, trait))

    def take(change: Any) -> None:
        value = change["new"]
        if value == getattr(model, trait):
            return
        if not (isfinite(value) and value == int(value) and low <= value <= high):
            show()
            raise InputError(f"{label}: {value:g} is not allowed: give a whole number from {low} to {high}.")
        messages.clear()
        setattr(model, trait, int(value))

    show()
    field.observe(messages.guard(take), "value")
    model.observe(show, trait)
    return field


def three_numbers(label: str, names: tuple[str, str, str], kind: type[IntText | FloatText], style: str) -> HBox:
    """Three small fields in a row, each with its own label; they are the children after the first."""
    fields = [kind(description=name, style=SHORT_LABEL, layout=SHORT) for name in names]
    row = HBox([HTML(f'<div class="mlxc-label">{explained(label)}</div>'), *fields])
    row.add_class("mlxc-three")
    row.add_class(style)
    return row
