"""The list of runs, without a browser."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mlxc_app.choose.model import ChooseModel
from mlxc_app.panels.compare.model import CompareModel
from mlxc_app.panels.compare.view import compare_panel
from mlxc_app.panels.panel import Page
from mlxc_app.panels.runs.view import RunsView
from mlxc_app.run.model import RunModel
from mlxc_app.run.runs_list_model import RunsListModel
from mlxc_app.run.take_away_model import TakeAwayModel
from mlxc_app.run.view import RunView
from mlxc_app.widgets.message import MessageArea
from mlxc_app.widgets.theme import Theme
from stand_ins import iteration

from mlxc.calculation.calculation import Calculation
from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.runs.folder import RunFolder
from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc.tasks.kinds import KINDS


@pytest.fixture
def failed(run: RunModel, aluminium: Calculation) -> RunFolder:
    """A run that has made one step before the program failed."""
    folder = RunFolder.create(aluminium, "a <b>run</b>")
    folder.append(iteration(1, -2.0))
    folder.write_traceback("Traceback: ZeroDivisionError <here>")
    folder.set_status("failed", "The calculation failed unexpectedly.")
    return folder


def test_nothing_is_read_before_somebody_looks(run: RunModel, failed: RunFolder) -> None:
    model = RunsListModel(run)
    model.refresh()
    assert model.entries == ()
    model.shown = True
    assert [(entry["title"], entry["state"]) for entry in model.entries] == [("a <b>run</b>", "failed")]


def test_the_list_follows_what_happens(run: RunModel, aluminium: Calculation) -> None:
    model = RunsListModel(run)
    model.shown = True
    run.start(aluminium, "new")
    model.refresh()
    assert model.entries[0]["state"] == "queued"
    assert run.folder is not None
    run.folder.write_result({"free_energy_ha": -2.5})
    run.folder.set_status("finished")
    model.refresh()
    assert (model.entries[0]["state"], model.entries[0]["outcome"]) == ("finished", "F = −2.500000 Ha")


def test_a_failed_run_opens_and_explains_itself(run: RunModel, failed: RunFolder) -> None:
    messages = MessageArea()
    RunView(run, ChooseModel("al"), messages)
    model = RunsListModel(run)
    model.open(failed.path.name)
    assert (run.state, len(run.of_kind("iteration"))) == ("failed", 1)
    card = messages.widget.value
    for words in ("a &lt;b&gt;run", "failed unexpectedly", "ZeroDivisionError &lt;here&gt;"):
        assert words in card


@pytest.mark.parametrize(("converged", "words"), [(True, "lattice constant"), (False, "smearing width")])
def test_advice_tells_a_curve_without_a_minimum_from_points_that_do_not_converge(
    converged: bool, words: str, run: RunModel, aluminium: Calculation
) -> None:
    messages = MessageArea()
    RunView(run, ChooseModel("al"), messages)
    run.start(EquationOfStateTask(calculation=aluminium), "volumes")
    run.records = tuple({"kind": "point", "index": index, "converged": converged} for index in range(7))
    run.state = "not converged"
    assert words in messages.widget.value


def test_an_archive_that_was_taken_away_opens_again(run: RunModel, aluminium: Calculation) -> None:
    run.start(aluminium, "taken <away>")
    folder = run.folder
    assert folder is not None
    result = json.loads((Path(__file__).parents[2] / "golden/results/pbe-fermi-dirac.json").read_text())
    folder.write_result(result | {"free_energy_ha": -2.5, "seconds": {"total": 1.0}})
    folder.set_status("finished")
    run.poll()
    _, content = TakeAwayModel(run).file("zip")
    folder.delete()
    model = RunsListModel(run)
    model.shown = True
    model.open_archive("mine.zip", content)
    assert (run.title, run.state, run.result["free_energy_ha"]) == ("taken <away>", "finished", -2.5)
    assert [entry["title"] for entry in model.entries] == ["taken <away>"]
    with pytest.raises(InputError, match=r"^mine\.zip"):
        model.open_archive("mine.zip", content[:-40])


def test_rename_and_delete(run: RunModel, failed: RunFolder) -> None:
    model = RunsListModel(run)
    model.shown = True
    model.open(failed.path.name)
    model.rename(failed.path.name, "better")
    assert (model.entries[0]["title"], run.title) == ("better", "better")
    model.delete(failed.path.name)
    assert model.entries == ()
    with pytest.raises(InputError, match="no run"):
        model.open(failed.path.name)


def test_a_button_of_a_run_that_is_gone_is_a_card(run: RunModel, failed: RunFolder) -> None:
    messages = MessageArea()
    model = RunsListModel(run)
    model.shown = True
    view = RunsView(model, Page(ChooseModel("al"), run, messages, Theme(), lambda name: None))
    failed.delete()
    view.table._handle_custom_msg({"action": "Open", "name": failed.path.name}, [])
    assert "There is no run" in messages.widget.value


def test_on_a_shared_server_a_visitor_sees_his_own_runs(
    run: RunModel, aluminium: Calculation, failed: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLXC_SHARED", "1")
    run.belong_to("ada")
    run.start(aluminium, "hers")
    model = RunsListModel(run)
    model.shown = True
    assert [entry["title"] for entry in model.entries] == ["hers"]


def test_the_outcome_is_the_number_that_the_run_was_made_for() -> None:
    assert KINDS["eos"].outcome({"lattice_constant_ang": 4.04, "volume0_ang3": 16.5}) == "a₀ = 4.0400 Å"
    assert (
        KINDS["eos"].outcome({"lattice_constant_ang": None, "area0_ang2": None, "volume0_ang3": 16.5})
        == "V₀ = 16.500 Å³"
    )
    assert KINDS["scf"].outcome({}) == ""


def finished(run: RunModel, calculation: Calculation, title: str) -> RunFolder:
    """A run that has come to its end."""
    folder = RunFolder.create(calculation, title)
    folder.write_result({"free_energy_ha": -2.5, "iterations": 3, "seconds": {"total": 1.0}})
    folder.set_status("finished")
    return folder


def panels(run: RunModel) -> tuple[Page, RunsView, RunsListModel, list[str]]:
    unfolded: list[str] = []
    page = Page(ChooseModel("si"), run, MessageArea(), Theme(), unfolded.append)
    model = RunsListModel(run)
    return page, RunsView(model, page), model, unfolded


def test_a_run_tells_the_room_that_it_takes(run: RunModel, aluminium: Calculation) -> None:
    folder = finished(run, aluminium, "a run")
    (folder.path / "result.h5").write_bytes(b"0" * 2_300_000)
    model = RunsListModel(run)
    model.shown = True
    (entry,) = model.entries
    assert entry["size"] == "2.3 MB"
    assert entry["bytes"] == sum(file.stat().st_size for file in folder.path.iterdir())


def test_the_form_is_filled_as_it_was_for_a_run(run: RunModel) -> None:
    wanted = Calculation.from_dict({"structure": "al", "xc": "lda", "ecut_ha": 11, "kmesh": (3, 3, 3), "spin": True})
    folder = finished(run, wanted, "a run")
    page, view, _, _ = panels(run)
    view.table._handle_custom_msg({"action": "Use these settings", "name": folder.path.name}, [])
    assert page.choose.shipped_name == "al"
    assert (page.choose.xc, page.choose.ecut_ha, page.choose.kmesh, page.choose.spin) == ("lda", 11, (3, 3, 3), True)
    assert "filled in" in page.messages.widget.value


def test_ticked_runs_are_set_side_by_side_also_a_second_time(run: RunModel, aluminium: Calculation) -> None:
    names = [finished(run, aluminium, f"run {number}").path.name for number in range(3)]
    page, view, _, unfolded = panels(run)
    panel = compare_panel(page)
    asked: list[tuple[str, ...]] = []
    page.side_by_side.observe(lambda change: asked.append(change["new"]), "folders")
    for _ in range(2):
        view.table._handle_custom_msg({"action": "Compare", "names": names[:2]}, [])
    assert [[Path(folder).name for folder in folders] for folders in asked if folders] == [names[:2]] * 2
    assert unfolded == [panel.name] * 2
    assert page.messages.widget.value == ""


def test_more_runs_than_can_be_compared_are_a_sentence(run: RunModel, aluminium: Calculation) -> None:
    names = [finished(run, aluminium, f"run {number}").path.name for number in range(9)]
    page, view, _, unfolded = panels(run)
    compare_panel(page)
    view.table._handle_custom_msg({"action": "Compare", "names": names}, [])
    assert "At most 8 runs" in page.messages.widget.value
    assert unfolded == []


def test_a_comparison_begins_with_the_two_last_runs_of_the_crystal(run: RunModel, aluminium: Calculation) -> None:
    silicon = Calculation.from_dict({"structure": "si", "ecut_ha": 5, "kmesh": (2, 2, 2)})
    made = [finished(run, what, "a run") for what in (silicon, silicon, silicon, aluminium)]
    model = CompareModel(run)
    model.begin(Crystal.load("al").to_dict())
    assert model.chosen == ()
    model.begin(Crystal.load("si").to_dict())
    assert model.chosen == (str(made[2].path), str(made[1].path))
    model.begin(Crystal.load("al").to_dict())
    assert model.chosen == (str(made[2].path), str(made[1].path))
