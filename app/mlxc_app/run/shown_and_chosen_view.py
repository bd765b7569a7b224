"""A grey line where the form says something else than what is shown, and a button that fills the form."""

from __future__ import annotations

from html import escape
from typing import Any

from ipywidgets import HTML, Button, HBox

from mlxc_app.run.shown_and_chosen import ShownAndChosen
from mlxc_app.widgets.message import MessageArea

USE = "Use these settings"


class ShownAndChosenView:
    """Observes a :class:`ShownAndChosen`.

    Attributes:
        widget: The line; there is nothing of it where form and run agree.
    """

    def __init__(self, model: ShownAndChosen, messages: MessageArea) -> None:
        self._model = model
        self._words = HTML()
        use = Button(description=USE, tooltip="Fill the form as it was for the run that is shown")
        self.widget = HBox([self._words, use])
        self.widget.add_class("mlxc-shown-and-chosen")
        use.on_click(messages.guard(lambda button: model.use_shown()))
        model.observe(self._show, "sentence")
        self._show()

    def _show(self, change: Any = None) -> None:
        sentence = escape(self._model.sentence)
        self._words.value = f'<div title="{sentence}">{sentence}</div>'
        self.widget.layout.visibility = "visible" if sentence else "hidden"
