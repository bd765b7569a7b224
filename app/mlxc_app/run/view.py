"""Run, Stop and Equation of state, and what the run is doing."""

from __future__ import annotations

from html import escape
from math import log
from typing import Any

from ipywidgets import HTML, Button, FloatProgress, HBox, Layout, VBox

from mlxc.calculation.calculation import EquationOfStateTask
from mlxc_app.choose.model import ChooseModel
from mlxc_app.panels.bands.model import gap_in_words
from mlxc_app.panels.gradients.model import gradient_in_words
from mlxc_app.run.model import RunModel
from mlxc_app.run.queue_view import QueueView
from mlxc_app.run.time_left import in_words, seconds_left
from mlxc_app.run.training_domain import training_sentence
from mlxc_app.widgets.message import MessageArea

ADVICE = {
    "not converged": "Try a larger smearing width or more k points; the curves show whether the residual swings "
    "(a larger width helps) or falls slowly.",
    "failed": "If the sentence names a setting, change it; otherwise lower the cutoff or the k mesh, and run again.",
    "stopped": "Press Run to start afresh.",
}
NO_MINIMUM = (
    "More k points or a higher cutoff may move the minimum into the range; else change the lattice constant of the "
    "crystal, around which the range lies."
)
KINDS: dict[str, Any] = {"not converged": "warning", "failed": "error", "stopped": "information", "finished": "success"}


class RunView:
    """Observes a :class:`RunModel` and starts what a :class:`ChooseModel` holds."""

    def __init__(self, run: RunModel, choose: ChooseModel, messages: MessageArea) -> None:
        self._run, self._choose, self._messages = run, choose, messages
        self._start = Button(description="Run", button_style="primary")
        self._start_eos = Button(
            description="Run equation of state", tooltip="The same at seven volumes, or areas of a sheet"
        )
        self._stop = Button(description="Stop", button_style="danger")
        self._blocker = HTML()
        self._progress = FloatProgress(min=0, max=1, layout=Layout(width="100%"))
        self._text = HTML()
        buttons = HBox([self._start, self._start_eos, self._stop, VBox([self._text, self._progress])])
        buttons.add_class("mlxc-run")
        self.widget = VBox([buttons, QueueView(run, messages).widget, self._blocker])
        self._start.on_click(messages.guard(self._run_scf))
        self._start_eos.on_click(messages.guard(self._run_eos))
        self._stop.on_click(messages.guard(self._stop_run))
        choose.observe(self._show_buttons, "blocker")
        run.observe(self._show_state, ["state", "worker_ready", "message"])
        run.observe(self._show_buttons, "computing")
        run.observe(self._show_progress, ["iterations", "points"])
        run.observe(self._show_what_follows, ["portions", "flow"])
        self._show_state()

    def _run_scf(self, button: Button) -> None:
        self._messages.clear()
        self._run.start(self._choose.calculation(), self._choose.run_title())

    def _run_eos(self, button: Button) -> None:
        self._messages.clear()
        calculation = self._choose.calculation().model_dump(exclude={"cutoff_smoothing_ha", "fft_grid"})
        task = EquationOfStateTask.from_dict({"calculation": calculation})
        self._run.start(task, self._choose.run_title())

    def _stop_run(self, button: Button) -> None:
        self._text.value = "Stopping …"
        self._run.stop()

    def _show_buttons(self, change: Any = None) -> None:
        blocked = bool(self._choose.blocker)
        self._start.disabled = self._start_eos.disabled = blocked
        self._stop.disabled = not self._run.computing
        self._blocker.value = (
            f'<div class="mlxc-blocker" role="alert">Run is not possible: {escape(self._choose.blocker)}</div>'
            if blocked
            else ""
        )

    def _show_state(self, change: Any = None) -> None:
        self._show_buttons()
        state = self._run.state
        if state == "idle":
            ready = self._run.worker_ready
            self._text.value = "Ready to run." if ready else "Loading PyTorch; you can already press Run."
        elif state == "queued":
            self._progress.value = 0
            self._text.value = escape(self._run.message) or "Starting …"
        elif state in KINDS:
            self._show_end(state)

    def _show_end(self, state: str) -> None:
        self._progress.value = 1 if state == "finished" else self._progress.value
        self._text.value = f"The run is {escape(state)}." if state != "failed" else "The run failed."
        what = self._run.message or f"The run is {state}."
        if state == "finished":
            what = finished_sentence(self._run)
        advice = [self._advice(state), training_sentence(self._run.result)]
        self._messages.show(
            KINDS[state], f"{self._run.title}: {what}", " ".join(filter(None, advice)), self._run.traceback
        )

    def _advice(self, state: str) -> str:
        """What to do after a run that ended so."""
        points = self._run.points
        if state == "not converged" and points and all(point["converged"] for point in points):
            return NO_MINIMUM
        return ADVICE.get(state, "")

    def _show_progress(self, change: Any) -> None:
        if not self._run.iterations or not self._run.active:
            return
        last, calculation = self._run.iterations[-1], self._run.calculation
        assert calculation is not None
        residual, target = last["density_residual"], calculation.tolerance
        done, points = scf_fraction(residual, target), 1
        step = f"Step {last['iteration']}: density residual {residual:.1e}, target {target:.0e}"
        if isinstance(self._run.task, EquationOfStateTask):
            points, varied = self._run.task.points, self._run.task.vary.capitalize()
            done = (len(self._run.points) + done) / points
            step = f"{varied} {min(len(self._run.points) + 1, points)} of {points}. {step}"
        left = seconds_left(self._run.iterations, target, points)
        self._progress.value = min(done, 1.0)
        self._text.value = step if left is None else f"{step}; {in_words(left)}"

    def _show_what_follows(self, change: Any) -> None:
        """Bands and gradients are computed when the SCF has converged."""
        if self._run.active and change["new"]:
            last = change["new"][-1]
            if last["kind"] == "bands":
                self._progress.value = last["computed"] / last["points"]
                self._text.value = f"Bands at {last['computed']} of {last['points']} k points."
            elif last["kind"] == "adjoint":
                self._text.value = f"Gradient: step {last['iteration']}, residual {last['residual']:.1e}"


