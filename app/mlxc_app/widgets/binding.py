"""Keep a widget's value and a model's trait equal, and let no mistake on the way pass unseen."""

from __future__ import annotations

from typing import Any

from ipywidgets import ValueWidget
from traitlets import HasTraits

from mlxc_app.widgets.message import MessageArea


def bind(model: HasTraits, trait: str, widget: ValueWidget, messages: MessageArea) -> None:
    """Show ``model.trait`` in ``widget``, and take over what a person enters there."""

    def show(change: Any = None) -> None:
        value = getattr(model, trait)
        if not same(widget.value, value):
            widget.value = value

    def take(change: Any) -> None:
        if not same(getattr(model, trait), change["new"]):
            setattr(model, trait, change["new"])

    show()
    widget.observe(messages.guard(take), "value")
    model.observe(show, trait)


def same(first: Any, second: Any) -> bool:
    """Whether two values are equal; two that are not a number are the same, or one would follow the other for ever."""
    return first == second or (first != first and second != second)
