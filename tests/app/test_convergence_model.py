"""The convergence plot's data, without a browser."""

from __future__ import annotations

import pytest
from mlxc_app.convergence_model import ConvergenceModel
from mlxc_app.convergence_view import energy_table
from mlxc_app.run_model import RunModel
from stand_ins import TERMS, iteration

from mlxc.calculation import Calculation, EquationOfStateTask


def test_residuals_and_changes_of_the_free_energy(run: RunModel, aluminium: Calculation) -> None:
    model = ConvergenceModel(run)
    run.start(aluminium, "a run")
    run.iterations = tuple(iteration(n, energy) for n, energy in ((1, -2.0), (2, -2.1), (3, -2.09)))
    picture = model.picture
    assert picture.steps == (1, 2, 3)
    assert picture.residuals == pytest.approx((0.1, 0.01, 0.001))
    assert picture.energy_changes == pytest.approx((0.1, 0.01))
    assert picture.target == aluminium.tolerance
    assert picture.free_energy == -2.09
    table = energy_table(picture)
    assert table.count("<tr>") == len(TERMS) + 2
    assert "−2.090000" in table


def test_an_equation_of_state_shows_its_latest_volume(run: RunModel, aluminium: Calculation) -> None:
    model = ConvergenceModel(run)
    run.start(EquationOfStateTask(calculation=aluminium), "volumes")
    run.iterations = (iteration(1, -2.0, point=0), iteration(2, -2.1, point=0), iteration(1, -2.2, point=1))
    assert model.picture.steps == (1,)
    assert model.picture.caption == "volumes, volume 2 of 7"


def test_a_new_run_starts_with_an_empty_plot(run: RunModel, aluminium: Calculation) -> None:
    model = ConvergenceModel(run)
    run.start(aluminium, "a run")
    run.iterations = (iteration(1, -2.0),)
    run.state = "stopped"
    assert model.picture.steps == (1,)
    run.start(aluminium, "the next")
    assert model.picture.steps == ()
