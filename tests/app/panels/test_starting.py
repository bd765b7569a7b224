"""What a panel's runs would cost is told before they start, and those that cannot start are not offered."""

from __future__ import annotations

from functools import partial

import psutil
import pytest
from ipywidgets import Button
from mlxc_app.choose.model import ChooseModel
from mlxc_app.panels.bands.model import BandsModel
from mlxc_app.panels.gradients.model import GradientModel
from mlxc_app.panels.moments.model import MomentsModel
from mlxc_app.panels.orders.model import OrdersModel
from mlxc_app.panels.starting import Start, StartingView
from mlxc_app.panels.sweep.model import SweepModel
from mlxc_app.run.model import RunModel

from mlxc.errors import InputError
from mlxc.tasks.cost import cost_of

PANELS = {"bands": BandsModel, "moments": MomentsModel, "orders": OrdersModel, "gradients": GradientModel}


@pytest.fixture
def choose() -> ChooseModel:
    choose = ChooseModel("ni")
    choose.choose_preset("quick look")
    choose.xc = "pbe-kappa-mu"
    return choose


@pytest.mark.parametrize("panel", PANELS)
def test_what_a_run_would_cost_stands_beside_its_button(panel: str, run: RunModel, choose: ChooseModel) -> None:
    model, button = PANELS[panel](run, choose), Button()
    view = StartingView(choose, [Start(button, model.task)], model)
    assert cost_of(model.task()).in_words() in view.widget.value
    assert not button.disabled
    before = view.widget.value
    choose.ecut_ha *= 2
    assert view.widget.value != before
    choose.ecut_ha = -1.0
    assert (button.disabled, view.widget.value) == (True, "")


def test_a_larger_plan_costs_more(run: RunModel, choose: ChooseModel) -> None:
    model = MomentsModel(run, choose)
    view = StartingView(choose, [Start(Button(), model.task)], model, ["points"])
    before = view.widget.value
    model.points = 60
    assert view.widget.value != before


def test_of_several_runs_only_those_are_offered_that_memory_can_hold(
    run: RunModel, choose: ChooseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose.take_shipped("mgo")
    model, buttons = SweepModel(run, choose), {name: Button() for name in ("cutoff", "functional")}
    starts = [Start(button, partial(model.task, name), name) for name, button in buttons.items()]
    view = StartingView(choose, starts, model)
    assert "To vary the cutoff takes about" in view.widget.value
    needed = max(cost_of(model.task("functional")).memory_gb, 0.01)
    free = psutil.virtual_memory()._replace(available=int(1.1e9 * needed))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    choose.tolerance *= 0.9
    assert [button.disabled for button in buttons.values()] == [True, False]
    assert "GB of memory, but" in view.widget.value
    assert "To vary the functional takes about" in view.widget.value


def test_what_a_server_does_not_allow_is_not_offered(
    run: RunModel, choose: ChooseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The finest of the cutoffs is half as high again as the one that is chosen, which is allowed."""
    monkeypatch.setenv("MLXC_MAX_ECUT", f"{1.1 * choose.ecut_ha}")
    model, button = SweepModel(run, choose), Button()
    view = StartingView(choose, [Start(button, partial(model.task, "cutoff"), "cutoff")], model)
    assert button.disabled
    assert "that this server allows" in view.widget.value
    with pytest.raises(InputError, match="that this server allows"):
        model.start("cutoff")


def test_a_crystal_without_magnetic_elements_is_offered_no_orders(run: RunModel) -> None:
    choose, button = ChooseModel("al"), Button()
    model = OrdersModel(run, choose)
    view = StartingView(choose, [Start(button, model.task)], model)
    assert button.disabled
    assert "has no element that is often magnetic" in view.widget.value
    choose.take_shipped("ni")
    assert not button.disabled
