"""A WebGL canvas that does what it is told in the order in which it is told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import nglview


class NglCanvas(nglview.NGLWidget):
    """NGL's widget without perspective, and with one queue of messages to the browser.

    Components are addressed by their number, and a file counts only once the browser has loaded it. nglview therefore
    waits after each file; but it sends what was asked for before the canvas was there from a thread of its own, beside
    the one that sends what is asked for later. A crystal chosen while the first one is still loading would then be
    drawn into a component that is not there yet.

    Args:
        height: The height as CSS writes it; the canvas is as wide as what it stands in.
    """

    def __init__(self, height: str) -> None:
        super().__init__()
        self.layout.width, self.layout.height = "100%", height
        self.camera = "orthographic"
        self.stage.set_parameters(clip_dist=0)

    def fit(self) -> None:
        """Show all that is drawn, whatever the mouse has done to the picture before."""
        self._remote_call("autoView", target="Stage", args=[0])

    def _fire_callbacks(self, callbacks: Iterable[Any]) -> None:
        self._remote_call_thread.q.extend(callbacks)
