"""Which runs a person wants to see side by side."""

from __future__ import annotations

from traitlets import HasTraits, Tuple


class SideBySide(HasTraits):
    """What the list of runs asks of the comparison.

    Attributes:
        folders: The folders of the runs that were asked for last, as text.
    """

    folders = Tuple()

    def ask(self, folders: tuple[str, ...]) -> None:
        """Ask for these runs, even if they are those that were asked for before."""
        self.folders = ()
        self.folders = folders
