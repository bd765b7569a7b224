"""Following a run through its folder, without a browser."""

from __future__ import annotations

import json
import time

import pytest
from mlxc_app.run.model import RunModel
from mlxc_app.run.view import scf_fraction
from stand_ins import IdleWorker, iteration

from mlxc.calculation.calculation import Calculation
from mlxc.errors import InputError
from mlxc.runs.kept import find_run, kept_runs
from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc.tasks.kinds import KINDS


def test_records_and_result_arrive(run: RunModel, aluminium: Calculation) -> None:
    states: list[str] = []
    run.observe(lambda change: states.append(change["new"]), "state")
    run.start(aluminium, "a run")
    assert run.folder is not None
    run.folder.set_status("running")
    run.folder.append(iteration(1, -2.0))
    run.poll()
    assert [record["iteration"] for record in run.of_kind("iteration")] == [1]
    assert run.active
    run.folder.append(iteration(2, -2.1))
    run.folder.write_result({"iterations": 2, "free_energy_ha": -2.1, "seconds": {"total": 1.5}})
    run.folder.set_status("finished")
    run.poll()
    assert len(run.of_kind("iteration")) == 2
    assert states == ["queued", "running", "finished"]
    assert KINDS[run.kind].headline(run.result) == "converged in 2 steps and 1.5 s: free energy F = −2.100000 Ha."


def test_everything_is_in_place_when_the_state_changes(run: RunModel, aluminium: Calculation) -> None:
    seen: list[tuple[int, bool]] = []
    run.start(aluminium, "a run")
    run.observe(lambda change: seen.append((len(run.of_kind("iteration")), bool(run.result))), "state")
    assert run.folder is not None
    run.folder.append(iteration(1, -2.0))
    run.folder.write_result({"iterations": 1})
    run.folder.set_status("finished")
    run.poll()
    assert seen == [(1, True)]


def test_a_half_written_record_is_left_for_later(run: RunModel, aluminium: Calculation) -> None:
    run.start(aluminium, "a run")
    assert run.folder is not None
    line = json.dumps(iteration(1, -2.0)) + "\n"
    records = run.folder.path / "records.jsonl"
    records.write_text(line[:20])
    run.poll()
    assert run.of_kind("iteration") == ()
    records.write_text(line)
    run.poll()
    assert len(run.of_kind("iteration")) == 1


def test_a_second_run_waits_and_is_shown_when_the_first_has_ended(run: RunModel, aluminium: Calculation) -> None:
    for title in ("the first", "the second", "the third"):
        run.start(aluminium, title)
    first = run.folder
    assert first is not None
    assert [entry.title for entry in run.waiting] == ["the second", "the third"]
    run.remove(run.waiting[1].name)
    assert [entry.title for entry in run.waiting] == ["the second"]
    first.set_status("running")
    with pytest.raises(InputError, match="being computed"):
        run.remove(first.path.name)
    first.set_status("finished")
    run.poll()
    assert (run.title, run.state, run.waiting) == ("the second", "queued", ())


def test_stop_ends_the_run_that_is_computed_and_the_next_one_follows(run: RunModel, aluminium: Calculation) -> None:
    run.start(aluminium, "the first")
    run.start(aluminium, "the second")
    first = run.folder
    assert first is not None
    run.stop()
    run.poll()
    assert first.status["state"] == "stopped"
    assert run.title == "the second"
    assert run.computing
    run.stop()
    run.poll()
    assert not run.computing


def test_the_same_request_is_computed_once(run: RunModel, aluminium: Calculation) -> None:
    said: list[str] = []
    run.observe(lambda change: said.append(change["new"]), "said")
    first = run.start(aluminium, "a run")
    assert run.start(aluminium, "a run") == first
    waiting = run.start(EquationOfStateTask(calculation=aluminium), "a run")
    assert run.start(EquationOfStateTask(calculation=aluminium), "a run") == waiting
    assert len(kept_runs()) == 2
    first.set_status("running")
    assert run.start(aluminium, "a run") == first
    told = [sentence for sentence in said if sentence]
    assert told == [
        "“a run” is in line already: it is not computed twice.",
        "“a run” waits. Number 1 in line, behind “a run”.",
        "“a run” is in line already: it is not computed twice.",
        "“a run” is being computed already: it is not computed twice.",
    ]


def test_another_request_is_computed_while_the_first_is(run: RunModel, aluminium: Calculation) -> None:
    first = run.start(aluminium, "a run")
    assert run.start(aluminium.model_copy(update={"seed": 1}), "a run") != first
    assert len(run.waiting) == 1


def test_what_has_ended_can_be_computed_again_after_a_moment(
    run: RunModel, aluminium: Calculation, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run.start(aluminium, "a run")
    first.set_status("finished")
    # The second press of a double click comes after the end of a very short run.
    assert run.start(aluminium, "a run") == first
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 2)
    second = run.start(aluminium, "a run")
    assert second != first
    run.stop()
    assert run.start(aluminium, "a run") != second


