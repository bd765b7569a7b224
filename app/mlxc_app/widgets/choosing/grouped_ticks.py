"""A list of which any number of entries is ticked, in groups with headings."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from mlxc_app.widgets.choosing.grouped_choice import Group


class GroupedTicks(anywidget.AnyWidget):
    """The list.

    Attributes:
        description: What screen readers say of it.
        groups: A heading and the entries of each group, see :data:`~mlxc_app.widgets.choosing.grouped_choice.Group`.
        remembered_as: The name under which the browser keeps the ticks until its tab is closed; empty if it keeps none.
        ticked: The names of the ticked entries. A browser may send any: ask :attr:`listed` for those in a group.
    """

    _esm = Path(__file__).with_name("grouped_ticks.js").read_text(encoding="utf-8")
    description = traitlets.Unicode().tag(sync=True)
    remembered_as = traitlets.Unicode().tag(sync=True)
    groups: traitlets.List[Any] = traitlets.List().tag(sync=True)
    ticked: traitlets.List[Any] = traitlets.List().tag(sync=True)

    def show(self, groups: Iterable[Group], ticked: Iterable[str]) -> None:
        """List the groups, with some entries ticked."""
        with self.hold_sync():
            self.groups = [[heading, [list(entry) for entry in entries]] for heading, entries in groups]
            self.ticked = list(ticked)

    @property
    def listed(self) -> list[str]:
        """The names of the ticked entries that are in a group."""
        names = {name for _, entries in self.groups for _, name in entries}
        return [name for name in self.ticked if name in names]
