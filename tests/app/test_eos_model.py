"""The equation of state's data, without a browser."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mlxc_app.choose_model import ChooseModel
from mlxc_app.eos_model import EquationOfStateModel
from mlxc_app.eos_view import EquationOfStateView, comparison_table
from mlxc_app.run_model import RunModel

from mlxc.calculation import Calculation, EquationOfStateTask
from mlxc.properties.birch_murnaghan import BirchMurnaghan
from mlxc.units import EV_PER_ANG2_N_PER_M, EV_PER_ANG3_GPA

CURVE = BirchMurnaghan(-57.0, 16.5, 77 / EV_PER_ANG3_GPA, 4.5)


def points(count: int) -> tuple[dict[str, Any], ...]:
    volumes = np.linspace(15.6, 17.4, 7)[:count]
    return tuple(
        {"kind": "point", "index": index, "points": 7, "volume_ang3": float(v), "energy_ev": float(CURVE(v))}
        for index, v in enumerate(volumes)
    )


def test_references_are_there_before_a_run_and_follow_the_choice(run: RunModel) -> None:
    choose = ChooseModel("al")
    model = EquationOfStateModel(run, choose)
    labels = [reference.label for reference in model.picture.references]
    assert any("GPAW" in label for label in labels)
    assert any("experiment" in label for label in labels)
    choose.take_shipped("graphene")
    assert [r.label for r in model.picture.references] != labels


def test_the_curve_appears_with_the_fourth_point(run: RunModel, aluminium: Calculation) -> None:
    model = EquationOfStateModel(run, ChooseModel("al"))
    run.start(EquationOfStateTask(calculation=aluminium), "volumes")
    run.points = points(3)
    assert len(model.picture.sizes) == 3
    assert model.picture.curve_sizes == ()
    run.points = points(7)
    assert model.picture.size0 == pytest.approx(16.5)
    assert model.picture.modulus == pytest.approx(77)
    assert min(model.picture.curve_energies) == pytest.approx(0, abs=1e-2)


def test_the_table_compares_lattice_constants(run: RunModel, aluminium: Calculation) -> None:
    model = EquationOfStateModel(run, ChooseModel("al"))
    run.start(EquationOfStateTask(calculation=aluminium), "volumes")
    run.points = points(7)
    run.result = {"lattice_constant_ang": 4.0412}
    table = comparison_table(model.picture)
    assert "This run" in table
    assert "4.0412" in table
    assert "GPAW" in table
    assert " %" in table


def test_points_keep_the_references_of_their_own_crystal(run: RunModel, aluminium: Calculation) -> None:
    choose = ChooseModel("al")
    model = EquationOfStateModel(run, choose)
    references = model.picture.references
    run.start(EquationOfStateTask(calculation=aluminium), "volumes")
    run.points = points(5)
    choose.take_shipped("si")
    run.points = points(6)
    assert model.picture.references == references


def test_a_sheet_is_drawn_against_its_area_without_references_of_volumes(run: RunModel) -> None:
    model = EquationOfStateModel(run, ChooseModel("graphene"))
    assert model.picture.varied == "area"
    view = EquationOfStateView(model)
    task = EquationOfStateTask.from_dict({"calculation": {"structure": "graphene", "ecut_ha": 10}})
    run.start(task, "areas")
    curve = BirchMurnaghan(-300.0, 5.27, 206.8 / EV_PER_ANG2_N_PER_M, 4.3)
    areas = np.linspace(4.95, 5.58, 7)
    run.points = tuple(
        {"volume_ang3": 10 * area, "area_ang2": area, "energy_ev": float(curve(area))} for area in areas.tolist()
    )
    run.result = {"lattice_constant_ang": 2.4669}
    picture = model.picture
    assert picture.sizes == pytest.approx(areas / 2)
    assert picture.size0 == pytest.approx(5.27 / 2)
    assert picture.modulus == pytest.approx(206.8)
    assert picture.references == ()
    table = comparison_table(picture)
    for text in ("area per atom (Å²)", "layer modulus B (N/m)", "2.4669", "206.8"):
        assert text in table
    assert "GPa" not in table
    assert view.figure.layout.xaxis.title.text == "area per atom (Å²)"


def test_the_axis_follows_the_choice_of_a_crystal(run: RunModel) -> None:
    choose = ChooseModel("al")
    view = EquationOfStateView(EquationOfStateModel(run, choose))
    assert "volume" in view.figure.layout.xaxis.title.text
    choose.take_shipped("hbn")
    assert "area" in view.figure.layout.xaxis.title.text


def test_points_without_a_minimum_say_so(run: RunModel, aluminium: Calculation) -> None:
    model = EquationOfStateModel(run, ChooseModel("al"))
    run.start(EquationOfStateTask(calculation=aluminium), "volumes")
    run.points = tuple({**point, "energy_ev": -float(n)} for n, point in enumerate(points(5)))
    assert "no minimum" in model.picture.note
    assert len(model.picture.sizes) == 5
