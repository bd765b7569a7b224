"""The bar of the page, without a browser: what would be computed, and what came of the last run."""

from __future__ import annotations

import pytest
from ipywidgets import HTML
from mlxc_app.choose.model import ChooseModel
from mlxc_app.choose.summary_view import SummaryView, summary_html
from mlxc_app.run.model import RunModel
from mlxc_app.run.queue_view import QueueView
from mlxc_app.run.result_line import ResultLine
from mlxc_app.run.view import RunView
from mlxc_app.widgets.message import MessageArea

from mlxc.calculation.calculation import Calculation
from mlxc.runs.kept import kept_runs


def test_what_would_be_computed_stands_beside_the_buttons() -> None:
    choose = ChooseModel("al")
    view = SummaryView(choose)
    choose.xc, choose.ecut_ha, choose.kmesh, choose.spin = "lda", 11.0, (3, 3, 2), True
    for words in ("Aluminium", "lda", "11 Ha", "3×3×2", "spin", "equation of state about", "memory"):
        assert words in view.widget.value
    choose.take_shipped("si")
    assert "Aluminium" not in view.widget.value


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("ecut_ha", -5.0, "Cutoff"),
        ("kmesh", (0, 1, 1), "k mesh"),
        ("tolerance", 0.0, "Tolerance"),
        ("xc", "<b>", "<b>"),
    ],
)
def test_an_obstacle_takes_the_place_of_the_estimate(setting: str, value: object, words: str) -> None:
    choose = ChooseModel("al")
    setattr(choose, setting, value)
    html = summary_html(choose)
    assert "Run is not possible" in html
    assert choose.blocker
    assert "memory" not in html
    assert "<b>" not in html
    assert words.lower().replace("<", "&lt;").replace(">", "&gt;") in html.lower()


def test_the_line_says_more_on_demand_and_errors_are_read_in_whole() -> None:
    messages = MessageArea()
    line = ResultLine(messages, HTML(), "New here?")
    more = line.widget.children[2]
    assert line.invitation.layout.display != "none"
    assert more.layout.visibility == "hidden"
    messages.show("success", "done")
    assert (more.layout.visibility, more.description) == ("visible", "More")
    more.value = True
    assert more.description == "Less"
    assert "mlxc-open" in line.widget._dom_classes
    messages.show("success", "done again")
    assert "mlxc-open" not in line.widget._dom_classes
    messages.show("error", "wrong")
    assert "mlxc-open" in line.widget._dom_classes
    assert line.invitation.layout.display == "none"
    # The line is never an empty row.
    messages.clear()
    assert line.invitation.layout.display != "none"


def test_the_runs_that_wait_are_a_button_that_opens_their_list(run: RunModel, aluminium: Calculation) -> None:
    view = QueueView(run, MessageArea())
    run.start(aluminium, "first")
    assert view.widget.children == ()
    for number in range(6):
        run.start(aluminium, f"another {number}")
    (button,) = view.widget.children
    assert button.description == "6 waiting"
    button.value = True
    rows = view.widget.children[1].children
    assert "another 0" in rows[0].children[0].value
    assert "and 2 more" in rows[-2].value
    rows[0].children[1].click()
    run.poll()
    assert button.description == "5 waiting"
    view.widget.children[1].children[-1].click()
    assert view.widget.children == ()
    assert run.computing


def test_after_a_stop_the_line_can_be_emptied_with_one_click(run: RunModel, aluminium: Calculation) -> None:
    messages = MessageArea()
    view = RunView(run, ChooseModel("al"), messages)
    queue = QueueView(run, messages)
    for title in ("first", "second", "third"):
        run.start(aluminium, title)
    stop = view.widget.children[2]
    stop.click()
    assert "Stopped; next in line: “second” starts." in messages.widget.value
    run.poll()
    assert (run.title, run.by_itself) == ("second", True)
    # What came of the first one is still to be read.
    assert "(first)" in messages.widget.value
    empty, button = queue.widget.children
    assert button.description == "1 waiting"
    empty.click()
    assert queue.widget.children == ()
    assert "The line is empty" in messages.widget.value
    run.poll()
    assert not run.computing


def test_two_clicks_on_run_are_one_run(run: RunModel) -> None:
    messages = MessageArea()
    view = RunView(run, ChooseModel("al"), messages)
    start, start_eos = view.widget.children[:2]
    start.click()
    start.click()
    assert (run.waiting, len(kept_runs())) == ((), 1)
    assert "is in line already: it is not computed twice." in messages.widget.value
    start_eos.click()
    start_eos.click()
    assert len(run.waiting) == 1
    assert len(kept_runs()) == 2


def test_a_card_stays_until_a_person_puts_it_away() -> None:
    messages = MessageArea()
    line = ResultLine(messages, HTML(), "New here?")
    put_away = line.widget.children[3]
    assert put_away.layout.visibility == "hidden"
    messages.show_result("success", "converged")
    messages.announce("Next in line: “another” starts.")
    assert messages.widget.value.index("Next in line") < messages.widget.value.index("converged")
    messages.clear()
    assert "converged" in messages.widget.value
    put_away.click()
    messages.clear()
    assert (messages.widget.value, put_away.layout.visibility) == ("", "hidden")
