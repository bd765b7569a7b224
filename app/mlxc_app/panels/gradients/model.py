"""A loss, how its gradient reaches the functional, and what a step along it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from traitlets import Float, HasTraits, Instance, Unicode

from mlxc.errors import InputError
from mlxc.observables.catalogue import LOSSES
from mlxc.runs.start import with_ground_state
from mlxc.tasks.given_start import origin_in_words
from mlxc.tasks.gradient.presentation import gradient_in_words
from mlxc.tasks.gradient.task import GradientTask
from mlxc.tasks.kind import STAGE
from mlxc.xc.catalogue import check_has_parameters
from mlxc_app.choose.model import ChooseModel
from mlxc_app.run.model import RunModel
from mlxc_app.run.runs_list_model import visible_runs

# What the loss itself decides: the accuracy of the density, and of a curve how its cutoff is smoothed.
DECIDED = {"tolerance", "cutoff_smoothing_ha", "fft_grid"}
FIXED_OCCUPATIONS = {"smearing", "width_ha"}
# Kinds of the records of a gradient itself.
FLOW = ("loss", "adjoint", "density_gradient")
NO_STEP_OF_AN_ENERGY = (
    "An energy can be differentiated, but a step that lowers it teaches nothing: a free energy is no error. Choose a "
    "loss that has a reference, such as the lattice constant."
)
NO_STEP_WITHOUT_TARGET = (
    "A step needs a target: without one it would only lower the quantity itself, right or wrong. Give a target, and "
    "run the gradient again."
)
NO_PARAMETERS = "This functional has no parameters that a gradient could reach: choose pbe-kappa-mu or a network."


@dataclass(frozen=True)
class GradientPicture:
    """What the panel shows.

    Attributes:
        title: The title of the run; empty if the run in hand is of another kind.
        adjoint_steps, residuals: The steps of the solution of Dyson's equation so far, and their residuals.
        scf_steps, density_gradients: The steps of an unrolled SCF so far, and the norm of the gradient at them.
        result: The result, see :meth:`mlxc.tasks.gradient.result.GradientResult.summary`; empty before the run has
            ended.
        words: Where the run is, or what came out, in one or two sentences.
    """

    title: str = ""
    adjoint_steps: tuple[int, ...] = ()
    residuals: tuple[float, ...] = ()
    scf_steps: tuple[int, ...] = ()
    density_gradients: tuple[float, ...] = ()
    result: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""


class GradientModel(HasTraits):
    """Starts gradients of what is chosen, and follows them.

    Attributes:
        loss: A key of :data:`mlxc.observables.catalogue.LOSSES`.
        target: What its quantity is compared with, as a person writes it; empty for nothing.
        mode: ``implicit`` or ``unrolled``.
        step: The length of a step, in units of the norm of all parameters.
        picture: What is to be seen.
    """

    loss = Unicode("lattice_constant")
    target = Unicode()
    mode = Unicode("implicit")
    step = Float(0.05)
    picture = Instance(GradientPicture, args=())

    def __init__(self, run: RunModel, choose: ChooseModel) -> None:
        super().__init__()
        self._run, self._choose = run, choose
        run.observe(self._redraw, ["result", "title", "kind"])
        run.observe_records(self._redraw, *FLOW, "iteration")

    @property
    def can_step(self) -> bool:
        """Whether there is a gradient to take a step along, of a loss that a step should lower."""
        return bool(self.picture.result.get("parameters")) and not self.no_step

    @property
    def no_step(self) -> str:
        """Why no step is offered along the gradient that is shown, in a sentence or two; empty if one is, or if
        there is no gradient.
        """
        result = self.picture.result
        if not result.get("parameters"):
            return ""
        if LOSSES[result["loss"]].source == "energy":
            return NO_STEP_OF_AN_ENERGY
        return NO_STEP_WITHOUT_TARGET if result["target"] is None else ""

    def task(self) -> GradientTask:
        """What would be computed.

        Raises:
            InputError: it cannot be.
        """
        calculation = self._choose.calculation()
        _check_parameters(calculation.xc)
        observable = LOSSES[self.loss]
        left_out = DECIDED | (FIXED_OCCUPATIONS if observable.needs_fixed_occupations else set())
        data = calculation.model_dump(exclude=left_out)
        if observable.needs_spin:
            data["spin"] = True
        return GradientTask.from_dict(
            {"calculation": data, "loss": self.loss, "target": _number(self.target), "mode": self.mode}
        )

    def start(self) -> None:
        """Differentiate the loss of what is chosen.

        Raises:
            InputError: it cannot be computed.
        """
        self._start(self.task(), self._choose.run_title())

    def take_step(self) -> None:
        """Do again what is shown, and then take a step along the gradient and see what it does.

        Raises:
            InputError: there is nothing to do again, a step would teach nothing, or it is too long.
        """
        if self.no_step:
            raise InputError(self.no_step)
        task = self._run.task
        if not isinstance(task, GradientTask):
            raise InputError("There is no gradient yet: press “Run gradient” first.")
        self._start(GradientTask.from_dict(task.model_dump() | {"step": self.step}), self._run.title)

    def _start(self, task: GradientTask, title: str) -> None:
        """Compute a gradient, from a ground state that is there already if it needs no other."""
        runs = visible_runs(self._run.owner) if task.is_about_one_state else ()
        self._run.start(task, title, with_ground_state(task.calculation, runs))

    def _redraw(self, change: Any = None) -> None:
        run = self._run
        if run.kind != "gradient":
            self.picture = GradientPicture()
            return
        adjoint = run.of_kind("adjoint")
        # They arrive from the last step to the first.
        passed = run.of_kind("density_gradient")[::-1]
        result = run.result if "gradient_norm" in run.result else {}
        self.picture = GradientPicture(
            title=run.title,
            adjoint_steps=tuple(record["iteration"] for record in adjoint),
            residuals=tuple(record["residual"] for record in adjoint),
            scf_steps=tuple(record["step"] for record in passed),
            density_gradients=tuple(record["norm"] for record in passed),
            result=result,
            words=_words(run) if result else self._progress(),
        )

    def _progress(self) -> str:
        if not self._run.active:
            return ""
        flow = self._run.of_kind(*FLOW)
        if not flow:
            return f"First the loss: SCF step {len(self._run.of_kind('iteration'))}."
        last = flow[-1]
        if last["kind"] == "adjoint":
            return f"The gradient: step {last['iteration']} of the adjoint, residual {last['residual']:.1e}."
        if last["kind"] == "density_gradient":
            return f"The gradient has come back to SCF step {last['step']}."
        return "After the step everything is computed again." if last["stage"] == "after" else "Now its gradient."


def _words(run: RunModel) -> str:
    return f"{gradient_in_words(run.result)} {origin_in_words(run.of_kind(STAGE))}".strip()


def _check_parameters(xc: str) -> None:
    try:
        check_has_parameters(xc)
    except InputError:
        raise InputError(NO_PARAMETERS) from None


def _number(text: str) -> float | None:
    if not text.strip():
        return None
    try:
        return float(text.replace(",", ".").replace("−", "-"))
    except ValueError:
        raise InputError(f"Target: a number, or nothing; not “{text.strip()}”.") from None
