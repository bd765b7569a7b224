"""What came of differentiating a loss: numbers and curves as plain data, and a field in the crystal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import hypot, pi
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mlxc.crystal.vacuum import vacuum_directions
from mlxc.kohn_sham.state import GroundState
from mlxc.response.gradient_flow import GradientFlow
from mlxc.results.state_file import XC_SENSITIVITY
from mlxc.units import BOHR_ANG

# Of the histogram, whose outermost bins hold what lies beyond: rs from 0.2 to 20 bohr, s from 0 to 4.
RS_EDGES = torch.logspace(-0.7, 1.3, 41, dtype=torch.float64)
S_EDGES = torch.linspace(0, 4, 41, dtype=torch.float64)


@dataclass(frozen=True)
class Evaluation:
    """A loss and what it was made of.

    Attributes:
        states: The states that the loss depends on.
        main: The one of them that is nearest to the given crystal.
        quantity: The quantity that the loss is made of, in the unit of :data:`~mlxc.observables.catalogue.LOSSES`; None
            where it could not be found.
        loss: The loss, attached to the functional's parameters; None where there is no quantity.
        message: Why there is no loss, in one sentence.
    """

    states: list[GroundState]
    main: GroundState
    quantity: Tensor | None
    loss: Tensor | None
    message: str


@dataclass(frozen=True)
class GradientResult:
    """A loss, its gradient, and what a step along it does.

    Attributes:
        asked: The question, as plain data, see :attr:`mlxc.tasks.gradient.task.GradientTask.asked`.
        calculation: The settings, as plain data.
        step: The length of the step along the gradient; None if none was asked for.
        before: The loss with the functional as it is.
        flows: The gradient of the loss through each state of ``before``; None where there is none.
        parameters: The values of the parameters before the step, by name.
        after: The loss after the step; None without one.
        moved_parameters: The values of the parameters after the step, by name.
        message: Why there is no gradient, in one sentence, else empty.
        seconds: The times of the ``scf``, the ``gradient`` and what comes ``after`` the step.
    """

    asked: Mapping[str, Any]
    calculation: dict[str, Any]
    step: float | None
    before: Evaluation
    flows: list[GradientFlow] | None
    parameters: dict[str, Tensor]
    after: Evaluation | None
    moved_parameters: dict[str, Tensor]
    message: str
    seconds: dict[str, float]

    @property
    def converged(self) -> bool:
        """Whether there is a gradient, and if a step was asked for, a loss after it."""
        return not self.message

    @property
    def ground(self) -> GroundState:
        """The state at the given crystal, before the step."""
        return self.before.main

    @property
    def xc_sensitivity(self) -> Tensor | None:
        """dL/d(ln e_xc) at each point, see :class:`~mlxc.response.gradient_flow.GradientFlow`, 1/bohr^3.

        For a loss of several volumes it is the sum over all of them at the same fractional positions, per volume of
        ``ground``.
        """
        if self.flows is None:
            return None
        volume = self.ground.crystal.volume / self.ground.basis.grid.size
        return torch.stack([flow.xc_sensitivity * (flow.volume / volume) for flow in self.flows]).sum(0)

    def summary(self) -> dict[str, Any]:
        """The result as plain data, the JSON object of the command line; what is not computed is None."""
        first = None if self.flows is None else self.flows[0]
        return {
            "converged": self.converged,
            "message": self.message,
            **self.asked,
            "before": _evaluated(self.before, self.parameters),
            "gradient_norm": first and hypot(*first.parameter_norms.values()),
            "layers": first and first.layer_norms,
            "parameters": first and _parameters(first, self.parameters),
            "adjoint": first and [record.to_dict() for record in first.adjoint],
            "density_gradient_norms": first and first.density_gradient_norms,
            "pull": self._sensitivity_summary(),
            "step": self.step,
            "after": self.after and _evaluated(self.after, self.moved_parameters),
            "natoms": len(self.ground.crystal.species),
            "fft_grid": list(self.ground.basis.grid.shape),
            "seconds": self.seconds,
            "calculation": self.calculation,
        }

    def _sensitivity_summary(self) -> dict[str, Any] | None:
        """The sensitivity over (rs, s), and its mean over planes."""
        sensitivity = self.xc_sensitivity
        if self.flows is None or sensitivity is None:
            return None
        histograms = [flow.histogram({"rs": _open(RS_EDGES), "s": _open(S_EDGES)}) for flow in self.flows]
        return {
            "integral": sum(float(flow.xc_sensitivity.sum()) * flow.volume for flow in self.flows),
            "rs_edges_bohr": RS_EDGES.tolist(),
            "s_edges": S_EDGES.tolist(),
            "by_rs_and_s": torch.stack(histograms).sum(0).tolist(),
            "planar_average": _planar_averages(self.ground, sensitivity),
        }

    @property
    def fields(self) -> dict[str, Tensor]:
        """What is saved beside the state: :attr:`xc_sensitivity` on the grid of the density, in units of the loss per
        bohr^3; nothing where there is none.
        """
        return {} if self.xc_sensitivity is None else {XC_SENSITIVITY: self.xc_sensitivity}

    def save(self, path: Path) -> None:
        """Write the state with :attr:`fields`."""
        self.ground.save(path, self.fields)


def _open(edges: Tensor) -> Tensor:
    """The edges of bins of which the outermost have no end."""
    opened = edges.clone()
    opened[0], opened[-1] = -torch.inf, torch.inf
    return opened


def _evaluated(evaluation: Evaluation, parameters: dict[str, Tensor]) -> dict[str, Any]:
    return {
        "loss": None if evaluation.loss is None else float(evaluation.loss.detach()),
        "quantity": None if evaluation.quantity is None else float(evaluation.quantity.detach()),
        "free_energy_ha": float(evaluation.main.energy.detach()),
        "scf_iterations": sum(len(state.history) for state in evaluation.states),
        "single_parameters": {name: float(value) for name, value in parameters.items() if value.numel() == 1},
        "message": evaluation.message,
    }


def _parameters(flow: GradientFlow, values: dict[str, Tensor]) -> dict[str, Any]:
    """The size and norms of each parameter; for single numbers the number and its derivative as well."""
    described = {}
    for name, gradient in flow.parameter_gradients.items():
        single = gradient.numel() == 1
        described[name] = {
            "size": gradient.numel(),
            "norm": float(values[name].norm()),
            "gradient_norm": float(gradient.norm()),
            "value": float(values[name]) if single else None,
            "gradient": float(gradient) if single else None,
        }
    return described


def _planar_averages(ground: GroundState, sensitivity: Tensor) -> dict[str, Any]:
    """Means of sensitivity and density over planes, across the vacuum of a sheet, else along the third vector."""
    empty = vacuum_directions(ground.crystal)
    axis = empty[0] if len(empty) == 1 else 2
    planes = tuple(i for i in range(3) if i != axis)
    height_ang = 2 * pi / float(ground.basis.grid.reciprocal[axis].norm()) * BOHR_ANG
    count = ground.basis.grid.shape[axis]
    density = ground.density.detach().sum(0)
    return {
        "axis": axis,
        "positions_ang": [height_ang * i / count for i in range(count)],
        "pull_per_ang3": (sensitivity.mean(planes) / BOHR_ANG**3).tolist(),
        "density_per_ang3": (density.mean(planes) / BOHR_ANG**3).tolist(),
    }
