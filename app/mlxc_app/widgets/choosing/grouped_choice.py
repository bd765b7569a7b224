"""A list of which one entry is chosen, in groups with headings."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

import anywidget
import traitlets

# What an entry is called on the page, and by what name it is chosen.
Entry: TypeAlias = tuple[str, str]
Group: TypeAlias = tuple[str, list[Entry]]


class GroupedChoice(anywidget.AnyWidget):
    """The list; the groups and the chosen name can be set one after the other without anything else being chosen.

    Attributes:
        description: The label.
        groups: A heading and the entries of each group, see :data:`Group`.
        value: The name of the chosen entry. A browser may send any: ask :attr:`listed` for one that is in a group.
        rows: The number of lines that are seen at once.
    """

    _esm = Path(__file__).with_name("grouped_choice.js").read_text(encoding="utf-8")
    description = traitlets.Unicode().tag(sync=True)
    groups: traitlets.List[Any] = traitlets.List().tag(sync=True)
    value = traitlets.Unicode().tag(sync=True)
    rows = traitlets.Int(5).tag(sync=True)

    def show(self, groups: Iterable[Group], value: str) -> None:
        """List the groups that are not empty, and mark one entry."""
        with self.hold_sync():
            self.groups = [[heading, [list(entry) for entry in entries]] for heading, entries in groups if entries]
            self.value = value

    @property
    def listed(self) -> str:
        """The name of the chosen entry if it is in a group, else an empty text."""
        return self.value if self.value in [name for _, name in self.entries] else ""

    @property
    def entries(self) -> list[Entry]:
        """The entries of all groups, in their order."""
        return [(label, name) for _, entries in self.groups for label, name in entries]
