"""Run, Equation of state and Stop, what they would compute, and what the run is doing."""

from __future__ import annotations

from html import escape
from math import log
from typing import Any

from ipywidgets import HTML, Button, FloatProgress, HBox, Layout, VBox

from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc.tasks.kind import ITERATION, STAGE
from mlxc.tasks.kinds import kind_named
from mlxc.tasks.scf.kind import SCF
from mlxc_app.choose.model import ChooseModel
from mlxc_app.choose.summary_view import SummaryView
from mlxc_app.run.model import RunModel
from mlxc_app.run.queue_view import QueueView
from mlxc_app.run.time_left import duration_in_words, in_words
from mlxc_app.run.training_domain import training_sentence
from mlxc_app.widgets.message import MessageArea
from mlxc_app.widgets.typeset import typeset

# Of a run about one crystal, whose settings are chosen on the left.
ADVICE = {
    "not converged": "Try a larger smearing width or more k points; the curves show whether the residual swings "
    "(a larger width helps) or falls slowly. Where it settles with another functional, this one is to blame, and "
    "neither helps: the panel Diagnose finds out.",
    "failed": "If the sentence names a setting, change it; otherwise lower the cutoff or the k mesh, and run again.",
}
RUN_AGAIN = "Press Run to start afresh."
START_AGAIN = "To compute it afresh, start the {title} again where you started it."
CHANGE_SETTING = "If the sentence names a setting, change it."
STARTING = "Starting …"
RESTING = "At rest, as nobody was here for a while; PyTorch is loaded again as soon as you move."
CARDS: dict[str, Any] = {"not converged": "warning", "failed": "error", "stopped": "information", "finished": "success"}


