"""The diagnosis panel's data and words, without a browser."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import plotly.graph_objects as go
import pytest
from mlxc_app.choose.functional_picker import FunctionalPicker
from mlxc_app.choose.model import ChooseModel
from mlxc_app.panels.diagnose.figures import figure_of
from mlxc_app.panels.diagnose.model import DiagnoseModel
from mlxc_app.panels.diagnose.view import DiagnoseView, body_html, progress_html
from mlxc_app.panels.learn.stops import STOPS
from mlxc_app.panels.learn.view import try_stop
from mlxc_app.panels.panel import Page
from mlxc_app.run.model import RunModel
from mlxc_app.widgets.choosing.cards import MODEL, Cards
from mlxc_app.widgets.choosing.grouped_choice import GroupedChoice
from mlxc_app.widgets.message import MessageArea
from mlxc_app.widgets.theme import Theme

from mlxc.calculation.calculation import Calculation
from mlxc.runs.kept import kept_runs
from mlxc.tasks.diagnosis.finding import TESTS, Curve, Finding, Plot
from mlxc.tasks.diagnosis.task import DiagnosisTask
from mlxc.tasks.diagnosis.verdict import judge
from mlxc.tasks.kinds import calculation_of

PLOT = Plot("A plot", "x", "y", [Curve("one", [1.0, 2.0], [3.0, 4.0])])
MENDS = [
    {"label": "held <inside>", "why": "So it <settles>.", "changes": {"xc": "clamped:bulk-unconstrained"}},
    {"label": "constrained", "why": "Yes.", "changes": {"xc": "bulk-constrained"}},
    {"label": "pbe", "why": "Yes.", "changes": {"xc": "pbe"}},
]
FINDINGS = [
    Finding("self-consistency", "Does it settle?", "Yes <b>.", "self-consistency", 0.0, plots=[PLOT]),
    Finding("extrapolation", "Does it snap back?", "It does.", "model", 9.0, "extrapolation beyond s = 3"),
]


def test_a_diagnosis_of_what_is_chosen_is_started(run: RunModel) -> None:
    choose = ChooseModel("graphene")
    DiagnoseModel(run, choose).start()
    assert isinstance(run.task, DiagnosisTask)
    assert run.task.calculation.kmesh == choose.kmesh
    assert run.task.calculation.cutoff_smoothing_ha > 0  # energies at several areas are to be compared
    assert run.kind == "diagnosis"


def test_findings_appear_one_by_one_and_the_verdict_last(run: RunModel) -> None:
    model = DiagnoseModel(run, ChooseModel("si"))
    view = DiagnoseView(model, MessageArea())
    model.start()
    assert progress_html(model.picture).count(f"Test 1 of {len(TESTS)}") == 1
    run.records = tuple({"kind": "finding", **finding.to_dict()} for finding in FINDINGS)
    assert f"Test 3 of {len(TESTS)}" in progress_html(model.picture)
    body, settles, plot, snaps = shown(view)
    assert "Does it settle?" in settles.value
    assert "Yes &lt;b&gt;." in settles.value
    assert isinstance(plot, go.FigureWidget)
    assert "Does it snap back?" in snaps.value
    assert 'class="verdict' not in body.value
    run.state = "finished"
    run.result = summary()
    body = shown(view)[0]
    assert 'class="verdict"' in body.value
    assert 'download="diagnosis.html"' in body.value
    assert progress_html(model.picture) == ""
    # What has been drawn stays as it is.
    assert shown(view)[1:] == [settles, plot, snaps]


def shown(view: DiagnoseView) -> list[Any]:
    """The verdict and its surroundings, then what each test found."""
    _, body, tests, _ = view.widget.children
    return [body, *tests.children]


def test_the_plots_of_a_diagnosis_are_figures_with_all_that_they_say() -> None:
    curves = [Curve("as <given>", [1.0, 10.0], [0.1, 0.2]), Curve("steps", [1.0, 10.0], [3.0, 4.0], "steps")]
    shaded = (2.0, None)
    plot = Plot("v_xc", "r_s (bohr)", "v_xc (Ha)", curves, "x", shaded, "outside the domain")
    figure = figure_of(plot)
    # The legend says what the shade is: no curve runs through the words.
    assert [trace.name for trace in figure.data] == ["as &lt;given&gt;", "steps", "outside the domain"]
    assert figure.data[1].line.shape == "hvh"
    assert (figure.layout.xaxis.type, figure.layout.yaxis.type) == ("log", None)
    assert figure.layout.xaxis.title.text == "r<sub>s</sub> (bohr)"
    (shade,) = figure.layout.shapes
    assert (shade.x0, shade.x1) == (2.0, 10.0)
    assert figure.data[2].marker.color == shade.fillcolor
    assert len(figure_of(replace(plot, shaded=None)).data) == 2
    colours = [trace.line.color for trace in figure_of(replace(plot, curves=curves * 2)).data[:4]]
    assert len(set(colours)) == 4


def test_a_diagnosis_ends_with_buttons_for_what_mends_it(run: RunModel) -> None:
    choose = ChooseModel("graphene")
    choose.xc = "bulk-unconstrained"
    model = DiagnoseModel(run, choose)
    view = DiagnoseView(model, MessageArea())
    model.start()
    assert view.widget.children[-1].children == ()
    run.state, run.result = "finished", summary() | {"mends": MENDS}
    heading, *rows = view.widget.children[-1].children
    assert "What mends it" in heading.value
    buttons = [row.children[0] for row in rows]
    assert [button.description for button in buttons] == [
        "Try: held <inside>", "Try: constrained", "Try: pbe", "Try: All of these, side by side",
    ]  # fmt: skip
    assert "&lt;settles&gt;" in rows[0].children[1].value
    buttons[-1].click()
    tasks = [folder.task for folder in kept_runs() if folder.kind == "eos"]
    assert {task.calculation.xc for task in tasks} == {"clamped:bulk-unconstrained", "bulk-constrained", "pbe"}
    asked = ChooseModel("si").calculation()
    assert all(task.calculation.structure == asked.structure for task in tasks)
    assert all(task.calculation.kmesh == asked.kmesh for task in tasks)
    assert choose.xc == "pbe"


def test_the_list_of_functionals_shows_one_that_is_held_inside_its_domain() -> None:
    choose = ChooseModel("al")
    cards = Cards()
    picker = FunctionalPicker(choose, cards, MessageArea())
    cards.opened = MODEL
    choose.xc = "clamped:bulk-unconstrained"
    head, content = picker.widget.children
    _, chosen, meaning, _ = content.children
    (names,) = (widget for widget in chosen.children if isinstance(widget, GroupedChoice))
    assert names.listed == "clamped:bulk-unconstrained"
    assert "Held inside the domain" in meaning.value
    assert "Held inside the domain" in head.children[1].value
    choose.xc = "pbe"
    assert names.listed == "pbe"


def finished_diagnosis(run: RunModel) -> DiagnoseModel:
    """One whose run has ended on disk, so that the page goes on to what is started next."""
    choose = ChooseModel("graphene")
    choose.xc = "bulk-unconstrained"
    model = DiagnoseModel(run, choose)
    model.start()
    finish_diagnosis(run, summary() | {"mends": MENDS})
    return model


def finish_diagnosis(run: RunModel, result: dict[str, Any]) -> None:
    """End the run that is shown, as the process does that computes it."""
    assert run.folder is not None
    (run.folder.path / "result.json").write_text(json.dumps(result))
    run.folder.set_status("finished")
    run.poll()
    assert run.state == "finished"


@pytest.mark.parametrize("indices", [(0,), (2,), (0, 1, 2)])
def test_mends_are_computed_when_the_page_has_gone_on_to_the_first_of_them(
    run: RunModel, indices: tuple[int, ...]
) -> None:
    model = finished_diagnosis(run)
    model.try_mend(*indices)
    assert run.kind == "eos"
    asked = [calculation_of(folder.task).xc for folder in kept_runs() if folder.kind == "eos"]
    assert sorted(asked) == sorted(MENDS[index]["changes"]["xc"] for index in indices)


def test_the_last_stop_of_the_tour_leads_to_all_that_mends_it_side_by_side(run: RunModel) -> None:
    page = Page(ChooseModel("al"), run, MessageArea(), Theme(), lambda name: None)
    try_stop(STOPS[-1], page)
    model = DiagnoseModel(run, page.choose)
    view = DiagnoseView(model, page.messages)
    view.widget.children[0].children[0].click()
    settings = page.choose.calculation().model_dump(mode="json")
    finish_diagnosis(run, summary() | {"mends": MENDS, "calculation": settings})
    view.widget.children[-1].children[-1].children[0].click()
    assert "This did not work" not in page.messages.widget.value
    computed = [calculation_of(folder.task) for folder in kept_runs() if folder.kind == "eos"]
    assert sorted(calculation.xc for calculation in computed) == sorted(mend["changes"]["xc"] for mend in MENDS)
    assert {(calculation.ecut_ha, calculation.kmesh) for calculation in computed} == {(30.75, (6, 6, 1))}


def test_a_finished_diagnosis_stays_in_its_panel_until_the_next_one(run: RunModel, aluminium: Calculation) -> None:
    model = finished_diagnosis(run)
    before = model.picture
    run.start(aluminium, "an SCF")
    assert run.kind == "scf"
    assert model.picture == before
    assert model.mends == tuple(MENDS)
    run.folder.set_status("finished")
    run.poll()
    model.start()
    assert (model.picture.summary, model.mends) == ({}, ())


def test_a_diagnosis_without_a_verdict_leaves_nothing_behind(run: RunModel, aluminium: Calculation) -> None:
    model = DiagnoseModel(run, ChooseModel("si"))
    assert "Press “Diagnose”" in body_html(model.picture)
    model.start()
    run.folder.set_status("stopped")
    run.poll()
    assert model.picture.title
    run.start(aluminium, "an SCF")
    assert model.picture.title == ""


def summary() -> dict[str, Any]:
    calculation = ChooseModel("si").calculation().model_dump(mode="json")
    findings = [finding.to_dict() for finding in FINDINGS]
    return {"findings": findings, "mends": [], "seconds": 3.0, "calculation": calculation, **judge(FINDINGS).to_dict()}
