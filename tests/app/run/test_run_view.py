"""What the page says of a run while it is computed and when it has ended, without a browser."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ipywidgets import HTML
from mlxc_app.choose.model import ChooseModel
from mlxc_app.run.model import RunModel
from mlxc_app.run.view import RunView
from mlxc_app.widgets.message import MessageArea
from stand_ins import IdleWorker, iteration

from mlxc.calculation.calculation import Calculation
from mlxc.tasks.diagnosis.task import DiagnosisTask
from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc.tasks.training.presentation import STEP
from mlxc.tasks.training.task import TrainingTask

AGAIN = "The SCF was started twice: the moment <vanished>."
SUMMARY: dict[str, Any] = {"iterations": 9, "free_energy_ha": -2.5, "seconds": {"total": 1.0}}


def ended(run: RunModel, calculation: Calculation, message: str, **moments: float | None) -> str:
    """The cards about a run that has converged."""
    messages = MessageArea()
    RunView(run, ChooseModel("al"), messages)
    run.start(calculation, "a run")
    assert run.folder is not None
    run.folder.write_result(SUMMARY | moments)
    run.folder.set_status("finished", message)
    run.poll()
    cards: str = messages.widget.value
    return cards


def test_a_converged_run_with_something_to_doubt_has_one_card_that_warns(run: RunModel, aluminium: Calculation) -> None:
    cards = ended(run, aluminium, AGAIN)
    assert cards.count("mlxc-card") == 1
    assert "mlxc-success" not in cards
    warning = cards.index("mlxc-warning")
    # The line has not room for all: what matters comes first.
    assert warning < cards.index("Done, but please note") < cards.index("started twice")
    assert cards.index("started twice") < cards.index("converged in 9 steps")
    assert cards.index("started twice") < cards.index("a run")
    assert "&lt;vanished&gt;" in cards


def test_what_went_wrong_is_told_before_the_run_that_it_went_wrong_with(run: RunModel, aluminium: Calculation) -> None:
    messages = MessageArea()
    RunView(run, ChooseModel("al"), messages)
    run.start(aluminium, "Al, 20 Ha")
    assert run.folder is not None
    run.folder.set_status("not converged", "3 of 7 points did not converge.")
    run.poll()
    assert "3 of 7 points did not converge. (Al, 20 Ha)" in messages.widget.value


def test_what_to_do_after_a_stop_fits_what_was_stopped(run: RunModel, aluminium: Calculation) -> None:
    messages = MessageArea()
    RunView(run, ChooseModel("al"), messages)
    training = TrainingTask.from_dict({"config": {"name": "a", "start": "pbe-kappa-mu", "train": ["Al_fcc"]}})
    for task, words in (
        (aluminium, "Press Run to start afresh."),
        (EquationOfStateTask(calculation=aluminium), "start the equation of state again where you started it."),
        (training, "start the training of a functional again where you started it."),
    ):
        run.start(task, "a run")
        run.stop()
        run.poll()
        assert words in messages.widget.value
        assert ("Press Run" in messages.widget.value) == (task is aluminium)


def test_a_training_that_fails_is_not_told_to_change_a_cutoff(run: RunModel) -> None:
    messages = MessageArea()
    RunView(run, ChooseModel("al"), messages)
    config = {"name": "a", "start": "pbe-kappa-mu", "train": ["Al_fcc"]}
    run.start(TrainingTask.from_dict({"config": config}), "a run").set_status("failed", "No.")
    run.poll()
    assert "start the training of a functional again" in messages.widget.value
    assert "cutoff" not in messages.widget.value


def test_the_bar_says_of_which_run_it_tells_the_result(run: RunModel, aluminium: Calculation) -> None:
    view = RunView(run, ChooseModel("si"), MessageArea())
    run.start(aluminium, "Al <20 Ha>")
    assert run.folder is not None
    run.folder.write_result(SUMMARY)
    run.folder.set_status("finished")
    run.poll()
    assert "Finished: Al &lt;20 Ha&gt;" in words(view)
    assert "F = −2.5" in words(view)


def test_a_training_says_how_many_steps_are_left_and_how_long_they_take(run: RunModel) -> None:
    view = RunView(run, ChooseModel("al"), MessageArea())
    config = {"name": "learner", "start": "pbe-kappa-mu", "train": ["Al_fcc"], "rounds": 1}
    run.start(TrainingTask.from_dict({"config": config}), "a training")
    assert run.folder is not None
    run.folder.set_status("running")
    for number in range(51):
        told = {"round": 0, "step": number, "loss": 0.5, "most_steps": 200, "done": (number + 1) / 200}
        run.folder.append({"kind": STEP, **told, "validation_loss": 0.5, "elapsed_seconds": 10 + number / 2})
    run.poll()
    run.seconds = 36
    assert "Step 50 of at most 200: loss 0.5" in words(view)
    assert re.search("36 s so far, about 7[45] s left", words(view))
    assert view.progress.children[1].value == pytest.approx(51 / 200)


def test_the_next_run_starts_quietly_after_one_that_had_something_to_say(run: RunModel, aluminium: Calculation) -> None:
    ended(run, aluminium, AGAIN)
    run.start(aluminium, "the next")
    assert (run.state, run.title, run.message) == ("queued", "the next", "")


def test_a_run_that_has_nothing_to_say_has_one_card(run: RunModel, aluminium: Calculation) -> None:
    cards = ended(run, aluminium, "")
    assert cards.count("mlxc-card") == 1
    assert "mlxc-success" in cards
    assert "<strong>Done.</strong>" in cards
    assert "moment" not in cards


def test_both_moments_of_a_magnet_are_told(run: RunModel, aluminium: Calculation) -> None:
    moments = {"magnetisation_bohr_magneton": -1e-9, "absolute_magnetisation_bohr_magneton": 4.1234}
    cards = ended(run, aluminium, "", **moments)
    assert "moment 0.000 μB, absolute 4.123 μB." in cards


def test_a_second_start_is_told_while_it_is_computed(run: RunModel, aluminium: Calculation) -> None:
    view = RunView(run, ChooseModel("al"), MessageArea())
    run.start(aluminium, "a run")
    run.records = (iteration(1, -2.0) | {"start": 1},)
    assert "again" not in words(view)
    run.records = (*run.records, iteration(2, -2.0) | {"start": 2})
    assert "Started again" in words(view)


def words(view: RunView) -> str:
    said: list[Any] = [widget for widget in view.progress.children if isinstance(widget, HTML)]
    return str(said[0].value)


def test_a_diagnosis_says_at_which_test_it_is_and_that_nobody_knows_how_long_it_takes(
    run: RunModel, aluminium: Calculation
) -> None:
    view = RunView(run, ChooseModel("al"), MessageArea())
    run.start(DiagnosisTask(calculation=aluminium), "a diagnosis")
    assert run.folder is not None
    run.folder.set_status("running")
    run.folder.append(iteration(1, -2.0))
    run.poll()
    assert "Step 1" in words_of(view)
    run.folder.append({"kind": "finding", "test": "self-consistency", "sentence": "Settles.", "elapsed_seconds": 2.0})
    run.folder.append(iteration(1, -2.0))
    run.poll()
    run.seconds = 5
    assert "Test 3 of 9, extrapolation. Step 1" in words_of(view)
    assert "5 s so far, time left not known" in words_of(view)


def words_of(view: RunView) -> str:
    words: str = view.progress.children[0].value
    return words


def test_where_a_cluster_computes_a_run_stands_beside_its_time(run: RunModel, aluminium: Calculation) -> None:
    worker = run.warm_up()
    assert isinstance(worker, IdleWorker)
    worker.words = "Ready to run on the Dask cluster at tcp://10.0.0.1:8786."
    view = RunView(run, ChooseModel("al"), MessageArea())
    run.poll()
    assert words(view) == worker.words
    run.start(aluminium, "a run")
    assert run.folder is not None
    run.folder.set_status("running")
    run.folder.note(where="on 10.0.0.2")
    run.folder.append(iteration(1, -2.0))
    run.poll()
    run.seconds = 5
    assert "5 s so far, on 10.0.0.2" in words(view)
