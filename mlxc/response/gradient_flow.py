"""How a loss reaches a functional: what is needed to see it, in one record."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot

import torch
from torch import Tensor

from mlxc.errors import InputError
from mlxc.response.dyson import AdjointRecord
from mlxc.scf.ground_state import GroundState


@dataclass(frozen=True)
class GradientFlow:
    """Of one loss.

    Attributes:
        parameter_norms: |dL/d(parameter)| by name.
        adjoint: steps of the solution of Dyson's equation; empty for losses of energies alone and unrolled SCFs.
        density_gradients: dL/d(fields) at each step of an unrolled SCF, ``(nfield, nspin, n1, n2, n3)``; else empty.
        pull: where in the crystal the loss pulls: dL/d(lambda) per volume if e_xc became (1 + lambda) e_xc at a point,
            shape ``(n1, n2, n3)``, 1/bohr^3. Its integral is the derivative with respect to a factor of E_xc.
        variables: ``rs``, ``zeta``, ``s`` and ``alpha``, as far as the functional sees them, at the same points.
        volume: of a point, bohr^3.
    """

    parameter_norms: dict[str, float]
    adjoint: list[AdjointRecord]
    density_gradients: list[Tensor]
    pull: Tensor
    variables: dict[str, Tensor]
    volume: float

    @property
    def layer_norms(self) -> dict[str, float]:
        """|dL/d(parameters)| of each module that holds some, by its name."""
        norms: dict[str, float] = {}
        for name, norm in self.parameter_norms.items():
            layer = name.rpartition(".")[0] or name
            norms[layer] = hypot(norms.get(layer, 0.0), norm)
        return norms

    def resolved(self, variable: str, edges: Tensor) -> Tensor:
        """The pull integrated over the parts of the crystal where a variable lies between neighbouring edges.

        Args:
            variable: one of ``variables``.
            edges: ascending, shape ``(nbin + 1,)``; what lies beyond them is left out.

        Returns:
            shape ``(nbin,)``.

        Raises:
            InputError: the functional does not see this variable.
        """
        if variable not in self.variables:
            raise InputError(f"There is no {variable!r}; the functional sees {', '.join(self.variables)}.")
        bins = torch.bucketize(self.variables[variable].flatten(), edges, right=True) - 1
        inside = (bins >= 0) & (bins < len(edges) - 1)
        total = torch.zeros(len(edges) - 1, dtype=self.pull.dtype)
        return total.index_add(0, bins[inside], self.pull.flatten()[inside] * self.volume)


def gradient_flow(loss: Tensor, ground: GroundState) -> GradientFlow:
    """Differentiate a loss of one converged state, and record how.

    Gradients of parameters are left as they are; an unrolled state's ``unrolled_fields`` get theirs.

    Args:
        loss: a number that depends on parts of ``ground``.
        ground: a state with gradients, whose graph is kept.

    Raises:
        InputError: the loss or the state has no gradients.
    """
    problem = ground.problem
    if problem is None or not loss.requires_grad or not (ground.adjoint or ground.unrolled_fields):
        raise InputError("A gradient flows from a loss with a gradient to a state whose functional has parameters.")
    adjoint, steps = ground.adjoint, ground.unrolled_fields
    before = len(adjoint.histories) if adjoint else 0
    parameters = {name: value for name, value in problem.functional.named_parameters() if value.requires_grad}
    # What does not take part in the loss has no gradient, which is zero.
    found = torch.autograd.grad(
        loss,
        [*parameters.values(), problem.emphasis, *steps],
        retain_graph=True,
        allow_unused=True,
        materialize_grads=True,
    )
    count = len(parameters)
    volume = float(problem.basis.grid.volume / problem.basis.grid.size)
    return GradientFlow(
        parameter_norms={name: float(g.norm()) for name, g in zip(parameters, found[:count], strict=True)},
        adjoint=adjoint.histories[-1] if adjoint and len(adjoint.histories) > before else [],
        density_gradients=list(found[count + 1 :]),
        pull=problem.averaged_over_group(found[count]) / volume,
        variables=problem.xc_variables(ground.fields.detach()),
        volume=volume,
    )
