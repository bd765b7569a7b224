"""The equation of state's data, without a browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from mlxc_app.choose.model import ChooseModel
from mlxc_app.panels.equation_of_state.curve import EquationOfStateCurve, curve_of_result
from mlxc_app.panels.equation_of_state.figure import REFERENCE_LOOKS, distinct_names, eos_traces
from mlxc_app.panels.equation_of_state.model import (
    MOST_OVERLAID,
    EquationOfStateModel,
    EquationOfStatePicture,
    size_of,
)
from mlxc_app.panels.equation_of_state.view import EquationOfStateView, comparison_table
from mlxc_app.run.model import RunModel
from mlxc_app.widgets.message import MessageArea
from stand_ins import IdleWorker

from mlxc.calculation.calculation import Calculation
from mlxc.properties.birch_murnaghan import BirchMurnaghan, fit_birch_murnaghan
from mlxc.references.tables import reference_lines
from mlxc.solids.prototypes import prototype
from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc.tasks.kinds import KINDS
from mlxc.units import EV_PER_ANG2_N_PER_M, EV_PER_ANG3_GPA

CURVE = BirchMurnaghan(-57.0, 16.5, 77 / EV_PER_ANG3_GPA, 4.5)


def points(count: int) -> tuple[dict[str, Any], ...]:
    volumes = np.linspace(15.6, 17.4, 7)[:count]
    return tuple(
        {"kind": "point", "index": index, "points": 7, "volume_ang3": float(v), "energy_ev": float(CURVE(v))}
        for index, v in enumerate(volumes)
    )


def result_of(records: Sequence[dict[str, Any]], **further: Any) -> dict[str, Any]:
    """The result of a run that has told these points."""
    areas = [record.get("area_ang2") for record in records]
    return {
        "varied": "volume" if None in areas else "area",
        "volumes_ang3": [record["volume_ang3"] for record in records],
        "areas_ang2": None if None in areas else areas,
        "energies_ev": [record["energy_ev"] for record in records],
        "lattice_constant_ang": None,
        **further,
    }


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
    run.records = points(3)
    assert len(model.picture.own.sizes) == 3
    assert model.picture.own.curve_sizes == ()
    run.records = points(7)
    assert model.picture.own.size0 == pytest.approx(16.5)
    assert model.picture.own.modulus == pytest.approx(77)
    assert min(model.picture.own.curve_energies) == pytest.approx(0, abs=1e-2)


def test_the_table_compares_lattice_constants(run: RunModel, aluminium: Calculation) -> None:
    model = EquationOfStateModel(run, ChooseModel("al"))
    run.start(EquationOfStateTask(calculation=aluminium), "volumes")
    run.records = points(7)
    run.result = result_of(run.records, lattice_constant_ang=4.0412)
    table = comparison_table(model.picture)
    assert "This run" in table
    assert "4.0412" in table
    assert "GPAW" in table
    assert " %" in table


def test_a_solid_of_the_table_of_models_has_references_though_its_name_is_another_one(run: RunModel) -> None:
    choose = ChooseModel()
    model = EquationOfStateModel(run, choose)
    shipped = [line.label for line in model.picture.references]
    choose.take_crystal(prototype("Al_fcc", 4.05), "confirmed")
    assert [line.label for line in model.picture.references] == shipped
    choose.take_crystal(prototype("TiC_b1", 4.33), "confirmed")
    assert [line.lattice_constant_ang for line in model.picture.references] == [4.318]


def test_before_its_first_point_a_run_has_the_references_of_its_own_crystal(run: RunModel) -> None:
    choose = ChooseModel("si")
    model = EquationOfStateModel(run, choose)
    of_silicon = model.picture.references
    of_graphene = EquationOfStateModel(run, ChooseModel("graphene")).picture.references
    view = EquationOfStateView(model, MessageArea())
    calculation = Calculation.from_dict({"structure": "graphene", "ecut_ha": 10})
    folder = run.start(EquationOfStateTask(calculation=calculation), "graphene, confirmed")
    assert (model.picture.references, model.picture.varied) == (of_graphene, "area")
    assert "graphene, confirmed" in view.widget.children[0].value
    assert "Press" not in view.widget.children[0].value
    folder.set_status("stopped")
    run.poll()
    # Of a run without a point there is nothing to compare.
    assert (model.picture.references, model.picture.varied) == (of_silicon, "volume")
    assert "Press" in view.widget.children[0].value


def test_points_keep_the_references_of_their_own_crystal(run: RunModel, aluminium: Calculation) -> None:
    choose = ChooseModel("al")
    model = EquationOfStateModel(run, choose)
    references = model.picture.references
    run.start(EquationOfStateTask(calculation=aluminium), "volumes")
    run.records = points(5)
    choose.take_shipped("si")
    run.records = points(6)
    assert model.picture.references == references


def test_a_sheet_is_drawn_against_its_area_with_references_of_areas(run: RunModel) -> None:
    model = EquationOfStateModel(run, ChooseModel("graphene"))
    assert model.picture.varied == "area"
    view = EquationOfStateView(model, MessageArea())
    task = EquationOfStateTask.from_dict({"calculation": {"structure": "graphene", "ecut_ha": 10}})
    run.start(task, "areas")
    curve = BirchMurnaghan(-300.0, 5.27, 206.8 / EV_PER_ANG2_N_PER_M, 4.3)
    areas = np.linspace(4.95, 5.58, 7)
    run.records = tuple(
        {"kind": "point", "volume_ang3": 10 * area, "area_ang2": area, "energy_ev": float(curve(area))}
        for area in areas.tolist()
    )
    run.result = result_of(run.records, lattice_constant_ang=2.4669)
    picture = model.picture
    assert picture.own.sizes == pytest.approx(areas / 2)
    assert picture.own.size0 == pytest.approx(5.27 / 2)
    assert picture.own.modulus == pytest.approx(206.8)
    # The area of a hexagonal cell is sqrt(3)/2 a^2, and there are two atoms in it.
    (measured,) = [line for line in picture.references if line.label.startswith("experiment")]
    assert size_of(measured, "area") == pytest.approx(3**0.5 / 4 * 2.4589**2)
    traces = [trace for trace in eos_traces(picture) if trace.yaxis == "y2" and trace.visible]
    assert [trace.x[0] for trace in traces] == [size_of(line, "area") for line in picture.references]
    assert "Å² per atom" in traces[0].text[0]
    table = comparison_table(picture)
    for text in ("area per atom (Å²)", "layer modulus B₀ (N/m)", "2.4669", "206.8", "2.4589", "Baskin"):
        assert text in table
    assert "GPa" not in table
    assert view.figure.layout.xaxis.title.text == "area per atom (Å²)"


def test_the_axis_follows_the_choice_of_a_crystal(run: RunModel) -> None:
    choose = ChooseModel("al")
    view = EquationOfStateView(EquationOfStateModel(run, choose), MessageArea())
    assert "volume" in view.figure.layout.xaxis.title.text
    choose.take_shipped("hbn")
    assert "area" in view.figure.layout.xaxis.title.text


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7])
def test_a_run_that_goes_on_gives_no_alarm(run: RunModel, aluminium: Calculation, count: int) -> None:
    model = EquationOfStateModel(run, ChooseModel("al"))
    view = EquationOfStateView(model, MessageArea())
    run.start(EquationOfStateTask(calculation=aluminium), "volumes")
    for energies in (lambda n: -float(n), lambda n: float(n % 2), lambda n: abs(n - 3.0) ** 0.5):
        run.records = tuple({**point, "energy_ev": energies(n)} for n, point in enumerate(points(count)))
        assert len(model.picture.own.sizes) == count
        assert model.picture.own.note == model.picture.own.mark == ""
        assert not view.figure.layout.annotations[0].visible
        assert "mlxc-caution" not in view.widget.children[0].value
        assert "bad fit" not in comparison_table(model.picture)


def test_points_without_a_minimum_say_so_when_the_run_has_ended(run: RunModel, aluminium: Calculation) -> None:
    model = EquationOfStateModel(run, ChooseModel("al"))
    view = EquationOfStateView(model, MessageArea())
    run.start(EquationOfStateTask(calculation=aluminium), "volumes")
    run.records = tuple({**point, "energy_ev": -float(n)} for n, point in enumerate(points(5)))
    run.state = "stopped"
    assert "no minimum" in model.picture.own.note
    assert len(model.picture.own.sizes) == 5
    assert view.figure.layout.annotations[0].text == "No fit through these 5 points"


def test_the_fit_of_a_run_that_goes_on_says_how_many_points_are_to_come(run: RunModel, aluminium: Calculation) -> None:
    model = EquationOfStateModel(run, ChooseModel("al"))
    run.start(EquationOfStateTask(calculation=aluminium), "volumes")
    run.records = points(6)
    assert "This run, 1 points to come" in comparison_table(model.picture)
    run.records = points(7)
    run.state = "finished"
    assert "This run: volumes" in comparison_table(model.picture)


# Energies off the curve by some meV, and curves whose asymmetry no crystal has.
BAD = {
    "noise": lambda v, n: float(CURVE(v)) + 0.004 * (-1) ** n,
    "kink": lambda v, n: float(CURVE(v)) + (0.01 if n > 3 else 0.0),
    "one point off": lambda v, n: float(CURVE(v)) + 0.02 * (n == 2),
    "steep": lambda v, n: float(BirchMurnaghan(-57.0, 16.5, 77 / EV_PER_ANG3_GPA, 11.5)(v)),
    "turned": lambda v, n: float(BirchMurnaghan(-57.0, 16.5, 77 / EV_PER_ANG3_GPA, -2.0)(v)),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_fit_is_marked_on_the_figure_and_in_the_result(run: RunModel, aluminium: Calculation, kind: str) -> None:
    model = EquationOfStateModel(run, ChooseModel("al"))
    view = EquationOfStateView(model, MessageArea())
    run.start(EquationOfStateTask(calculation=aluminium), "volumes")
    run.records = tuple({**p, "energy_ev": BAD[kind](p["volume_ang3"], n)} for n, p in enumerate(points(7)))
    run.state = "finished"
    fit = fit_birch_murnaghan([p["volume_ang3"] for p in run.records], [p["energy_ev"] for p in run.records])
    run.result = result_of(
        run.records, energy0_ev=fit.energy0, lattice_constant_ang=4.04, bulk_modulus_gpa=77.0, seconds=1.0
    )
    assert model.picture.own.is_bad
    annotation = view.figure.layout.annotations[0]
    assert annotation.visible
    assert annotation.text.startswith(f"Bad fit: B₀′ = {fit.bulk_modulus_derivative:.1f}")
    assert "(bad fit)" in comparison_table(model.picture)
    assert "(bad fit)" in view.figure.data[0].name
    assert KINDS["eos"].headline(run.result).endswith("from a bad fit.")
    assert KINDS["eos"].outcome(run.result) == "a₀ = 4.0400 Å, bad fit"


def test_points_that_have_not_converged_are_marked(run: RunModel, aluminium: Calculation) -> None:
    model = EquationOfStateModel(run, ChooseModel("al"))
    view = EquationOfStateView(model, MessageArea())
    run.start(EquationOfStateTask(calculation=aluminium), "volumes")
    run.records = tuple(point | {"converged": point["index"] > 1} for point in points(7))
    assert view.figure.layout.annotations[0].text == "2 of 7 points not converged"


def test_no_colour_stands_for_two_things() -> None:
    picture = EquationOfStatePicture(references=tuple(reference_lines("al")))
    curve = EquationOfStateCurve(sizes=(1.0,), energies=(0.0,), residuals=(0.0,), branch_sizes=(1.0,))
    traces = eos_traces(replace(picture, own=curve, others=(curve,) * MOST_OVERLAID))
    shown = [trace for trace in traces if trace.visible and trace.showlegend is not False]
    colours = [trace.marker.color if trace.mode == "markers" else trace.line.color for trace in shown]
    assert len(set(colours)) == len(colours) == 2 + MOST_OVERLAID + len(picture.references)
    # The lowest point lies on the axis, and is drawn whole.
    assert all(trace.cliponaxis is False for trace in traces if trace.mode == "markers")


def test_a_good_fit_is_not_marked(run: RunModel, aluminium: Calculation) -> None:
    model = EquationOfStateModel(run, ChooseModel("al"))
    finish(run, EquationOfStateTask(calculation=aluminium), "with PBE")
    assert not model.picture.own.is_bad
    assert model.picture.own.mark == ""
    assert KINDS["eos"].outcome(model._run.result | {"energy0_ev": -57.0}) == "a₀ = 4.0400 Å"


def finish(run: RunModel, task: EquationOfStateTask, title: str, shift: float = 0.0) -> None:
    """A finished run whose curve is ``CURVE``, moved in energy and by as many per cent in volume."""
    run.start(task, title)
    assert run.folder is not None
    volumes = np.linspace(15.6, 17.4, 7)
    energies = CURVE(volumes / (1 + shift / 100)) - shift
    for index, (volume, energy) in enumerate(zip(volumes.tolist(), energies.tolist(), strict=True)):
        run.folder.append({"kind": "point", "index": index, "volume_ang3": volume, "energy_ev": energy})
    run.folder.write_result(
        {
            "varied": task.vary,
            "volumes_ang3": volumes.tolist(),
            "areas_ang2": None,
            "energies_ev": energies.tolist(),
            "lattice_constant_ang": 4.04,
        }
    )
    run.folder.set_status("finished")
    run.poll()


def names(model: EquationOfStateModel) -> list[str]:
    """Titles of the runs that are offered."""
    return [name.split(" (")[0] for name, _ in model.candidates]


def test_a_run_of_the_same_visit_is_shown_beside_the_next_one(run: RunModel, aluminium: Calculation) -> None:
    model = EquationOfStateModel(run, ChooseModel("al"))
    task = EquationOfStateTask(calculation=aluminium)
    finish(run, task, "with PBE")
    assert model.candidates == ()
    finish(run, task, "with <LDA>", shift=-2.0)
    assert names(model) == ["with PBE"]
    assert model.selected == (model.candidates[0][1],)
    picture = model.picture
    assert picture.own.title == "with <LDA>"
    (other,) = picture.others
    assert (other.title, other.size0, other.modulus) == ("with PBE", pytest.approx(16.5), pytest.approx(77))
    assert picture.own.size0 == pytest.approx(16.5 * 0.98)
    # Each counts from its own minimum, whatever the energies are.
    assert min(other.curve_energies) == pytest.approx(min(picture.own.curve_energies), abs=0.05)
    table = comparison_table(picture)
    assert "with &lt;LDA&gt;" in table
    assert "−0.67 %" in table


def test_a_run_that_was_taken_off_stays_off(run: RunModel, aluminium: Calculation) -> None:
    model = EquationOfStateModel(run, ChooseModel("al"))
    task = EquationOfStateTask(calculation=aluminium)
    for title in ("the first", "the second"):
        finish(run, task, title)
    model.selected = ()
    assert model.picture.others == ()
    finish(run, task, "the third")
    assert names(model) == ["the second", "the first"]
    assert [curve.title for curve in model.picture.others] == ["the second"]


def test_earlier_visits_are_offered_but_not_shown_and_other_species_are_not(
    run: RunModel, aluminium: Calculation
) -> None:
    earlier = RunModel(IdleWorker)
    finish(earlier, EquationOfStateTask(calculation=aluminium), "an earlier visit")
    silicon = Calculation.from_dict({"structure": "si", "ecut_ha": 5})
    finish(earlier, EquationOfStateTask(calculation=silicon), "another species")
    model = EquationOfStateModel(run, ChooseModel("al"))
    assert names(model) == ["an earlier visit"]
    assert model.selected == ()
    model.selected = (model.candidates[0][1],)
    assert model.picture.own.sizes == ()
    assert model.picture.others[0].size0 == pytest.approx(16.5)


def test_the_residuals_are_what_the_fit_leaves(run: RunModel, aluminium: Calculation) -> None:
    model = EquationOfStateModel(run, ChooseModel("al"))
    run.start(EquationOfStateTask(calculation=aluminium), "volumes")
    exact = points(7)
    run.records = exact
    assert model.picture.own.rms_residual == pytest.approx(0, abs=1e-6)
    assert model.picture.own.modulus_derivative == pytest.approx(4.5)
    run.records = (*exact[:3], {**exact[3], "energy_ev": exact[3]["energy_ev"] + 0.01}, *exact[4:])
    own = model.picture.own
    assert own.residuals[3] == max(own.residuals)
    assert own.rms_residual is not None
    assert 1 < own.rms_residual < 10


def test_references_have_curves_that_count_from_their_minimum_and_say_their_source(run: RunModel) -> None:
    picture = EquationOfStateModel(run, ChooseModel("al")).picture
    traces = eos_traces(picture)
    assert len(picture.references) <= len(REFERENCE_LOOKS)
    assert len(traces) == 5 * (1 + MOST_OVERLAID) + 1 + 2 * len(REFERENCE_LOOKS)
    line, curve = traces[2], traces[3]
    assert "all-electron" in line.text[0]
    assert "Bosoni" in line.text[0]
    assert min(curve.y) == pytest.approx(0, abs=0.05)
    lowest = curve.x[int(np.argmin(curve.y))]
    assert lowest == pytest.approx(line.x[0], rel=2e-3)


def test_the_panel_offers_what_the_model_has_and_tells_it_what_is_chosen(run: RunModel, aluminium: Calculation) -> None:
    model = EquationOfStateModel(run, ChooseModel("al"))
    view = EquationOfStateView(model, MessageArea())
    task = EquationOfStateTask(calculation=aluminium)
    finish(run, task, "the first")
    finish(run, task, "the second")
    assert view.overlay.value == model.selected
    assert len(view.overlay.value) == 1
    view.overlay.value = ()
    assert model.selected == ()
    assert [trace.name for trace in view.figure.data if trace.visible and trace.yaxis == "y3"] == [
        "residual of the second"
    ]


@pytest.mark.parametrize(
    ("titles", "names"),
    [
        (["Silicon, pbe, 12 Ha, k mesh 4×4×4", "Silicon, lda, 12 Ha, k mesh 4×4×4"], ["pbe", "lda"]),
        (["Silicon, pbe, 12 Ha", "Silicon, lda, 8 Ha"], ["pbe, 12 Ha", "lda, 8 Ha"]),
        (["Silicon, pbe", "Silicon, pbe"], ["Silicon, pbe", "Silicon, pbe"]),
        (["Silicon, pbe, 12 Ha"], ["Silicon, pbe, 12 Ha"]),
        (["Nickel, pbe, 12 Ha", "Nickel, pbe, 12 Ha, spin"], ["Nickel, pbe, 12 Ha", "Nickel, pbe, 12 Ha, spin"]),
    ],
)
def test_a_legend_says_what_tells_runs_apart(titles: list[str], names: list[str]) -> None:
    assert distinct_names(titles) == names


LOW, HIGH = (0.02, 2.3)


def branch(volume: float, energy: float, moment: float) -> dict[str, Any]:
    return {"kind": "branch", "volume_ang3": volume, "energy_ev": energy, "moment_per_atom_bohr_magneton": moment}


def test_points_of_another_magnetic_branch_are_drawn_beside_the_curve(run: RunModel, aluminium: Calculation) -> None:
    model = EquationOfStateModel(run, ChooseModel("al"))
    view = EquationOfStateView(model, MessageArea())
    run.start(EquationOfStateTask(calculation=aluminium), "volumes")
    first = points(7)
    second = [branch(p["volume_ang3"], p["energy_ev"] - 0.05, HIGH) for p in first[-5:]]
    run.records = (*first, *second)
    own = model.picture.own
    assert own.sizes == pytest.approx([p["volume_ang3"] for p in first])
    assert own.branch_sizes == pytest.approx([p["volume_ang3"] for p in second])
    # The curve that has been fitted so far counts from its own minimum.
    assert own.branch_energies[0] == pytest.approx(own.energies[2] - 50)
    (trace,) = [trace for trace in view.figure.data if trace.visible and "branch" in trace.name]
    assert trace.name == "another magnetic branch, 2.30 μB per atom"
    assert len(trace.x) == 5


def test_once_there_is_a_result_the_curve_is_that_of_the_lowest_branch(run: RunModel, aluminium: Calculation) -> None:
    model = EquationOfStateModel(run, ChooseModel("al"))
    view = EquationOfStateView(model, MessageArea())
    run.start(EquationOfStateTask(calculation=aluminium), "volumes")
    first = points(7)
    second = [branch(p["volume_ang3"], p["energy_ev"] - 0.05, HIGH) for p in first[-5:]]
    run.records = (*first, *second)
    described = [
        {
            "volumes_ang3": [p["volume_ang3"] for p in found],
            "energies_ev": [p["energy_ev"] for p in found],
            "moments_per_atom_bohr_magneton": [moment] * len(found),
        }
        for found, moment in ((first, LOW), (second, HIGH))
    ]
    run.result = result_of(second, magnetic_branches=described, message="The fit is <not> to be trusted.")
    own = model.picture.own
    assert own.sizes == pytest.approx([p["volume_ang3"] for p in second])
    assert min(own.curve_energies) == pytest.approx(0, abs=1e-2)
    assert own.branch_sizes == pytest.approx([p["volume_ang3"] for p in first])
    assert own.branch_energies[2] == pytest.approx(own.energies[0] + 50)
    assert set(own.branch_moments) == {LOW}
    assert "0.02 μB" in next(trace.name for trace in view.figure.data if trace.visible and "branch" in trace.name)
    assert "mlxc-caution" in view.note.value
    assert "&lt;not&gt; to be trusted" in view.note.value


UNCERTAINTY = {
    "volume_standard_deviation_ang3": 0.2,
    "lattice_constant_standard_deviation_ang": 0.017,
    "bulk_modulus_standard_deviation_gpa": 3.0,
    "bulk_modulus_derivative_standard_deviation": 0.1,
    "curve_volumes_ang3": [15.6, 16.5, 17.4],
    "curve_standard_deviation_ev": [0.005, 0.0, 0.005],
}


def test_bars_are_drawn_and_told_where_a_result_has_them(run: RunModel) -> None:
    choose = ChooseModel("al")
    model = EquationOfStateModel(run, choose)
    run.start(EquationOfStateTask.from_dict({"calculation": choose.calculation().model_dump()}), "a run")
    run.records = points(7)
    run.result = result_of(points(7), lattice_constant_ang=4.04)
    bare = eos_traces(model.picture)
    assert not any(trace.visible for trace in bare if "standard deviation" in trace.name)
    assert "±" not in comparison_table(model.picture)
    run.result = result_of(points(7), lattice_constant_ang=4.04, uncertainty=UNCERTAINTY)
    band, bar, *others = [trace for trace in eos_traces(model.picture) if "standard deviation" in trace.name]
    assert band.visible
    assert bar.visible
    assert not any(trace.visible for trace in others)
    curve = model.picture.own
    assert bar.x == pytest.approx([curve.size0 - 0.2, curve.size0 + 0.2])
    upper, lower = np.array(band.y[:3]), np.array(band.y[:2:-1])
    np.testing.assert_allclose((upper - lower)[[0, 2]], 10.0)
    assert "4.0400 ± 0.0170" in comparison_table(model.picture)
    assert "one standard deviation" in EquationOfStateView(model, MessageArea()).note.value


def test_a_sheet_has_bars_of_its_area_per_atom() -> None:
    records = [
        {"volume_ang3": 10 * area, "area_ang2": area, "energy_ev": float(CURVE(area * 3))}
        for area in (5.2, 5.4, 5.6, 5.8)
    ]
    told = {
        "area_standard_deviation_ang2": 0.1, "in_plane_modulus_standard_deviation_n_per_m": 2.0,
        "bulk_modulus_derivative_standard_deviation": 0.1, "curve_volumes_ang3": [52.0, 58.0],
        "curve_standard_deviation_ev": [0.01, 0.01],
    }  # fmt: skip
    curve = curve_of_result("a sheet", result_of(records, uncertainty=told), 2)
    assert curve.bars.sizes == pytest.approx((2.6, 2.9))
    assert curve.bars.size0 == pytest.approx(0.05)
    assert curve.bars.modulus == 2.0


def test_runs_of_the_page_ask_for_bars_where_the_functional_has_an_ensemble(run: RunModel) -> None:
    choose = ChooseModel("al")
    assert not choose.calculation().told_with_bars().uncertainty
    choose.xc = "solids-gga"
    assert choose.calculation().told_with_bars().uncertainty
    choose.xc = "solids-gga#3"
    assert not choose.calculation().told_with_bars().uncertainty
    choose.xc = "0.5*solids-gga + 0.5*pbe"
    assert choose.calculation().told_with_bars().uncertainty
