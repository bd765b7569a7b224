"""Following a run through its folder, without a browser."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mlxc_app.history import earlier_runs
from mlxc_app.run_model import RunModel
from mlxc_app.run_view import finished_sentence, scf_fraction
from stand_ins import IdleWorker, iteration

from mlxc.calculation import Calculation, EquationOfStateTask
from mlxc.errors import InputError
from mlxc.runs.folder import RunFolder


def test_records_and_result_arrive(run: RunModel, aluminium: Calculation) -> None:
    states: list[str] = []
    run.observe(lambda change: states.append(change["new"]), "state")
    run.start(aluminium, "a run")
    assert run.folder is not None
    run.folder.set_status("running")
    run.folder.append(iteration(1, -2.0))
    run.poll()
    assert [record["iteration"] for record in run.iterations] == [1]
    assert run.active
    run.folder.append(iteration(2, -2.1))
    run.folder.write_result({"iterations": 2, "free_energy_ha": -2.1, "seconds": {"total": 1.5}})
    run.folder.set_status("finished")
    run.poll()
    assert len(run.iterations) == 2
    assert states == ["queued", "running", "finished"]
    assert finished_sentence(run) == "Converged in 2 steps and 1.5 s: free energy F = −2.100000 Ha."


def test_everything_is_in_place_when_the_state_changes(run: RunModel, aluminium: Calculation) -> None:
    seen: list[tuple[int, bool]] = []
    run.start(aluminium, "a run")
    run.observe(lambda change: seen.append((len(run.iterations), bool(run.result))), "state")
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
    assert run.iterations == ()
    records.write_text(line)
    run.poll()
    assert len(run.iterations) == 1


def test_one_run_at_a_time(run: RunModel, aluminium: Calculation) -> None:
    run.start(aluminium, "a run")
    with pytest.raises(InputError, match="stop it"):
        run.start(aluminium, "another")


@pytest.mark.parametrize("state", ["stopped", "failed", "not converged"])
def test_what_was_computed_before_the_end_is_kept(run: RunModel, aluminium: Calculation, state: str) -> None:
    run.start(aluminium, "a run")
    assert run.folder is not None
    run.folder.append(iteration(1, -2.0))
    run.folder.set_status(state, "The reason.")
    run.poll()
    assert (run.state, run.message, len(run.iterations)) == (state, "The reason.", 1)
    run.start(aluminium, "the next run")
    assert run.iterations == ()


def test_the_calculation_of_an_equation_of_state(run: RunModel, aluminium: Calculation) -> None:
    task = EquationOfStateTask(calculation=aluminium)
    run.start(task, "volumes")
    assert run.kind == "eos"
    assert run.calculation == aluminium


def test_what_came_out_of_an_equation_of_state_is_said_in_its_units(run: RunModel, aluminium: Calculation) -> None:
    run.start(EquationOfStateTask(calculation=aluminium), "volumes")
    result = {"seconds": 9.0, "lattice_constant_ang": 4.04, "volume0_ang3": 16.5, "bulk_modulus_gpa": 77.0}
    run.result = result
    assert finished_sentence(run) == "Equation of state computed in 9.0 s: a₀ = 4.0400 Å, B = 77.0 GPa."
    of_sheet = {"bulk_modulus_gpa": None, "in_plane_modulus_n_per_m": 206.8, "area0_ang2": 5.27}
    run.result = result | of_sheet
    assert "4.0400 Å in the plane, layer modulus B = 206.8 N/m" in finished_sentence(run)
    run.result = result | of_sheet | {"lattice_constant_ang": None}
    assert "A₀ = 5.270 Å²" in finished_sentence(run)


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
    assert run.folder is not None
    run.folder.append(iteration(1, -2.0))
    run.folder.set_status("stopped", "Enough.")
    with pytest.raises(InputError, match="stop it"):
        run.open(run.folder)
    run.poll()
    run.start(aluminium, "the second")
    assert run.folder is not None
    run.folder.set_status("finished")
    run.poll()
    labels, folders = zip(*earlier_runs(), strict=True)
    assert "the second" in labels[0]
    assert labels[1].startswith("the first (")
    assert labels[1].endswith(": stopped")
    run.open(RunFolder(Path(folders[1])))
    assert (run.title, run.state, run.message, len(run.iterations)) == ("the first", "stopped", "Enough.", 1)
    assert run.calculation == aluminium


def test_progress_is_measured_in_powers_of_ten() -> None:
    assert scf_fraction(10.0, 1e-8) == 0
    assert scf_fraction(1e-4, 1e-8) == pytest.approx(0.5)
    assert scf_fraction(1e-9, 1e-8) == 1
