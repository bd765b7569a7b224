"""Which panel is unfolded while a run is computed, and which one afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mlxc.runs.folder import ENDED
from mlxc_app.panels.panel import Panel
from mlxc_app.run.model import RunModel


class WatchedPanel:
    """Unfolds the panel at whose place a run is watched, and comes back to the one from which it was started.

    It comes back if that panel shows such runs once they have ended, and if nobody has gone to another one meanwhile.

    Args:
        run: The run.
        panels: All panels.
        unfolded: A function that says which panel is unfolded.
        unfold: A function that unfolds one.
    """

    def __init__(
        self, run: RunModel, panels: Sequence[Panel], unfolded: Callable[[], str], unfold: Callable[[str], None]
    ) -> None:
        self._run, self._panels = run, {panel.name: panel for panel in panels}
        self._unfolded, self._unfold = unfolded, unfold
        self._watched = self._left = ""

    def follow(self, change: Any) -> None:
        """Do what belongs to the new state of the run."""
        if change["new"] == "queued":
            self._watch()
        elif change["new"] in ENDED:
            self._come_back()

    def _watch(self) -> None:
        here, kind = self._unfolded(), self._run.kind
        there = next((panel.name for panel in self._panels.values() if kind in panel.kinds), here)
        if here != there:
            comes_back = here in self._panels and kind in self._panels[here].shows
            self._watched, self._left = there, here if comes_back else ""
            self._unfold(there)

    def _come_back(self) -> None:
        left, self._left = self._left, ""
        if left and self._unfolded() == self._watched:
            self._unfold(left)
