"""Gradients of whatever a converged state determines, by one solution of Dyson's equation for each loss.

The converged density is a function of the functional's parameters because the potential is. Here it becomes one for
autograd: the potential v[n; theta] at the fixed converged density goes in, the state comes out, and the way back
multiplies with the self-adjoint susceptibility. What that costs does not depend on the number of parameters, nor on how
many steps the SCF took.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mlxc.errors import InputError
from mlxc.response.bands import Bands, refined_bands, rotated_like
from mlxc.response.dyson import AdjointRecord, solve_dyson
from mlxc.response.independent import IndependentResponse, OrbitalSource
from mlxc.scf.ground_state import GroundState
from mlxc.scf.kohn_sham import KohnSham

# A gradient is as accurate as the SCF, within these bounds.
TOLERANCES = (1e-10, 1e-6)
# Relative size of rounding errors in a response; and the smallest norm that can be divided by.
ROUNDING = 1e-11
TINY = 1e-150


class StateAdjoint:
    """The way back through a converged state.

    Args:
        ground: the state.

    Attributes:
        histories: of the solutions so far, one for each backward pass.
    """

    def __init__(self, ground: GroundState) -> None:
        assert ground.problem is not None
        self._ground = ground
        self._problem: KohnSham = ground.problem
        self._bands: Bands | None = None
        # A change of the potential at one point of the grid acts in this volume.
        self._per_point = ground.problem.basis.grid.volume / ground.problem.basis.grid.size
        self._tolerance = min(max(ground.history[-1].density_residual, TOLERANCES[0]), TOLERANCES[1])
        self.histories: list[list[AdjointRecord]] = []

    def cotangent(self, fields: Tensor, orbitals: Tensor, eigenvalues: Tensor, electrons: Tensor) -> Tensor:
        """dL/dv on the grid, from dL with respect to the parts of the state, all of their shapes."""
        grid, bands = self._problem.basis.grid, self.bands
        source = None
        if bool(orbitals.any()) or bool(electrons.any()):
            rotated = rotated_like(orbitals, self._ground.orbitals.detach(), bands.orbitals)
            source = OrbitalSource(rotated * self._per_point, electrons * self._per_point)
        symmetric = self._problem.symmetrizer.coefficients(grid.fourier(fields))
        direct = self._direct(eigenvalues)
        # What the loss could move if electrons answered as strongly as one hartree allows.
        reach = symmetric.norm() * grid.fourier(self._ground.density.detach()).norm() + direct.norm()
        found, history = solve_dyson(
            IndependentResponse(bands, source),
            self._kernel(),
            grid,
            grid.real(symmetric),
            direct,
            self._ground.smearing is not None,
            self._tolerance,
            max(ROUNDING * float(reach), TINY),
        )
        self.histories.append(history)
        return grid.real(found)

    @property
    def bands(self) -> Bands:
        """Accurate bands of the state, computed when they are first needed."""
        if self._bands is None:
            self._bands = refined_bands(self._ground, self._tolerance)
        return self._bands

    def _kernel(self) -> Callable[[Tensor], Tensor]:
        leaf = self._ground.fields.detach().requires_grad_()
        potential = self._problem.differentiable_potential(leaf)

        def apply(cotangent: Tensor) -> Tensor:
            (image,) = torch.autograd.grad(potential, leaf, cotangent, retain_graph=True)
            return image

        return apply

    def _direct(self, eigenvalues: Tensor) -> Tensor:
        """What a loss that sees eigenvalues asks of the potential: de_n = <n|dv|n>."""
        basis = self._problem.basis
        bands = self.bands
        sensitivity = eigenvalues / bands.weights
        densities = [basis.density_change(bands.orbitals, bands.orbitals * sensitivity[..., None] / 2)]
        if self._ground.kinetic_density is not None:
            densities.append(basis.kinetic_density_change(bands.orbitals, bands.orbitals * sensitivity[..., None] / 2))
        return self._problem.symmetrizer.coefficients(basis.grid.fourier(torch.stack(densities))) * self._per_point


class _ConvergedState(torch.autograd.Function):
    """From the effective potential to fields, orbitals, eigenvalues and electrons."""

    @staticmethod
    def forward(ctx: Any, potential: Tensor, ground: GroundState, adjoint: StateAdjoint) -> tuple[Tensor, ...]:
        ctx.adjoint = adjoint
        return tuple(
            values.detach().clone()
            for values in (ground.fields, ground.orbitals, ground.eigenvalues, ground.occupations)
        )

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor, None, None]:
        return ctx.adjoint.cotangent(*cotangents), None, None


def attach(ground: GroundState) -> StateAdjoint:
    """Make the parts of a converged state functions of the functional's parameters, in place.

    Density, kinetic-energy density, eigenvalues, occupations and orbitals then take part in autograd. A loss may depend
    on orbitals as physics does, not on their phases or on how degenerate ones are mixed.

    Raises:
        InputError: the state has not converged, or was read from a file.
    """
    if ground.problem is None:
        raise InputError("Gradients need the Hamiltonian, which a result that was read from a file does not hold.")
    if not ground.converged:
        raise InputError(f"There is no gradient of a state that has not converged. {ground.message}")
    adjoint = StateAdjoint(ground)
    potential = ground.problem.differentiable_potential(ground.fields.detach())
    fields, orbitals, eigenvalues, electrons = _ConvergedState.apply(potential, ground, adjoint)
    ground.density, ground.kinetic_density = fields[0], fields[1] if len(fields) > 1 else None
    ground.orbitals, ground.eigenvalues, ground.occupations = orbitals, eigenvalues, electrons
    ground.adjoint = adjoint
    return adjoint
