"""The guided tour: six stops, each with something to try, one at a time."""

from __future__ import annotations

from html import escape
from typing import Any

from ipywidgets import HTML, Button, HBox, VBox

from mlxc_app.choose.model import ChooseModel
from mlxc_app.panels.learn.stops import STOPS, SetUp, Stop
from mlxc_app.panels.panel import LEARN, Page, Panel, style_class

ABOUT = (
    "A tour of this page in six stops. “Try it” fills the form, unfolds the panel that belongs to the stop and marks "
    "what to press. The button Learn brings you back here, to the same stop."
)
# Of a stop that belongs to no panel.
CHOICES = ".mlxc-left"
# Behind the last stop: the panel, and the words of the button that leads there.
BEHIND, GO_ON = "Train", "Done. Go on: train a functional"


def learn_panel(page: Page) -> Panel:
    """The guided tour."""
    return Panel(LEARN, f"<p>{ABOUT}</p>", lambda: LearnView(page).widget, group=LEARN)


class LearnView:
    """One stop, and the way to the ones before and after it."""

    def __init__(self, page: Page) -> None:
        self._page, self._number = page, 1
        self._text = HTML()
        self._back, self._next = Button(description="Back"), Button(description="Next")
        self._try = Button(description="Try it", button_style="primary")
        row = HBox([self._back, self._try, self._next])
        row.add_class("mlxc-panel-row")
        self.widget = VBox([self._text, row])
        self.widget.add_class("mlxc-learn")
        self._back.on_click(page.messages.guard(lambda button: self._go(self._number - 1)))
        self._next.on_click(page.messages.guard(self._go_on))
        self._try.on_click(page.messages.guard(self._try_it))
        self._go(1)

    def _go(self, number: int) -> None:
        self._number = number
        stop = STOPS[number - 1]
        self._text.value = f'<p class="mlxc-muted">Stop {number} of {len(STOPS)}</p>{stop_html(number, stop)}'
        self._back.disabled = number == 1
        self._next.description = "Next" if number < len(STOPS) else GO_ON
        self._try.tooltip = f"{stop.title}: fill the form for this stop"

    def _go_on(self, button: Any) -> None:
        """To the next stop, or from the last one to what comes behind the tour."""
        if self._number < len(STOPS):
            self._go(self._number + 1)
        else:
            self._page.unfold(BEHIND)

    def _try_it(self, button: Any) -> None:
        try_stop(STOPS[self._number - 1], self._page)


def try_stop(stop: Stop, page: Page) -> None:
    """Fill the form, unfold the stop's panel, say what to press, and mark it.

    A card that an earlier stop has opened is closed, since it hides the picture of the crystal.
    """
    fill(page.choose, stop.set_up)
    if stop.panel:
        page.unfold(stop.panel)
    page.cards.opened = stop.card
    page.messages.show("information", stop.then)
    page.pointer.point(f".{style_class(stop.panel)}" if stop.panel else CHOICES, stop.press)


def fill(choose: ChooseModel, set_up: SetUp) -> None:
    """Choose what a stop is about."""
    choose.take_shipped(set_up.crystal)
    choose.xc = set_up.xc
    choose.choose_preset(set_up.preset)


def stop_html(number: int, stop: Stop) -> str:
    """The text of a stop, its formulas, and what to look for."""
    formulas = "".join(f"<p>{words}</p>{formula}" for words, formula in stop.formulas)
    return (
        f"<h3>{number}. {escape(stop.title)}</h3><p>{stop.text}</p>{formulas}"
        f"<p><strong>Look for:</strong> {stop.look_for}</p>"
    )
