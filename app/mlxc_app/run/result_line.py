"""The line below the buttons: what came of the last run, or went wrong, and what can be taken away of it.

It has one height, so that nothing below it moves when a run ends. A card that is longer than the line has all its words
at a press, and from the beginning if it is an error; what is below moves down then. A card stays until another one
takes its place, or a person puts it away.
"""

from __future__ import annotations

from typing import Any

from ipywidgets import Button, HBox, ToggleButton, Widget

from mlxc_app.widgets.choosing.escape import ESCAPES
from mlxc_app.widgets.message import MessageArea

MORE, LESS = "More", "Less"
# In a card that says what did not work, see mlxc_app.widgets.message.card.
ERROR = "mlxc-error"


class ResultLine:
    """Observes a :class:`MessageArea` and gives it its place.

    Attributes:
        widget: The line.
        invitation: The button that stands in the line as long as there is nothing to say.
    """

    def __init__(self, messages: MessageArea, take_away: Widget, invitation: str) -> None:
        self._cards = messages.widget
        self.invitation = Button(description=invitation)
        self.invitation.add_class("mlxc-invitation")
        self._more = ToggleButton(tooltip="All that there is to say")
        self._more.add_class("mlxc-more-words")
        self._more.add_class(ESCAPES)
        self._put_away = Button(description="×", tooltip="Put this message away")
        self._put_away.add_class("mlxc-put-away")
        self._put_away.on_click(lambda button: messages.forget_result())
        self.widget = HBox([self.invitation, self._cards, self._more, self._put_away, take_away])
        self.widget.add_class("mlxc-result")
        self._cards.observe(self._show, "value")
        self._more.observe(self._unfold, "value")
        self._show()
        self._unfold()

    def _show(self, change: Any = None) -> None:
        """Another card begins folded, unless it says what did not work: that is read in whole."""
        self._more.value = ERROR in self._cards.value
        self._more.layout.visibility = self._put_away.layout.visibility = "visible" if self._cards.value else "hidden"
        self.invitation.layout.display = "none" if self._cards.value else ""

    def _unfold(self, change: Any = None) -> None:
        self._more.description = LESS if self._more.value else MORE
        if self._more.value:
            self.widget.add_class("mlxc-open")
        else:
            self.widget.remove_class("mlxc-open")
