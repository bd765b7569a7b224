"""Gradients of whatever a converged state determines, by one solution of Dyson's equation for each loss.

The converged density is a function of the functional's parameters because the potential is. Here it becomes one for
autograd: the potential v[n; theta] at the fixed converged density goes in, the state comes out, and the way back
multiplies with the self-adjoint susceptibility. What that costs does not depend on the number of parameters, nor on how
many steps the SCF took.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mlxc.errors import InputError
from mlxc.kohn_sham.monitor import AdjointMonitor, AdjointRecord
from mlxc.kohn_sham.state import GroundState
from mlxc.response.adjoint import takes_part
from mlxc.response.bands import Bands, refined_bands, tolerance_of
from mlxc.response.dyson import solve_dyson
from mlxc.response.exchanged_spins import ExchangedSpins
from mlxc.response.kernel import kernel_at
from mlxc.response.loss import Cotangents, LossResponse

# Relative size of rounding errors in a response.
ROUNDING = 1e-13


class StateAdjoint:
    """The way back through a converged state, see :class:`~mlxc.kohn_sham.state.AttachedAdjoint`.

    Args:
        ground: the state.

    Attributes:
        potential: The potential v[n; theta] on the grid, shape ``(nfield, nspin, n1, n2, n3)``, through which all
            gradients pass.
    """

    def __init__(self, ground: GroundState) -> None:
        self._problem = ground.problem
        self._fields, self._orbitals = ground.fields.detach(), ground.orbitals.detach()
        self._converged, self._message = ground.converged, ground.message
        self._metal = ground.smearing is not None
        self._tolerance = tolerance_of(ground)
        self._refine = lambda: refined_bands(ground, self._tolerance, self._spins())
        self._parameters = [value for value in ground.problem.functional.parameters() if value.requires_grad]
        self._bands: Bands | None = None
        self.potential = self._problem.differentiable_potential(self._fields)
        self.histories: list[list[AdjointRecord]] = []
        self.monitor: AdjointMonitor | None = None
        self.unrolled_fields: list[Tensor] = []

    def cotangent(self, cotangents: Cotangents) -> Tensor:
        """dL/dv on the grid, from dL with respect to the parts of the state.

        Raises:
            InputError: the state has not converged.
            ResponseError: Dyson's equation cannot be solved.
        """
        if not self._converged:
            raise InputError(f"There is no gradient of a state that has not converged. {self._message}")
        grid = self._problem.basis.grid
        loss = LossResponse(self.bands, cotangents, self._orbitals, self._fields[0])
        found, history = solve_dyson(
            loss.independent,
            kernel_at(self._problem, self._fields),
            grid,
            loss.potential,
            loss.direct,
            self._metal,
            self._tolerance,
            ROUNDING * loss.reach,
            self.monitor,
        )
        self.histories.append(history)
        return grid.real(found)

    @property
    def bands(self) -> Bands:
        """Accurate bands of the state, computed when they are first needed."""
        if self._bands is None:
            self._bands = self._refine()
        return self._bands

    def _spins(self) -> ExchangedSpins | None:
        """The symmetry by which spin up stands for both spins, if parameters keep it."""
        with torch.no_grad():
            potential = self._problem.potential_of(self.potential.detach())
            spins = ExchangedSpins.of(self._problem, potential)
        if spins is None or not spins.is_kept_by(self.potential, self._parameters, self._fields):
            return None
        return spins


class _ConvergedState(torch.autograd.Function):
    """The map from the effective potential to fields, orbitals, eigenvalues and electrons."""

    @staticmethod
    def forward(ctx: Any, potential: Tensor, ground: GroundState, adjoint: StateAdjoint) -> tuple[Tensor, ...]:
        ctx.adjoint = adjoint
        parts = (ground.fields, ground.orbitals, ground.eigenvalues, ground.occupations)
        return tuple(values.detach() for values in parts)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor, None, None]:
        return ctx.adjoint.cotangent(Cotangents(*cotangents)), None, None


@dataclass(frozen=True)
class Implicit:
    """Differentiates a converged state by one solution of Dyson's equation for each loss.

    A loss may depend on orbitals as physics does, not on their phases or on how degenerate ones are mixed; and on
    levels that hold electrons, since empty ones are not converged. A state that has not converged says so when a loss
    is differentiated.
    """

    def attach(self, ground: GroundState) -> GroundState:
        """Make the parts of a state functions of the functional's parameters.

        Args:
            ground: a state, which is left as it is.

        Returns:
            the state whose density, kinetic-energy density, eigenvalues, occupations and orbitals take part in
            autograd; the given one if the functional has no parameters that require gradients, or autograd is switched
            off.
        """
        if not takes_part(ground):
            return ground
        adjoint = StateAdjoint(ground)
        parts = _ConvergedState.apply(adjoint.potential, ground, adjoint)
        return replace(ground, electrons=ground.electrons.with_parts(*parts), adjoint=adjoint)