def test_a_line_is_emptied_with_and_without_what_is_computed(run: RunModel, aluminium: Calculation) -> None:
    for title in ("first", "second", "third"):
        run.start(aluminium, title)
    run.empty_line()
    assert (run.title, run.computing, run.waiting) == ("first", True, ())
    for title in ("second", "third"):
        run.start(aluminium, title)
    run.stop()
    assert run.said == "Stopped; next in line: “second” starts."
    run.poll()
    second = run.folder
    assert second is not None
    second.set_status("running")
    run.poll()
    assert run.stopped_before_others
    run.empty_line()
    assert second.stop_requested
    assert (run.waiting, run.stopped_before_others) == ((), False)


def test_what_comes_after_the_next_one_is_no_answer_to_a_stop(run: RunModel, aluminium: Calculation) -> None:
    for title in ("first", "second", "third"):
        run.start(aluminium, title)
    run.stop()
    run.poll()
    second = run.folder
    assert second is not None
    second.set_status("finished")
    run.poll()
    assert (run.title, run.stopped_before_others) == ("third", False)


def test_a_run_that_is_looked_at_while_it_waits_is_stopped_and_stays(run: RunModel, aluminium: Calculation) -> None:
    for title in ("first", "second", "third"):
        run.start(aluminium, title)
    run.stop()
    run.poll()
    second = run.folder
    assert second is not None
    run.empty_line()
    run.poll()
    assert (run.title, run.state, run.computing) == ("second", "stopped", False)
    assert len(kept_runs()) == 2
    for title in ("fourth", "fifth"):
        run.start(aluminium, title)
    last = run.waiting[0].name
    run.open(find_run(last))
    run.remove(last)
    run.poll()
    assert (run.title, run.state, find_run(last).status["state"]) == ("fourth", "queued", "stopped")


def test_a_run_that_is_not_looked_at_is_stopped_and_says_so(run: RunModel, aluminium: Calculation) -> None:
    earlier = run.start(aluminium, "earlier")
    earlier.set_status("finished")
    run.poll()
    run.start(aluminium, "now")
    run.open(earlier)
    run.stop()
    assert run.said == "“now” is stopped."
    run.poll()
    assert (run.title, run.state, run.computing) == ("earlier", "finished", False)


def test_a_run_that_ends_between_two_looks_is_shown(run: RunModel, aluminium: Calculation) -> None:
    run.start(aluminium, "the first")
    first = run.folder
    assert first is not None
    run.start(aluminium, "the second")
    first.set_status("finished")
    find_run(run.waiting[0].name).set_status("finished")
    run.poll()
    run.poll()
    assert (run.title, run.state, run.computing) == ("the second", "finished", False)


def test_who_looks_at_an_earlier_run_is_not_disturbed(run: RunModel, aluminium: Calculation) -> None:
    run.start(aluminium, "earlier")
    earlier = run.folder
    assert earlier is not None
    earlier.set_status("finished")
    run.poll()
    run.start(aluminium, "now")
    now = run.folder
    assert now is not None
    run.open(earlier)
    run.poll()
    assert (run.title, run.state, run.computing) == ("earlier", "finished", True)
    run.open(now)
    now.append(iteration(1, -2.0))
    run.poll()
    assert (run.title, len(run.of_kind("iteration"))) == ("now", 1)


def test_a_reloaded_page_finds_the_runs_of_its_visitor(run: RunModel, aluminium: Calculation) -> None:
    run.belong_to("ada")
    run.start(aluminium, "the first")
    run.start(aluminium, "the second")
    assert run.folder is not None
    run.folder.set_status("running")
    run.folder.append(iteration(1, -2.0))
    reloaded, other = RunModel(IdleWorker), RunModel(IdleWorker)
    other.belong_to("grace")
    assert (other.state, other.computing) == ("idle", False)
    reloaded.belong_to("ada")
    reloaded.poll()
    assert (reloaded.title, len(reloaded.of_kind("iteration"))) == ("the first", 1)
    assert [entry.title for entry in reloaded.waiting] == ["the second"]
    run.folder.append(iteration(2, -2.1))
    reloaded.poll()
    assert len(reloaded.of_kind("iteration")) == 2


def test_a_run_that_waits_for_other_visitors_says_so(run: RunModel, aluminium: Calculation) -> None:
    worker = run.warm_up()
    assert isinstance(worker, IdleWorker)
    run.start(aluminium, "the first")
    worker.waiting = "Number 2 in line on this machine."
    run.poll()
    assert run.message == "Number 2 in line on this machine."


def test_a_run_that_begins_again_on_another_worker_is_shown_from_its_first_step(
    run: RunModel, aluminium: Calculation
) -> None:
    run.start(aluminium, "a run")
    assert run.folder is not None
    run.folder.set_status("running")
    run.folder.note(where="on worker a")
    for number in (1, 2, 3):
        run.folder.append(iteration(number, -2.0))
    run.poll()
    assert (run.where, len(run.records)) == ("on worker a", 3)
    run.folder.begin_again("on worker b, begun again", "Worker a was lost.")
    run.folder.append(iteration(1, -2.0))
    run.poll()
    assert (run.where, run.message) == ("on worker b, begun again", "Worker a was lost.")
    assert [record["iteration"] for record in run.records] == [1]
    run.start(aluminium, "the next")
    run.remove(run.waiting[0].name)
    run.folder.set_status("finished")
    run.poll()
    assert len(run.records) == 1


