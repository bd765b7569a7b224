"""How a person finds a panel, and which one is there while and after something is computed, without a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ipywidgets import HTML
from mlxc_app.page.dashboard import Dashboard
from mlxc_app.page.navigation import Navigation
from mlxc_app.panels.panel import CRYSTAL, GROUPS, LEARN, MODELS, RUNS, Panel
from stand_ins import IdleWorker

from mlxc.calculation.calculation import Calculation
from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc.tasks.kinds import KINDS


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dashboard:
    """A page whose worker computes nothing."""
    monkeypatch.setenv("MLXC_RUNS", str(tmp_path))
    return Dashboard(IdleWorker)


def end(page: Dashboard, state: str = "finished") -> None:
    folder = page.page.run.folder
    assert folder is not None
    folder.write_result({"iterations": 9, "free_energy_ha": -2.5, "seconds": {"total": 1.0}})
    folder.set_status(state)
    page.page.run.poll()


def test_every_panel_is_found_by_a_question() -> None:
    groups: dict[str, list[str]] = {}
    for panel in Dashboard(IdleWorker).panels:
        groups.setdefault(panel.group, []).append(panel.name)
    assert set(groups) == set(GROUPS)
    assert {"Convergence", "Density", "Equation of state", "Bands", "Moment", "Magnetic orders"} <= set(groups[CRYSTAL])
    assert {"Functional", "Gradients", "Compare", "Diagnose"} <= set(groups[MODELS])
    assert (groups[LEARN], groups[RUNS]) == (["Learn"], ["Runs"])


def test_groups_stand_in_one_order_and_one_of_another_package_is_last() -> None:
    panels = [Panel("own", "", HTML, group="Phonons"), Panel("B", "", HTML, group=MODELS), Panel("A", "", HTML)]
    navigation = Navigation(panels)
    assert list(navigation._buttons) == [CRYSTAL, MODELS, "Phonons"]


def test_one_button_of_all_groups_is_pressed() -> None:
    navigation = Navigation([Panel("A", "", HTML), Panel("B", "", HTML), Panel("C", "", HTML, group=MODELS)])
    crystal, models = navigation._buttons[CRYSTAL], navigation._buttons[MODELS]
    crystal.value = "B"
    assert (navigation.chosen, models.value) == ("B", None)
    models.value = "C"
    assert (navigation.chosen, crystal.value) == ("C", None)


def test_each_kind_of_run_is_watched_in_one_panel(page: Dashboard) -> None:
    watched = [kind for panel in page.panels for kind in panel.kinds]
    assert len(watched) == len(set(watched))
    assert {"scf", "eos", "bands", "moments", "orders", "gradient", "diagnosis"} <= set(watched) <= set(KINDS)


@pytest.mark.parametrize("state", ["finished", "not converged", "failed", "stopped"])
@pytest.mark.parametrize("start", ["Density", "Compare"])
def test_a_run_comes_back_to_the_panel_that_shows_it(
    page: Dashboard, aluminium: Calculation, start: str, state: str
) -> None:
    page.accordion.unfold(start)
    page.page.run.start(aluminium, "a run")
    assert page.accordion.unfolded == "Convergence"
    end(page, state)
    assert page.accordion.unfolded == start


@pytest.mark.parametrize("start", ["Convergence", "Bands", "Functional", "Learn", "Runs"])
def test_a_run_that_is_seen_in_another_panel_only_stays_there(
    page: Dashboard, aluminium: Calculation, start: str
) -> None:
    page.accordion.unfold(start)
    page.page.run.start(aluminium, "a run")
    end(page)
    assert page.accordion.unfolded == "Convergence"


def test_an_equation_of_state_is_looked_at_where_it_is(page: Dashboard, aluminium: Calculation) -> None:
    page.accordion.unfold("Density")
    page.page.run.start(EquationOfStateTask(calculation=aluminium), "a run")
    assert page.accordion.unfolded == "Equation of state"
    end(page, "stopped")
    assert page.accordion.unfolded == "Equation of state"


def test_who_has_gone_elsewhere_meanwhile_is_left_alone(page: Dashboard, aluminium: Calculation) -> None:
    page.accordion.unfold("Density")
    page.page.run.start(aluminium, "a run")
    page.accordion.unfold("Functional")
    end(page)
    assert page.accordion.unfolded == "Functional"


def test_a_run_whose_turn_comes_moves_nobody_and_says_where_it_is(page: Dashboard, aluminium: Calculation) -> None:
    run = page.page.run
    run.start(aluminium, "the first")
    run.start(EquationOfStateTask(calculation=aluminium), "the second")
    page.accordion.unfold("Functional")
    end(page)
    assert (run.title, page.accordion.unfolded) == ("the second", "Functional")
    told = page.page.messages.widget.value
    assert "Next in line: “the second” starts; see “Equation of state”." in told
    # What came of the first one is still there.
    assert "the first: converged" in told
    end(page, "stopped")
    assert page.accordion.unfolded == "Functional"
    run.start(aluminium, "the third")
    assert page.accordion.unfolded == "Convergence"
    assert "the first" not in page.page.messages.widget.value


@pytest.mark.parametrize(("panel", "unfolded"), [("Bands", "Bands"), ("", "Convergence"), ("<nothing>", "Convergence")])
@pytest.mark.parametrize("setup", ["", "damaged"])
def test_a_link_opens_the_panel_that_it_names(page: Dashboard, panel: str, unfolded: str, setup: str) -> None:
    page.presence._hear(None, {"visitor": "ada", "setup": setup, "panel": panel}, None)
    assert page.accordion.unfolded == unfolded
    assert page.presence.unfolded == unfolded
    assert bool(setup) == ("The link to a set-up is damaged" in page.page.messages.widget.value)


def test_who_moves_has_a_worker_ready(page: Dashboard) -> None:
    page.presence._hear(None, {"visitor": "ada"}, None)
    worker = page.page.run.warm_up()
    assert isinstance(worker, IdleWorker)
    worker.ready, worker.resting = False, True
    page.page.run.poll()
    assert page.page.run.worker_resting
    page.presence._hear(None, {"stirs": True}, None)
    page.page.run.poll()
    assert not page.page.run.worker_resting


def test_the_invitation_leads_to_the_tour_and_goes_when_there_is_something_to_say(page: Dashboard) -> None:
    bar: Any = page.widget.children[1]
    invitation = bar.children[1].children[0]
    assert invitation.description == "New here? “Learn”: six stops, ten minutes"
    invitation.click()
    assert page.accordion.unfolded == "Learn"
    page.page.messages.show("information", "news")
    assert invitation.layout.display == "none"
