"""The cards of the choices: each says in one line what is chosen, and opens to change it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from ipywidgets import HTML, HBox, ToggleButton, VBox, Widget
from traitlets import HasTraits, Unicode

from mlxc_app.widgets.message import MessageArea

CRYSTAL, MODEL, HOW_FINE = "Crystal", "Model", "How fine"
CHANGE, CLOSE = "Change", "Close"


class Cards(HasTraits):
    """Which card is open; at most one is, so that all of them fit the window.

    Attributes:
        opened: The title of the open card; empty if all are closed.
    """

    opened = Unicode()


class Card:
    """One card.

    Args:
        title: What is chosen in it.
        cards: Which card is open.
        always: What is seen of it whether it is open or not.
        make: A function that makes what is seen when it is open; it is called when it opens for the first time.
        messages: Where mistakes are told.
        below: What is seen of it below that, so that it moves no field when it comes or goes.

    Attributes:
        widget: The card.
    """

    def __init__(
        self,
        title: str,
        cards: Cards,
        always: Sequence[Widget],
        make: Callable[[], Sequence[Widget]],
        messages: MessageArea,
        below: Sequence[Widget] = (),
    ) -> None:
        self._title, self._cards, self._make = title, cards, make
        self._line = HTML()
        self._line.add_class("mlxc-choice-line")
        self._change = ToggleButton()
        self._change.add_class("mlxc-change")
        head = HBox([HTML(f'<span class="mlxc-choice-title">{escape(title)}</span>'), self._line, self._change])
        head.add_class("mlxc-choice-head")
        self._content = VBox()
        self._content.add_class("mlxc-choice-content")
        self.widget = VBox([head, *always, self._content, *below])
        self.widget.add_class("mlxc-choice")
        self.widget.add_class(f"mlxc-choice-{title.lower().replace(' ', '-')}")
        self._change.observe(messages.guard(self._pressed), "value")
        cards.observe(messages.guard(self._show), "opened")
        self._show()

    def tell(self, what: str, more: str = "") -> None:
        """Say in one line what is chosen; what does not fit is read by pointing at it.

        Args:
            what: What it is called.
            more: What it is.
        """
        words = f"{what}: {more}" if more else what
        self._line.value = (
            f'<div title="{escape(words)}"><strong>{escape(what)}</strong>'
            f'{" " if more else ""}<span class="mlxc-muted">{escape(more)}</span></div>'
        )

    def _pressed(self, change: Any) -> None:
        if change["new"]:
            self._cards.opened = self._title
        elif self._cards.opened == self._title:
            self._cards.opened = ""

    def _show(self, change: Any = None) -> None:
        opened = self._cards.opened == self._title
        if opened and not self._content.children:
            self._content.children = list(self._make())
        self._change.value = opened
        self._change.description = CLOSE if opened else CHANGE
        self._change.tooltip = f"{self._change.description}: {self._title}"
        self._content.layout.display = "" if opened else "none"
        (self.widget.add_class if opened else self.widget.remove_class)("mlxc-opened")