def test_what_computes_is_told(run: RunModel) -> None:
    worker = run.warm_up()
    assert isinstance(worker, IdleWorker)
    worker.words = "Ready to run on the Dask cluster at tcp://10.0.0.1:8786."
    run.poll()
    assert run.worker_words == worker.words


def test_a_run_beyond_the_limits_of_the_server_does_not_start(
    run: RunModel, aluminium: Calculation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLXC_MAX_ECUT", "8")
    with pytest.raises(InputError, match="this server"):
        run.start(aluminium, "too fine")
    assert kept_runs() == []


@pytest.mark.parametrize("state", ["stopped", "failed", "not converged"])
def test_what_was_computed_before_the_end_is_kept(run: RunModel, aluminium: Calculation, state: str) -> None:
    run.start(aluminium, "a run")
    assert run.folder is not None
    run.folder.append(iteration(1, -2.0))
    run.folder.set_status(state, "The reason.")
    run.poll()
    assert (run.state, run.message, len(run.of_kind("iteration"))) == (state, "The reason.", 1)
    run.start(aluminium, "the next run")
    assert run.of_kind("iteration") == ()


def test_the_calculation_of_an_equation_of_state(run: RunModel, aluminium: Calculation) -> None:
    task = EquationOfStateTask(calculation=aluminium)
    run.start(task, "volumes")
    assert run.kind == "eos"
    assert run.calculation == aluminium


def test_what_came_out_of_an_equation_of_state_is_said_in_its_units(run: RunModel, aluminium: Calculation) -> None:
    run.start(EquationOfStateTask(calculation=aluminium), "volumes")
    result = {"seconds": 9.0, "lattice_constant_ang": 4.04, "volume0_ang3": 16.5, "bulk_modulus_gpa": 77.0}
    run.result = result
    assert KINDS[run.kind].headline(run.result) == "equation of state computed in 9.0 s: a₀ = 4.0400 Å, B = 77.0 GPa."
    of_sheet = {"bulk_modulus_gpa": None, "in_plane_modulus_n_per_m": 206.8, "area0_ang2": 5.27}
    run.result = result | of_sheet
    assert "4.0400 Å in the plane, layer modulus B = 206.8 N/m" in KINDS[run.kind].headline(run.result)
    run.result = result | of_sheet | {"lattice_constant_ang": None}
    assert "A₀ = 5.270 Å²" in KINDS[run.kind].headline(run.result)


def test_the_worker_is_started_once_and_not_before_it_is_wanted() -> None:
    made: list[IdleWorker] = []

    def make() -> IdleWorker:
        made.append(IdleWorker())
        return made[-1]

    run = RunModel(make)
    run.poll()
    run.stop()
    assert made == []
    run.warm_up()
    run.warm_up()
    run.poll()
    assert len(made) == 1
    assert run.worker_ready


def test_an_earlier_run_is_shown_as_if_just_computed(run: RunModel, aluminium: Calculation) -> None:
    run.start(aluminium, "the first")
    first = run.folder
    assert first is not None
    first.append(iteration(1, -2.0))
    first.set_status("stopped", "Enough.")
    run.poll()
    run.start(aluminium, "the second")
    assert run.folder is not None
    run.folder.set_status("finished")
    run.poll()
    run.open(first)
    assert (run.title, run.state, run.message, len(run.of_kind("iteration"))) == ("the first", "stopped", "Enough.", 1)
    assert run.calculation == aluminium


def test_progress_is_measured_in_powers_of_ten() -> None:
    assert scf_fraction(10.0, 1e-8) == 0
    assert scf_fraction(1e-4, 1e-8) == pytest.approx(0.5)
    assert scf_fraction(1e-9, 1e-8) == 1


def test_a_run_that_waits_says_what_for_and_for_how_long(run: RunModel, aluminium: Calculation) -> None:
    for title in ("the first", "the second", "the third"):
        run.start(aluminium, title)
    assert [entry.words for entry in run.waiting] == [
        "Number 1 in line, behind “the first”.",
        "Number 2 in line, behind “the second”.",
    ]
    run.open(find_run(run.waiting[1].name))
    run.poll()
    assert run.message == "Number 2 in line, behind “the second”."


def test_the_clock_of_a_run_goes_on_between_its_records(
    run: RunModel, aluminium: Calculation, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.start(aluminium, "a run")
    assert run.folder is not None
    run.folder.set_status("running")
    for number in (1, 2, 3):
        run.folder.append(iteration(number, -2.0))
    run.poll()
    left = run.seconds_left
    assert left is not None
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 2)
    run.poll()
    assert run.seconds == 2
    assert run.seconds_left == pytest.approx(left - 2, abs=0.2)
