"""A button by which a person brings a file to the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from mlxc.errors import InputError
from mlxc_app.widgets.message import MessageArea

MIB = 1024**2


class Upload(anywidget.AnyWidget):
    """The button.

    Args:
        description: What it says.
        tooltip: Which files it takes.
        accept: The suffix that is asked for; empty for any.
        largest_bytes: The size up to which a file is sent.
        take: A function that is called with the name and the content of a file. What it raises is told on the page.
        messages: Where that is told; what was told before goes away.
    """

    _esm = Path(__file__).with_name("upload.js").read_text(encoding="utf-8")
    description = traitlets.Unicode().tag(sync=True)
    tooltip = traitlets.Unicode().tag(sync=True)
    accept = traitlets.Unicode().tag(sync=True)
    largest_bytes = traitlets.Int().tag(sync=True)

    def __init__(
        self,
        description: str,
        tooltip: str,
        accept: str,
        largest_bytes: int,
        take: Callable[[str, bytes], None],
        messages: MessageArea,
    ) -> None:
        super().__init__(description=description, tooltip=tooltip, accept=accept, largest_bytes=largest_bytes)
        self._take, self._messages = take, messages
        self.on_msg(messages.guard(self._receive))

    def _receive(self, widget: object, content: dict[str, Any], buffers: Sequence[Any]) -> None:
        self._messages.clear()
        name = str(content["name"])
        if not buffers:
            largest = self.largest_bytes // MIB
            raise InputError(f"{name}: the file is larger than {largest} MB, too large for this page.")
        self._take(name, bytes(buffers[0]))
