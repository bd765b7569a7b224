"""The guided tour: six stops, each with something to try."""

from __future__ import annotations

from html import escape

from ipywidgets import HTML, Button, VBox

from mlxc_app.choose.model import ChooseModel
from mlxc_app.panels.learn.stops import STOPS, SetUp, Stop
from mlxc_app.panels.panel import Page, Panel

ABOUT = (
    "A tour of this page in six stops. “Try it” fills the form on the left and unfolds the panel that belongs to the "
    "stop; what to press then is said above. Come back with the button Learn."
)


def learn_panel(page: Page) -> Panel:
    """The guided tour."""
    return Panel("Learn", f"<p>{ABOUT}</p>", lambda: LearnView(page).widget)


class LearnView:
    """All stops, one below the other."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.widget = VBox([self._stop(number, stop) for number, stop in enumerate(STOPS, start=1)])
        self.widget.add_class("mlxc-learn")

    def _stop(self, number: int, stop: Stop) -> VBox:
        button = Button(description="Try it", tooltip=f"{stop.title}: fill the form for this stop")
        button.on_click(self._page.messages.guard(lambda button: try_stop(stop, self._page)))
        return VBox([HTML(stop_html(number, stop)), button])


def try_stop(stop: Stop, page: Page) -> None:
    """Fill the form, unfold the stop's panel, and say what to press."""
    fill(page.choose, stop.set_up)
    if stop.panel:
        page.unfold(stop.panel)
    page.messages.show("information", stop.then)


def fill(choose: ChooseModel, set_up: SetUp) -> None:
    """Choose what a stop is about."""
    choose.take_shipped(set_up.crystal)
    choose.xc = set_up.xc
    choose.ecut_ha = set_up.ecut_ha
    # A sheet needs no points across its vacuum.
    choose.kmesh = tuple(min(n, set_up.mesh) for n in choose.kmesh)


def stop_html(number: int, stop: Stop) -> str:
    """The text of a stop, its formulas, and what to look for."""
    formulas = "".join(f"<p>{words}</p>{formula}" for words, formula in stop.formulas)
    return (
        f"<h3>{number}. {escape(stop.title)}</h3><p>{stop.text}</p>{formulas}"
        f"<p><strong>Look for:</strong> {stop.look_for}</p>"
    )
