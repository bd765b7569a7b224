"""How a loss reaches a functional: what is needed to see it, in one record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from math import hypot

import torch
from torch import Tensor

from mlxc.errors import InputError
from mlxc.grid.fields import Fields
from mlxc.kohn_sham.monitor import AdjointMonitor, AdjointRecord
from mlxc.kohn_sham.state import GroundState


@dataclass(frozen=True)
class GradientFlow:
    """The flow of the gradient of one loss through one state.

    Attributes:
        parameter_gradients: dL/d(parameter) by name, through all states that the loss depends on.
        adjoint: The steps of the solution of Dyson's equation; empty for losses of energies alone and unrolled SCFs.
        density_gradients: dL/d(fields) at each step of an unrolled SCF, ``(nfield, nspin, n1, n2, n3)``; else empty.
        xc_sensitivity: Where in the crystal the loss reaches e_xc: dL/d(ln e_xc), which is dL/d(lambda) per volume if
            e_xc became (1 + lambda) e_xc at a point, shape ``(n1, n2, n3)``, 1/bohr^3. Its integral is the derivative
            with respect to a factor of E_xc.
        variables: ``rs``, ``zeta``, ``s`` and, where the functional sees it, ``alpha``, at the same points.
        volume: The volume of a point, bohr^3.
    """

    parameter_gradients: dict[str, Tensor]
    adjoint: list[AdjointRecord]
    density_gradients: list[Tensor]
    xc_sensitivity: Tensor
    variables: dict[str, Tensor]
    volume: float

    @property
    def parameter_norms(self) -> dict[str, float]:
        """|dL/d(parameter)| by name."""
        return {name: float(gradient.norm()) for name, gradient in self.parameter_gradients.items()}

    @property
    def layer_norms(self) -> dict[str, float]:
        """|dL/d(parameters)| of each module that holds some, by its name."""
        norms: dict[str, float] = {}
        for name, norm in self.parameter_norms.items():
            layer = name.rpartition(".")[0] or name
            norms[layer] = hypot(norms.get(layer, 0.0), norm)
        return norms

    @property
    def density_gradient_norms(self) -> list[float]:
        """(integral of (dL/dn(r))^2)^(1/2), with the functional derivative, at each step of an unrolled SCF."""
        return [_density_norm(fields, self.volume) for fields in self.density_gradients]

    def histogram(self, edges: Mapping[str, Tensor]) -> Tensor:
        """``xc_sensitivity`` integrated over the parts where several variables lie between neighbouring edges.

        Args:
            edges: The ascending edges, shape ``(nbin + 1,)``, by variable, one of ``variables``; what lies beyond them
                is left out.

        Returns:
            one axis for each variable, in the order in which they are given.

        Raises:
            InputError: there is no such variable.
        """
        shape = [len(values) - 1 for values in edges.values()]
        inside = torch.ones(self.xc_sensitivity.numel(), dtype=torch.bool, device=self.xc_sensitivity.device)
        position = torch.zeros(self.xc_sensitivity.numel(), dtype=torch.long, device=self.xc_sensitivity.device)
        for (variable, values), count in zip(edges.items(), shape, strict=True):
            if variable not in self.variables:
                raise InputError(f"There is no {variable!r}; there are {', '.join(self.variables)}.")
            bins = torch.bucketize(self.variables[variable].flatten(), values, right=True) - 1
            inside &= (bins >= 0) & (bins < count)
            position = position * count + bins
        total = self.xc_sensitivity.new_zeros(shape).flatten()
        return total.index_add(0, position[inside], self.xc_sensitivity.flatten()[inside] * self.volume).view(shape)


def gradient_flow(loss: Tensor, ground: GroundState, monitor: AdjointMonitor | None = None) -> GradientFlow:
    """Differentiate a loss of one converged state, and record how; see :func:`gradient_flows`."""
    return gradient_flows(loss, [ground], monitor)[0]


def gradient_flows(
    loss: Tensor,
    states: Sequence[GroundState],
    monitor: AdjointMonitor | None = None,
    step_monitor: Callable[[int, float], None] | None = None,
) -> list[GradientFlow]:
    """Differentiate a loss of several converged states with the same functional, and record how, for each of them.

    Gradients of parameters are left as they are; an unrolled state's ``unrolled_fields`` get theirs.

    Args:
        loss: A number that depends on energies of the states, or on parts of states with gradients.
        states: The states, whose graphs are kept.
        monitor: A function that is told of each step of the solutions of Dyson's equation, and may stop them.
        step_monitor: A function that is told the index of each step of an unrolled SCF that the gradient has reached,
            the last one first, and its norm there, see :attr:`GradientFlow.density_gradient_norms`, and may stop it.

    Raises:
        InputError: the loss has no gradient.
        ResponseError: Dyson's equation cannot be solved.
    """
    if not loss.requires_grad:
        raise InputError("A gradient flows from a loss with a gradient to a state whose functional has parameters.")
    parameters = {name: value for name, value in states[0].problem.functional.named_parameters() if value.requires_grad}
    solved = [len(state.adjoint.histories) if state.adjoint else 0 for state in states]
    sources: list[Tensor] = [*parameters.values()]
    for state in states:
        sources += [state.problem.xc.factor, *state.unrolled_fields]
        if state.adjoint is not None:
            state.adjoint.monitor = monitor
    with ExitStack() as hooks:
        if step_monitor is not None:
            for state in states:
                _watch(state, step_monitor, hooks)
        # What does not take part in the loss has no gradient, which is zero.
        found = iter(torch.autograd.grad(loss, sources, retain_graph=True, allow_unused=True, materialize_grads=True))
    gradients = {name: next(found) for name in parameters}
    flows = []
    for state, before in zip(states, solved, strict=True):
        problem = state.problem
        volume = float(problem.basis.grid.volume / problem.basis.grid.size)
        flows.append(
            GradientFlow(
                parameter_gradients=gradients,
                xc_sensitivity=problem.averaged_over_group(next(found)) / volume,
                density_gradients=[next(found) for _ in state.unrolled_fields],
                adjoint=state.adjoint.histories[-1] if state.adjoint and len(state.adjoint.histories) > before else [],
                variables=problem.xc.variables(Fields.unstacked(state.fields.detach(), problem.kinds)),
                volume=volume,
            )
        )
    return flows


def _watch(state: GroundState, step_monitor: Callable[[int, float], None], hooks: ExitStack) -> None:
    """Tell of the gradient at each step of an unrolled SCF as it passes."""
    volume = float(state.basis.grid.volume / state.basis.grid.size)
    for index, fields in enumerate(state.unrolled_fields):

        def tell(gradient: Tensor, index: int = index) -> None:
            step_monitor(index, _density_norm(gradient, volume))

        hooks.callback(fields.register_hook(tell).remove)


def _density_norm(gradient: Tensor, volume: float) -> float:
    """(integral of (dL/dn(r))^2)^(1/2) from the derivatives by the values at the points of a grid."""
    return float(gradient[0].norm()) / volume**0.5
