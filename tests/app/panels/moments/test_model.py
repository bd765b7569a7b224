"""The panel of the energy against the moment, without a browser."""

from __future__ import annotations

import re
from typing import Any

import pytest
from mlxc_app.choose.model import ChooseModel
from mlxc_app.panels.moments.model import MomentsModel, MomentsPicture
from mlxc_app.panels.moments.view import MomentsView, traces
from mlxc_app.run.model import RunModel
from mlxc_app.widgets.message import MessageArea

from mlxc.errors import InputError
from mlxc.tasks.moments.task import MomentsTask
from mlxc.units import HARTREE_EV


def record(index: int, moment: float, energy: float, slope: float, branch: str = "up") -> dict[str, Any]:
    return {
        "kind": "moment",
        "index": index,
        "points": 5,
        "moment": moment,
        "free_energy_ha": energy,
        "energies_ha": {"xc": -10.0},
        "polarisation_energy_ha": -0.1 * moment**2,
        "iterations": 9,
        "converged": True,
        "fermi_level_up_ha": slope,
        "fermi_level_down_ha": -slope,
        "branch": branch,
    }


def landau(index: int, moment: float, branch: str = "up", shift: float = 0.0) -> dict[str, Any]:
    """A ferromagnet whose energy has its minimum, of -0.04 Ha, at two Bohr magnetons."""
    energy = -0.02 * moment**2 + 0.0025 * moment**4 + shift
    return record(index, moment, energy, -0.04 * moment + 0.01 * moment**3, branch)


def started(run: RunModel, name: str = "ni") -> MomentsModel:
    model = MomentsModel(run, ChooseModel(name))
    model.start()
    return model


def test_the_moments_that_suit_a_crystal_are_proposed_and_started(run: RunModel) -> None:
    choose = ChooseModel("ni")
    model = MomentsModel(run, choose)
    assert (model.highest, model.points) == (2.0, 9)
    choose.take_shipped("al")
    assert model.highest == 1.0
    model.start()
    assert run.kind == "moments"
    assert isinstance(run.task, MomentsTask)
    assert run.task.calculation.spin
    assert run.task.curve == pytest.approx([i / 8 for i in range(9)])
    # What nobody has changed is left to the task.
    assert run.task.highest_moment is None


def test_a_moment_that_the_form_holds_is_not_in_the_way(run: RunModel) -> None:
    choose = ChooseModel("ni")
    choose.spin, choose.total_moment = True, 0.5
    model = MomentsModel(run, choose)
    model.highest, model.points, model.both_ways = 1.0, 3, True
    model.start()
    assert isinstance(run.task, MomentsTask)
    assert run.task.curve == (0.0, 0.5, 1.0)
    assert run.task.both_ways


def test_moments_beyond_the_electrons_are_refused(run: RunModel) -> None:
    model = MomentsModel(run, ChooseModel("ni"))
    model.highest = 30.0
    with pytest.raises(InputError, match="30 Bohr magneton is more than the 18 valence electrons"):
        model.start()


def test_points_appear_one_by_one_with_the_curve_through_them(run: RunModel) -> None:
    model = started(run)
    assert model.picture.words == "0 of 9 moments."
    run.records = (landau(0, 0.0),)
    assert model.picture.up.moments == (0.0,)
    assert model.picture.curve.moments == ()
    run.records = (*run.records, landau(1, 1.0), landau(2, 1.5))
    assert model.picture.words == "3 of 9 moments."
    assert model.picture.up.energies == pytest.approx([1000 * HARTREE_EV * e for e in (0.03234375, 0.01484375, 0.0)])
    curve, points, down, minima = traces(model.picture)
    assert len(curve.x) > 50
    assert (points.visible, down.visible, minima.visible) == (True, False, False)


def test_the_minimum_is_marked_and_lies_at_zero(run: RunModel) -> None:
    model = started(run)
    run.records = tuple(landau(i, m) for i, m in enumerate((0.0, 0.75, 1.5, 2.25, 3.0)))
    (moment,), (energy,) = model.picture.minima.moments, model.picture.minima.energies
    assert moment == pytest.approx(2.0, abs=0.02)
    assert energy == 0
    assert min(model.picture.curve.energies) == pytest.approx(0, abs=0.2)


def test_another_branch_on_the_way_down_is_drawn_beside(run: RunModel) -> None:
    model = started(run)
    up = [landau(0, 0.0), landau(1, 1.0), landau(2, 2.0, "both")]
    run.records = (*up, landau(3, 1.0, "down", shift=-0.01), landau(4, 0.0, "down"))
    assert model.picture.up.moments == (0.0, 1.0, 2.0)
    assert model.picture.down.moments == (1.0,)


def test_a_run_of_another_kind_shows_nothing(run: RunModel) -> None:
    model = started(run)
    run.records = (landau(0, 0.0),)
    run.task = ChooseModel("si").calculation()
    run.kind = "scf"
    assert model.picture == MomentsPicture()


def test_words_say_what_the_crystal_wants(run: RunModel) -> None:
    model = started(run)
    view = MomentsView(model, ChooseModel("ni"), MessageArea())
    run.records = tuple(landau(i, m) for i, m in enumerate((0.0, 1.0, 2.0, 3.0)))
    run.result = {
        "calculation": {"structure": ChooseModel("ni").structure},
        "natoms": 1,
        "moment0_bohr_magneton": 2.0,
        "free_energy0_ha": -0.04,
        "minima": [{"moment": 2.0, "free_energy_ha": -0.04, "is_global": True}],
        "maxima": [{"moment": 0.0, "free_energy_ha": 0.0}],
        "hysteresis": [],
        "points": list(run.records),
        "note": "",
    }
    # Units are explained where they stand.
    assert "Ni wants a moment of 2.00 μB per cell" in re.sub("<[^>]*>", "", view.widget.children[1].value)
    assert "Stoner&#x27;s criterion is met" in view.widget.children[1].value
