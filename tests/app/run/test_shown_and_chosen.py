"""The form says what is shown, or a line says that it does not; without a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from mlxc_app.choose.model import ChooseModel
from mlxc_app.panels.gradients.model import GradientModel
from mlxc_app.panels.moments.model import MomentsModel
from mlxc_app.panels.orders.model import OrdersModel
from mlxc_app.run.model import RunModel
from mlxc_app.run.shown_and_chosen import ShownAndChosen
from mlxc_app.run.shown_and_chosen_view import ShownAndChosenView
from mlxc_app.run.view import RunView
from mlxc_app.widgets.message import MessageArea

from mlxc.calculation.calculation import Calculation
from mlxc.crystal.crystal import Crystal
from mlxc.runs.folder import RunFolder
from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc.tasks.gradient.task import GradientTask
from mlxc.tasks.moments.task import MomentsTask


@pytest.fixture
def choose() -> ChooseModel:
    return ChooseModel("al")


@pytest.fixture
def line(run: RunModel, choose: ChooseModel) -> ShownAndChosen:
    return ShownAndChosen(run, choose)


def kept(task: Any, title: str = "a run") -> RunFolder:
    folder = RunFolder.create(task, title)
    folder.set_status("stopped")
    return folder


def test_before_a_run_nothing_is_shown_and_nothing_differs(line: ShownAndChosen, choose: ChooseModel) -> None:
    choose.take_shipped("si")
    assert line.sentence == ""


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda model: model.take_shipped("si"), "shown: Aluminium (fcc); chosen: Silicon (diamond structure)"),
        (lambda model: setattr(model, "xc", "lda"), "shown: pbe, cutoff 20 Ha; chosen: lda, cutoff 22 Ha"),
        (lambda model: setattr(model, "ecut_ha", 25.0), "shown: cutoff 20 Ha; chosen: cutoff 25 Ha"),
        (lambda model: setattr(model, "spin", True), "shown: spin-polarised off; chosen: spin-polarised on"),
        (
            lambda model: model.change(lattice_constant_ang=4.0),
            "shown: Aluminium (fcc); chosen: Aluminium (fcc), a = 4 Å, other volume of the cell: −3.63 %",
        ),
        (
            lambda model: setattr(model, "ecut_ha", -1.0),
            "shown: Aluminium (fcc); chosen: something that cannot be computed",
        ),
    ],
)
def test_where_the_form_differs_a_line_says_so(
    change: Callable[[ChooseModel], None], sentence: str, run: RunModel, line: ShownAndChosen, choose: ChooseModel
) -> None:
    run.start(choose.calculation(), choose.run_title())
    assert line.sentence == ""
    change(choose)
    assert line.sentence == sentence
    line.use_shown()
    assert line.sentence == ""
    assert choose.title == "Aluminium (fcc)"


@pytest.mark.parametrize("kind", ["scf", "eos", "moments", "orders", "gradient"])
def test_what_was_just_started_from_the_form_is_what_is_chosen(kind: str, run: RunModel) -> None:
    choose = ChooseModel("ni")
    choose.xc, choose.spin = "pbe-kappa-mu", kind not in ("moments", "orders")
    line = ShownAndChosen(run, choose)
    view = RunView(run, choose, MessageArea())
    starts: dict[str, Callable[[], None]] = {
        "scf": view._start.click,
        "eos": view._start_eos.click,
        "moments": MomentsModel(run, choose).start,
        "orders": OrdersModel(run, choose).start,
        "gradient": GradientModel(run, choose).start,
    }
    starts[kind]()
    assert (run.kind, line.sentence) == (kind, "")
    choose.ecut_ha += 1
    assert "cutoff" in line.sentence


TASKS = {
    "scf": lambda c: c,
    "eos": lambda c: EquationOfStateTask.from_dict({"calculation": c}),
    "moments": lambda c: MomentsTask.from_dict({"calculation": c}),
    "gradient": lambda c: GradientTask.from_dict({"calculation": c, "loss": "energy"}),
}


@pytest.mark.parametrize("kind", TASKS)
def test_a_run_that_is_opened_fills_the_form(
    kind: str, run: RunModel, line: ShownAndChosen, choose: ChooseModel
) -> None:
    settings = {"structure": "si", "xc": "pbe-kappa-mu", "ecut_ha": 7, "kmesh": (3, 3, 3)}
    task = Calculation.from_dict(settings) if kind == "scf" else TASKS[kind](settings)
    run.open(kept(task))
    assert (choose.shipped_name, choose.xc, choose.ecut_ha, choose.kmesh) == ("si", "pbe-kappa-mu", 7, (3, 3, 3))
    assert line.sentence == ""
    choose.take_shipped("al")
    run.open(run.folder or pytest.fail("no run is shown"))
    assert choose.shipped_name == "si"


def test_a_page_that_is_loaded_again_fills_the_form(run: RunModel, line: ShownAndChosen, choose: ChooseModel) -> None:
    wanted = Calculation.from_dict({"structure": "si", "ecut_ha": 7, "kmesh": (3, 3, 3)})
    RunFolder.create(wanted, "a run", owner="ada")
    run.belong_to("ada")
    assert (choose.shipped_name, choose.ecut_ha, line.sentence) == ("si", 7, "")


def test_a_run_that_waits_does_not_take_the_form_away(run: RunModel, choose: ChooseModel) -> None:
    line = ShownAndChosen(run, choose)
    for name in ("al", "si"):
        choose.take_shipped(name)
        run.start(choose.calculation(), choose.run_title())
    choose.take_shipped("mg")
    assert run.folder is not None
    run.folder.set_status("stopped")
    run.poll()
    assert run.title.startswith("Silicon")
    assert choose.shipped_name == "mg"
    assert line.sentence.startswith("shown: Silicon (diamond structure); chosen: Magnesium")


def test_what_the_page_does_not_offer_is_told_and_the_rest_is_filled_in(
    run: RunModel, line: ShownAndChosen, choose: ChooseModel
) -> None:
    run.open(kept(Calculation.from_dict({"structure": "si", "ecut_ha": 7, "seed": 3})))
    assert (choose.shipped_name, choose.ecut_ha) == ("si", 7)
    assert line.sentence == "shown: seed 3; chosen: seed 0"


def test_the_button_beside_the_line_fills_the_form_and_the_line_goes(
    run: RunModel, line: ShownAndChosen, choose: ChooseModel
) -> None:
    view: Any = ShownAndChosenView(line, MessageArea())
    words, button = view.widget.children
    assert view.widget.layout.visibility == "hidden"
    run.start(Calculation.from_dict({"structure": Crystal.load("al").scaled(1.01)}), "<b>larger</b>")
    choose.xc = "lda"
    assert view.widget.layout.visibility == "visible"
    assert "other volume" in words.value
    button.click()
    assert view.widget.layout.visibility == "hidden"
    assert choose.xc == "pbe"