def scf_fraction(residual: float, target: float) -> float:
    """How far an SCF has come: the residual falls geometrically, from about one to the target."""
    if residual <= target:
        return 1.0
    return max(0.0, min(1.0, log(min(residual, 1.0)) / log(target)))


def finished_sentence(run: RunModel) -> str:
    """What came out of a finished run."""
    result = run.result
    if run.kind == "diagnosis":
        return f"Diagnosis: {result['verdict']}"
    if run.kind == "scf":
        energy = f"{result['free_energy_ha']:.6f}".replace("-", "−")
        seconds = result["seconds"]["total"]
        return f"converged in {result['iterations']} steps and {seconds:.1f} s: free energy F = {energy} Ha."
    if run.kind == "gradient":
        return f"differentiated. {gradient_in_words(result)}"
    if run.kind == "bands":
        return f"bands computed. {gap_in_words(result)}"
    return f"equation of state computed in {result['seconds']:.1f} s: {_equilibrium(result)}."


def _equilibrium(result: dict[str, Any]) -> str:
    """Size and stiffness that an equation of state has found."""
    constant, modulus = result["lattice_constant_ang"], result["bulk_modulus_gpa"]
    if modulus is None:
        size = f"a₀ = {constant:.4f} Å in the plane" if constant else f"A₀ = {result['area0_ang2']:.3f} Å²"
        return f"{size}, layer modulus B = {result['in_plane_modulus_n_per_m']:.1f} N/m, at fixed height of the cell"
    size = f"a₀ = {constant:.4f} Å" if constant else f"V₀ = {result['volume0_ang3']:.3f} Å³"
    return f"{size}, B = {modulus:.1f} GPa"
