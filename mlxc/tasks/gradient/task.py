"""A loss, and the functional whose parameters it is to be differentiated by, as plain data. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pydantic import Field, model_validator

from mlxc.calculation.calculation import CURVE_DEFAULTS
from mlxc.errors import InputError
from mlxc.kohn_sham.monitor import Monitor
from mlxc.observables.catalogue import LOSSES
from mlxc.observables.observable import Observable
from mlxc.references.recognition import solid_name
from mlxc.references.tables import best_reference
from mlxc.structures.shipped import shipped_name_of
from mlxc.tasks.orders.task import MagneticOrdersTask
from mlxc.tasks.task import CrystalTask
from mlxc.xc.catalogue import check_has_parameters

if TYPE_CHECKING:
    from mlxc.tasks.gradient.result import GradientResult

    LossName: TypeAlias = str
else:  # pydantic lists the names, which a type checker cannot
    LossName = Literal[tuple(LOSSES)]

# Densities and levels are of first order in the error of the density.
STATE_DEFAULTS = {"tolerance": 1e-7}


class GradientTask(CrystalTask):
    """A loss of one crystal, differentiated by the parameters of the calculation's functional.

    With a target the loss is the squared deviation of its observable, see :data:`~mlxc.observables.catalogue.LOSSES`,
    from that; without, it is the observable itself. Lattice constants deviate by percent of the target, which is that
    of the reference tables unless it is given; they come from the fit that :class:`~mlxc.EquationOfStateTask` makes,
    over a wider range of volumes.

    Attributes:
        calculation: The calculation whose functional has the parameters.
        loss: What is differentiated.
        target: The target, in the unit of the observable.
        mode: The way back from the loss. ``implicit`` solves Dyson's equation once; ``unrolled`` goes back through
            every step of an SCF with plain mixing, for small cells. Energies need neither.
        step: The length of a step of steepest descent, in units of the norm of all parameters, after which everything
            is computed once more.
    """

    loss: LossName
    target: float | None = Field(default=None, allow_inf_nan=False)
    mode: Literal["implicit", "unrolled"] = "implicit"
    step: float | None = Field(default=None, gt=0, le=1, allow_inf_nan=False)

    @model_validator(mode="after")
    def _makes_a_loss(self) -> GradientTask:
        calculation, observable = self.calculation, self.observable
        check_has_parameters(calculation.xc)
        if self.mode == "unrolled" and observable.is_variational:
            raise InputError(
                f"mode: the {observable.title} follows from energies that are variational, so that no gradient flows "
                "through the steps of an SCF; choose implicit, or another loss."
            )
        if observable.needs_fixed_occupations and calculation.smearing != "none":
            raise InputError(
                f"smearing: a {observable.words} with a gradient needs fixed occupations, none, not "
                f"{calculation.smearing}."
            )
        if observable.needs_spin and not calculation.spin:
            raise InputError(
                f"loss: only a spin-polarised calculation has a {observable.words}; switch spin on as well."
            )
        if observable.held_by and getattr(calculation, observable.held_by) is not None:
            raise InputError(
                f"{observable.held_by}: a {observable.words} has no gradient where moments are held; leave it out."
            )
        observable.check_crystal(calculation.crystal)
        if observable.relative:
            _check_target(self.target_and_source[0], observable, calculation.crystal.name)
        return self

    @property
    def observable(self) -> Observable:
        """The observable that the loss is made of."""
        return LOSSES[self.loss]

    @property
    def is_about_one_state(self) -> bool:
        """See :attr:`CrystalTask.is_about_one_state`."""
        return self.observable.source in ("energy", "state")

    @property
    def target_and_source(self) -> tuple[float | None, str | None]:
        """What the quantity is compared with, and where that comes from; None and None if with nothing."""
        if self.target is not None or not self.observable.relative:
            return self.target, None if self.target is None else "given"
        name = shipped_name_of(self.calculation.crystal) or solid_name(self.calculation.crystal)
        line = None if name is None else best_reference(name)
        value = getattr(line, str(self.observable.column), None)
        return (None, None) if line is None or value is None else (value, f"{line.label}: {line.source}")

    @property
    def unit(self) -> str:
        """The unit of the loss."""
        if self.observable.relative:
            return "percent^2"
        unit = self.observable.unit
        return unit if self.target is None else f"({unit})^2"

    @classmethod
    def defaults(cls, data: Mapping[str, Any]) -> dict[str, Any]:
        """The settings that suit the loss: fixed occupations for a gap, a smoothed cutoff for a lattice constant, spin
        and smearing for magnetic orders, a density that is accurate enough for its loss.

        Raises:
            InputError: occupations are to be fixed, and moments of magnetic orders with them.
        """
        given, observable = data.get("calculation", {}), LOSSES.get(str(data.get("loss")))
        of_curve = observable is not None and observable.source == "curve"
        defaults: dict[str, Any] = CURVE_DEFAULTS if of_curve else STATE_DEFAULTS
        if observable is not None and observable.needs_fixed_occupations and given.get("width_ha") is None:
            defaults = defaults | {"smearing": "none"}
        if observable is not None and observable.source == "orders":
            defaults = defaults | MagneticOrdersTask.defaults(data)
        return defaults

    @property
    def asked(self) -> dict[str, Any]:
        """The question in the words of the result, see
        :meth:`~mlxc.tasks.gradient.result.GradientResult.summary`.
        """
        target, source = self.target_and_source
        return {
            "loss": self.loss,
            "mode": self.mode,
            "loss_unit": self.unit,
            "quantity": self.observable.title,
            "quantity_unit": self.observable.unit,
            "target": target,
            "target_source": source,
        }

    def run(
        self, monitor: Monitor | None = None, on_record: Callable[[dict[str, Any]], None] | None = None
    ) -> GradientResult:
        """Converge, differentiate, and if a step is asked for, make it and converge again.

        Args:
            monitor: A function that is called with one record per SCF step; it may stop the run.
            on_record: A function that is called with what happens in between, which has a ``kind``: ``loss`` with its
                ``stage`` (``before`` or ``after`` the step), ``value``, ``unit`` and ``quantity``; ``point`` of an
                equation of state, see :meth:`mlxc.EquationOfStateTask.run`; ``adjoint``, see
                :class:`~mlxc.kohn_sham.monitor.AdjointRecord`; ``density_gradient`` with the ``norm`` that the gradient
                has at a ``step`` of an unrolled SCF, the last one first. It may stop the run.

        Raises:
            InputError: the calculation cannot be done.
        """
        result: GradientResult = self._compute(monitor, on_record)
        return result


def _check_target(target: float | None, observable: Observable, crystal: str) -> None:
    if target is None:
        raise InputError(
            f"target: there is no reference for the {observable.words} of {crystal}; give one, in {observable.unit}."
        )
    if target <= 0:
        raise InputError(f"target: a {observable.words} is positive, not {target:g}.")
