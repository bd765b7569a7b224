"""A loss, and the functional whose parameters it is to be differentiated by, as plain data. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from mlxc.calculation.calculation import CURVE_DEFAULTS, Calculation
from mlxc.crystal.resizing import lattice_constant, natural_variation
from mlxc.errors import InputError
from mlxc.kohn_sham.monitor import Monitor
from mlxc.references.tables import best_reference
from mlxc.structures.shipped import shipped_name_of
from mlxc.tasks.task import Task
from mlxc.xc.catalogue import check_has_parameters

if TYPE_CHECKING:
    from mlxc.tasks.gradient.result import GradientResult

LossName = Literal["energy", "lattice_constant", "gap", "density_moment", "magnetisation"]


@dataclass(frozen=True)
class LossKind:
    """What a loss is made of.

    Attributes:
        quantity: in words.
        unit: of the quantity.
        of_energies: whether it follows from free energies alone, which are variational: no response is solved.
    """

    quantity: str
    unit: str
    of_energies: bool = False


LOSSES: dict[LossName, LossKind] = {
    "energy": LossKind("free energy F = E - TS per atom", "eV", of_energies=True),
    "lattice_constant": LossKind("lattice constant a0", "ang", of_energies=True),
    "gap": LossKind("gap of the k mesh", "eV"),
    "density_moment": LossKind("mean squared distance of the electrons from the nearest nucleus", "ang^2"),
    "magnetisation": LossKind("magnetisation of the cell", "Bohr magneton"),
}
# Densities and levels are of first order in the error of the density.
STATE_DEFAULTS = {"tolerance": 1e-7}


class GradientTask(Task):
    """A loss of one crystal, differentiated by the parameters of the calculation's functional.

    With a target the loss is the squared deviation of its quantity, see ``LOSSES``, from that; without, it is the
    quantity itself. Lattice constants deviate by percent of the target, which is that of the reference tables unless it
    is given; they come from the fit that :class:`~mlxc.EquationOfStateTask` makes, over a wider range of volumes.

    Attributes:
        calculation: whose functional has parameters.
        loss: what is differentiated.
        target: in the unit of the quantity.
        mode: ``implicit``: by one solution of Dyson's equation; or ``unrolled``: back through every step of an SCF with
            plain mixing, for small cells. Energies need neither.
        step: length of a step of steepest descent, in units of the norm of all parameters, after which everything is
            computed once more.
    """

    loss: LossName
    target: float | None = Field(default=None, allow_inf_nan=False)
    mode: Literal["implicit", "unrolled"] = "implicit"
    step: float | None = Field(default=None, gt=0, le=1, allow_inf_nan=False)

    @model_validator(mode="after")
    def _makes_a_loss(self) -> GradientTask:
        calculation, kind = self.calculation, LOSSES[self.loss]
        check_has_parameters(calculation.xc)
        if self.mode == "unrolled" and kind.of_energies:
            raise InputError(
                f"mode: the {kind.quantity} follows from energies that are variational, so that no gradient flows "
                "through the steps of an SCF; choose implicit, or another loss."
            )
        if self.loss == "gap" and calculation.smearing != "none":
            raise InputError(
                f"smearing: a gap with a gradient needs fixed occupations, none, not {calculation.smearing}."
            )
        if self.loss == "magnetisation":
            _check_magnetisation(calculation)
        if self.loss == "lattice_constant":
            _check_lattice_constant(calculation, self.target_and_source[0])
        return self

    @property
    def target_and_source(self) -> tuple[float | None, str | None]:
        """What the quantity is compared with, and where that comes from; None and None if with nothing."""
        if self.target is not None or self.loss != "lattice_constant":
            return self.target, None if self.target is None else "given"
        name = shipped_name_of(self.calculation.crystal)
        line = None if name is None else best_reference(name)
        if line is None or line.lattice_constant_ang is None:
            return None, None
        return line.lattice_constant_ang, f"{line.label}: {line.source}"

    @property
    def unit(self) -> str:
        """Of the loss."""
        if self.loss == "lattice_constant":
            return "percent^2"
        unit = LOSSES[self.loss].unit
        return unit if self.target is None else f"({unit})^2"

    @classmethod
    def defaults(cls, data: Mapping[str, Any]) -> dict[str, Any]:
        """What suits the loss: fixed occupations for a gap, a smoothed cutoff for a lattice constant, a density that is
        accurate enough for its loss.
        """
        given, loss = data.get("calculation", {}), data.get("loss")
        defaults: dict[str, Any] = CURVE_DEFAULTS if loss == "lattice_constant" else STATE_DEFAULTS
        if loss == "gap" and given.get("width_ha") is None:
            defaults = defaults | {"smearing": "none"}
        return defaults

    @property
    def asked(self) -> dict[str, Any]:
        """The question in the words of the result, see
        :meth:`~mlxc.tasks.gradient.result.GradientResult.summary`.
        """
        kind = LOSSES[self.loss]
        target, source = self.target_and_source
        return {
            "loss": self.loss,
            "mode": self.mode,
            "loss_unit": self.unit,
            "quantity": kind.quantity,
            "quantity_unit": kind.unit,
            "target": target,
            "target_source": source,
        }

    def run(
        self, monitor: Monitor | None = None, on_record: Callable[[dict[str, Any]], None] | None = None
    ) -> GradientResult:
        """Converge, differentiate, and if a step is asked for, make it and converge again.

        Args:
            monitor: called with one record per SCF step; may stop the run.
            on_record: called with what happens in between, which has a ``kind``: ``loss`` with its ``stage``
                (``before`` or ``after`` the step), ``value``, ``unit`` and ``quantity``; ``point`` of an equation of
                state, see :meth:`mlxc.EquationOfStateTask.run`; ``adjoint``, see
                :class:`~mlxc.response.dyson.AdjointRecord`; ``density_gradient`` with the ``norm`` that the gradient
                has at a ``step`` of an unrolled SCF, the last one first; may stop the run.

        Raises:
            InputError: the calculation cannot be done.
        """
        result: GradientResult = self._compute(monitor, on_record)
        return result


def _check_magnetisation(calculation: Calculation) -> None:
    if not calculation.spin:
        raise InputError("loss: only a spin-polarised calculation has a magnetisation; switch spin on as well.")
    if calculation.total_moment is not None:
        raise InputError("total_moment: a magnetisation that is held has no gradient; leave it out.")


def _check_lattice_constant(calculation: Calculation, target: float | None) -> None:
    crystal = calculation.crystal
    if lattice_constant(crystal, crystal.volume, natural_variation(crystal)) is None:
        raise InputError(
            f"loss: {crystal.name} has no single lattice constant; cubic crystals have, and hexagonal or square sheets."
        )
    if target is None:
        raise InputError(f"target: there is no reference for the lattice constant of {crystal.name}; give one, in ang.")
    if target <= 0:
        raise InputError(f"target: a lattice constant is positive, not {target:g}.")
