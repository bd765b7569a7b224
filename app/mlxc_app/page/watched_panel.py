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
    A run that begins because its turn has come moves nobody: it is told what has begun, and where it is to be seen.

    Args:
        run: The run.
        panels: All panels.
        unfolded: A function that says which panel is unfolded.
        unfold: A function that unfolds one.
        announce: A function that tells a person a sentence.
    """

    def __init__(
        self,
        run: RunModel,
        panels: Sequence[Panel],
        unfolded: Callable[[], str],
        unfold: Callable[[str], None],
        announce: Callable[[str], None],
    ) -> None:
        self._run, self._panels = run, {panel.name: panel for panel in panels}
        self._unfolded, self._unfold, self._announce = unfolded, unfold, announce
        self._watched = self._left = ""

    def follow(self, change: Any) -> None:
        """Do what belongs to the new state of the run."""
        if change["new"] == "queued" and self._run.by_itself:
            self._announce(self._begun_in_words())
        elif change["new"] == "queued":
            self._watch()
        elif change["new"] in ENDED:
            self._come_back()

    def _watch(self) -> None:
        here, kind = self._unfolded(), self._run.kind
        there = self._place(here)
        if here != there:
            comes_back = here in self._panels and kind in self._panels[here].shows
            self._watched, self._left = there, here if comes_back else ""
            self._unfold(there)

    def _place(self, otherwise: str) -> str:
        """The name of the panel at whose place the run is watched."""
        return next((panel.name for panel in self._panels.values() if self._run.kind in panel.kinds), otherwise)

    def _begun_in_words(self) -> str:
        there = self._place("")
        seen = f"; see “{there}”" if there not in ("", self._unfolded()) else ""
        return f"Next in line: “{self._run.title}” starts{seen}."

    def _come_back(self) -> None:
        left, self._left = self._left, ""
        if left and self._unfolded() == self._watched:
            self._unfold(left)