class RunView:
    """Observes a :class:`RunModel` and starts what a :class:`ChooseModel` holds.

    Attributes:
        widget: One row, whose height is the same whatever happens.
        progress: What the run is doing, in words and as a bar.
    """

    def __init__(self, run: RunModel, choose: ChooseModel, messages: MessageArea) -> None:
        self._run, self._choose, self._messages = run, choose, messages
        self._start = Button(description="Run", button_style="primary")
        self._start_eos = Button(
            description="Run equation of state", tooltip="The same at seven volumes, or areas of a sheet"
        )
        self._stop = Button(description="Stop", button_style="danger")
        self._progress = FloatProgress(min=0, max=1, layout=Layout(width="100%"))
        self._text = HTML()
        self.progress = VBox([self._text, self._progress])
        self.progress.add_class("mlxc-progress")
        summary, queue = SummaryView(choose).widget, QueueView(run, messages).widget
        self.widget = HBox([self._start, self._start_eos, self._stop, summary, queue, self.progress])
        self.widget.add_class("mlxc-run")
        self._start.on_click(messages.guard(self._run_scf))
        self._start_eos.on_click(messages.guard(self._run_eos))
        self._stop.on_click(messages.guard(self._stop_run))
        choose.observe(self._show_buttons, "blocker")
        run.observe(self._show_state, "state")
        run.observe(self._show_idle, ["worker_ready", "worker_resting", "worker_words"])
        run.observe(self._show_progress, "message")
        run.observe(self._tell, "said")
        run.observe(self._show_buttons, "computing")
        run.observe(self._show_progress, ["records", "seconds", "where"])
        self._show_state()

    def _run_scf(self, button: Button) -> None:
        self._messages.clear()
        self._run.start(self._choose.calculation(), self._choose.run_title())

    def _run_eos(self, button: Button) -> None:
        self._messages.clear()
        calculation = (
            self._choose.calculation().told_with_bars().model_dump(exclude={"cutoff_smoothing_ha", "fft_grid"})
        )
        task = EquationOfStateTask.from_dict({"calculation": calculation})
        self._run.start(task, self._choose.run_title())

    def _stop_run(self, button: Button) -> None:
        self._messages.clear()
        if self._run.active:
            self._text.value = "Stopping …"
        self._run.stop()

    def _tell(self, change: Any) -> None:
        if change["new"]:
            self._messages.show("information", change["new"])

    def _show_buttons(self, change: Any = None) -> None:
        self._start.disabled = self._start_eos.disabled = bool(self._choose.blocker)
        self._stop.disabled = not self._run.computing

    def _show_state(self, change: Any = None) -> None:
        self._show_buttons()
        state = self._run.state
        if state == "idle":
            self._show_idle()
        elif state == "queued":
            # What came of the run before may not have been read when the next one in line begins.
            if not self._run.by_itself:
                self._messages.forget_result()
            self._progress.value = 0
            self._show_progress()
        elif state in CARDS:
            self._show_end(state)

    def _show_idle(self, change: Any = None) -> None:
        if self._run.state == "idle":
            loading = RESTING if self._run.worker_resting else "Loading PyTorch; you can already press Run."
            usual = "Ready to run." if self._run.worker_ready else loading
            self._text.value = escape(self._run.worker_words or usual)

    def _show_end(self, state: str) -> None:
        self._progress.value = 1 if state == "finished" else self._progress.value
        outcome = kind_named(self._run.kind).outcome(self._run.result) if state == "finished" else ""
        # What is chosen beside it may be something else by then.
        self._text.value = progress_html(f"{state.capitalize()}: {self._run.title}", outcome)
        what, note = self._run.message or f"The run is {state}.", ""
        if state == "finished":
            what, note = kind_named(self._run.kind).headline(self._run.result), self._run.message
        advice = [self._advice(state), training_sentence(self._run.result)]
        self._messages.show_result(
            CARDS[state],
            f"{self._run.title}: {what}" if state == "finished" else f"{what} ({self._run.title})",
            " ".join(filter(None, advice)),
            self._run.traceback,
            note,
        )

    def _advice(self, state: str) -> str:
        """What to do after a run of its kind that ended so."""
        kind = kind_named(self._run.kind)
        again = RUN_AGAIN if kind is SCF else START_AGAIN.format(title=kind.title)
        if state == "stopped":
            return again
        own = kind.advice(self._run.records) if state == "not converged" else ""
        if self._run.calculation is None and state == "failed":
            return f"{CHANGE_SETTING} {again}"
        return own or ("" if self._run.calculation is None else ADVICE.get(state, ""))

    def _show_progress(self, change: Any = None) -> None:
        """Tell the latest record of which there is something to say, and the time, which goes on in between."""
        run = self._run
        if not run.active:
            return
        told = (self._in_words(record) for record in reversed(run.records))
        words, fraction = next(filter(None, told), (run.message or STARTING, None))
        self._text.value = progress_html(words, self._time_in_words())
        if fraction is not None:
            self._progress.value = fraction

    def _time_in_words(self) -> str:
        run = self._run
        if not run.seconds:
            return ""
        so_far = ", ".join(filter(None, (f"{duration_in_words(run.seconds)} so far", run.where)))
        left = run.seconds_left
        if left is not None:
            return f"{so_far}, {in_words(left)}"
        return so_far if run.parts.lengths else f"{so_far}, time left not known"

    def _in_words(self, record: dict[str, Any]) -> tuple[str, float | None] | None:
        """What the run is doing, and which fraction is done; None for records of which there is nothing to say."""
        if record["kind"] not in (ITERATION, STAGE):
            return self._doing(record)
        if record["kind"] == ITERATION:
            words, fraction = self._step_in_words(record)
        else:
            words, fraction = f"{self._part_in_words(record)}{record['words']} …", None
        if self._run.parts.lengths:
            return words, fraction
        # Of a task of which nobody knows how many fields it has, one field is no measure.
        told = (self._doing(other) for other in reversed(self._run.records))
        part, done = next(filter(None, told), ("", 0.0))
        return f"{part} {words}".strip(), done

    def _doing(self, record: dict[str, Any]) -> tuple[str, float | None] | None:
        """What the kind of the task says of a record."""
        table = kind_named(self._run.kind).records.get(record["kind"])
        return None if table is None or table.doing is None else table.doing(record)

    def _part_in_words(self, stage: dict[str, Any]) -> str:
        """The part of the task that a stage prepares: the first one, or that after the last step."""
        parts, steps = self._run.parts, self._run.of_kind(ITERATION)
        number = steps[-1]["point"] + 2 if steps and steps[-1]["point"] is not None else 1
        is_part = parts.count > 1 and number <= parts.count
        return f"{parts.name.capitalize()} {number} of {parts.count}. " if is_part else ""

    def _step_in_words(self, step: dict[str, Any]) -> tuple[str, float | None]:
        calculation, parts = self._run.calculation, self._run.parts
        if calculation is None:  # of many, and nobody knows which
            return f"Step {step['iteration']} of an SCF: residual {step['density_residual']:.1e}", None
        residual, target = step["density_residual"], calculation.tolerance
        done, words = scf_fraction(residual, target), ""
        if parts.count > 1:
            point = step["point"] or 0
            done = (sum(parts.lengths[:point]) + done * sum(parts.lengths[point : point + 1])) / sum(parts.lengths)
            words = f"{parts.name.capitalize()} {point + 1} of {parts.count}. "
        if step.get("start", 1) > 1:
            words += "Started again. "
        words += f"Step {step['iteration']}: residual {residual:.1e}, target {target:.0e}"
        return words, min(done, 1.0)


def progress_html(words: str, time: str) -> str:
    """What a run is doing, and its time, a line each; what has no room is seen by pointing at it."""
    lines = [escape(line) for line in (typeset(words), time)]
    return "".join(f'<div class="mlxc-doing" title="{line}">{line}</div>' for line in lines)


def scf_fraction(residual: float, target: float) -> float:
    """How far an SCF has come: the residual falls geometrically, from about one to the target."""
    if residual <= target:
        return 1.0
    return max(0.0, min(1.0, log(min(residual, 1.0)) / log(target)))
