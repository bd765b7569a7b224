"""The buttons that have another code compute the same as the first of the compared runs."""

from __future__ import annotations

from functools import partial
from html import escape
from pathlib import Path
from typing import Any

from ipywidgets import HTML, Button, HBox

from mlxc.errors import InputError
from mlxc.runs.folder import RunFolder
from mlxc_app.panels.compare.model import CompareModel
from mlxc_app.widgets.message import MessageArea


class LiveView:
    """Observes a :class:`LiveModel`."""

    def __init__(self, model: CompareModel, messages: MessageArea) -> None:
        self._model, self._live = model, model.live
        self._buttons = []
        for code, label in self._live.codes().items():
            button = Button(description=f"Run the same in {label}", tooltip=f"Compute run A in {label} as well")
            button.on_click(messages.guard(partial(self._start, code)))
            self._buttons.append(button)
        self._stop = Button(description="Stop the other code", button_style="danger")
        self._stop.on_click(messages.guard(lambda button: self._live.stop()))
        self._words = HTML()
        self.widget: Any = HBox([*self._buttons, self._stop, self._words])
        self.widget.add_class("mlxc-live")
        self._live.observe(messages.guard(self._show), ["running", "words"])
        model.observe(messages.guard(self._show), "chosen")
        self._show()

    def _start(self, code: str, button: Button) -> None:
        if not self._model.chosen:
            raise InputError("Choose a run first.")
        self._live.start(code, RunFolder(Path(self._model.chosen[0])))

    def _show(self, change: Any = None) -> None:
        for button in self._buttons:
            button.disabled = self._live.running or not self._model.chosen
        self._stop.layout.display = "" if self._live.running else "none"
        self._words.value = f'<span class="mlxc-muted" role="status">{escape(self._live.words)}</span>'
