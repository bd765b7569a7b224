"""The panel of sweeps, without a browser."""

from __future__ import annotations

from typing import Any

import pytest
from mlxc_app.choose.model import ChooseModel
from mlxc_app.panels.sweep.model import SweepModel
from mlxc_app.panels.sweep.view import SweepView, traces
from mlxc_app.run.model import RunModel
from mlxc_app.widgets.message import MessageArea

from mlxc.errors import InputError
from mlxc.tasks.sweep.result import SweepPoint
from mlxc.tasks.sweep.task import SweepTask

ENERGIES = {"15": -2.0, "20": -2.1, "25": -2.10001}


def points(sizes: bool = False) -> list[dict[str, Any]]:
    found = (4.05, 2.5) if sizes else (None, None)
    return [
        SweepPoint(value, f"{value} Ha", energy, *found, None, 9, True, "", 1.0).to_dict()
        for value, energy in ENERGIES.items()
    ]


def result(**changes: Any) -> dict[str, Any]:
    told = {
        "vary": "cutoff", "points": points(True), "energy_tolerance_mev": 1.0, "size_tolerance_percent": 0.1,
        "energy_converged_from": "20", "size_converged_from": "15",
    }  # fmt: skip
    return told | changes


def started(run: RunModel, choose: ChooseModel, vary: str = "cutoff") -> SweepModel:
    model = SweepModel(run, choose)
    model.start(vary)
    return model


@pytest.mark.parametrize("vary", ["cutoff", "kmesh", "functional"])
def test_one_click_starts_a_sweep_of_what_is_chosen(run: RunModel, vary: str) -> None:
    choose = ChooseModel("al")
    started(run, choose, vary)
    assert isinstance(run.task, SweepTask)
    assert run.task.vary == vary
    assert run.task.calculation.kmesh == choose.kmesh
    # Energies of different functionals cannot be compared, lattice constants can.
    assert run.task.lattice_constant == (vary == "functional")
    assert run.title.endswith("varied")


def test_what_would_be_computed_is_told_before_and_after(run: RunModel) -> None:
    choose = ChooseModel("al")
    model = SweepModel(run, choose)
    assert model.plans()["cutoff"].startswith("Cutoff: 10 Ha, ")
    assert model.plans()["cutoff"].endswith("; the volume as chosen.")
    model.lattice_constant = True
    assert "each at 5 volumes from 94 % to 106 % of the chosen volume" in model.plans()["kmesh"]
    model.start("cutoff")
    assert model.picture.settings == model.plans()["cutoff"]
    choose.ecut_ha = -1.0
    assert model.plans() == {}


def test_without_equations_of_state_there_is_one_plot(run: RunModel) -> None:
    choose = ChooseModel("al")
    view = SweepView(SweepModel(run, choose), choose, MessageArea())
    assert view.figure.layout.xaxis2.visible
    view._model.start("cutoff")
    assert not view.figure.layout.xaxis2.visible
    assert tuple(view.figure.layout.xaxis.domain) == (0, 1)


def test_values_appear_one_by_one(run: RunModel) -> None:
    model = started(run, ChooseModel("al"))
    run.records = tuple({"kind": "value", "index": n, "values": 7, **point} for n, point in enumerate(points()))
    assert model.picture.words.startswith("3 of 7 values")
    assert model.picture.energies[-1] == 0
    energy, tolerable, sizes, mark, _ = traces(model.picture)
    assert list(energy.x) == [15.0, 20.0]
    assert energy.y[0] == pytest.approx(100.01 * 27.2114, rel=1e-4)
    assert (tolerable.visible, sizes.visible, mark.visible) == (True, False, False)


def test_the_converged_values_are_marked_and_taken(run: RunModel) -> None:
    choose = ChooseModel("al")
    model = started(run, choose)
    view = SweepView(model, choose, MessageArea())
    run.records = tuple({"kind": "value", **point} for point in points(True))
    run.result = result()
    assert "converged to 1 meV per atom from 20 Ha on" in model.picture.words
    assert "converged to 0.1 % from 15 Ha on" in model.picture.words
    *_, energy, size = traces(model.picture)
    assert (list(energy.x), list(size.x)) == ([20.0], [15.0])
    takes = view.widget.children[2].children
    assert [button.description for button in takes] == ["Take 20 Ha (energy)", "Take 15 Ha (lattice constant)"]
    choose.take_shipped("si")
    takes[1].click()
    assert (choose.shipped_name, choose.ecut_ha) == ("al", 15.0)


def test_another_sweep_takes_the_place_of_the_one_before(run: RunModel) -> None:
    choose = ChooseModel("al")
    model = started(run, choose)
    first = run.folder
    assert first is not None
    run.records = tuple({"kind": "value", **point} for point in points(True))
    run.result = result()
    first.set_status("finished")
    run.poll()
    model.start("kmesh")
    assert (model.picture.varied.name, model.picture.points, model.picture.converged) == ("kmesh", (), ())


def test_without_a_sweep_there_is_nothing_to_take(run: RunModel) -> None:
    model = SweepModel(run, ChooseModel("al"))
    assert model.picture.title == ""
    with pytest.raises(InputError, match="no sweep"):
        model.take(None)  # type: ignore[arg-type]
