"""Keep a widget's value and a model's trait equal, and let no mistake on the way pass unseen."""

from __future__ import annotations

from ipywidgets import ValueWidget
from traitlets import HasTraits

from mlxc_app.message import MessageArea


def bind(model: HasTraits, trait: str, widget: ValueWidget, messages: MessageArea) -> None:
    """Show ``model.trait`` in ``widget``, and take over what a person enters there."""
    widget.value = getattr(model, trait)
    widget.observe(messages.guard(lambda change: setattr(model, trait, change["new"])), "value")
    model.observe(lambda change: setattr(widget, "value", change["new"]), trait)
