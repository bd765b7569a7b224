"""The menu beside a result in which there are its files, its command, and a link to its set-up."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from mlxc_app.run.take_away_model import TakeAwayModel
from mlxc_app.widgets.message import MessageArea


class TakeAwayView(anywidget.AnyWidget):
    """Observes a :class:`TakeAwayModel`; files are made and sent when their buttons are pressed."""

    _esm = Path(__file__).with_name("take_away.js").read_text(encoding="utf-8")
    offer = traitlets.Dict().tag(sync=True)

    def __init__(self, model: TakeAwayModel, messages: MessageArea) -> None:
        super().__init__(offer=asdict(model.offer))
        self._model, self._messages = model, messages
        self.on_msg(messages.guard(self._send_file))
        model.observe(messages.guard(self._show), "offer")

    def _show(self, change: Any) -> None:
        self.offer = asdict(change["new"])

    def _send_file(self, widget: object, content: dict[str, Any], buffers: object) -> None:
        self._messages.clear()
        name, data = self._model.file(str(content.get("kind")))
        self.send({"name": name}, buffers=[data])
