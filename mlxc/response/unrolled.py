"""The self-consistent field as a chain of steps, each of which autograd goes back through.

This is slower than the implicit gradient, and its memory grows with the number of steps; but every density on the way
has a gradient of its own, which shows how a loss flows back through the iteration, and it is a witness of the implicit
one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mlxc.crystal.magnetism import starting_moments
from mlxc.errors import MlxcError
from mlxc.kohn_sham.mixing.kerker import kerker_fractions
from mlxc.kohn_sham.monitor import AdjointMonitor, AdjointRecord
from mlxc.kohn_sham.residual import density_residual
from mlxc.kohn_sham.start.guess import starting_orbitals, superposed_spin_density
from mlxc.kohn_sham.state import GroundState
from mlxc.response.adjoint import takes_part
from mlxc.response.bands import Bands, bands_in
from mlxc.response.implicit import Implicit
from mlxc.response.loss import Cotangents, LossResponse

# The accuracy of the bands of each step, and of the changes of their orbitals.
TOLERANCE, CHANGE_TOLERANCE = 1e-8, 1e-10


class UnrolledError(MlxcError):
    """The plain iteration did not reach the converged density."""


class UnrolledAdjoint:
    """The way back through the steps of an SCF, see :class:`~mlxc.kohn_sham.state.AttachedAdjoint`.

    Args:
        unrolled_fields: the fields that went into each step, shape ``(nfield, nspin, n1, n2, n3)``.
    """

    def __init__(self, unrolled_fields: list[Tensor]) -> None:
        self.unrolled_fields = unrolled_fields
        self.histories: list[list[AdjointRecord]] = []
        self.monitor: AdjointMonitor | None = None


@dataclass(frozen=True)
class Unrolled:
    """Repeats the SCF from free atoms in plain steps that autograd goes back through.

    Attributes:
        damping: The fraction of each change of the fields that is taken. Plain mixing converges slowly and surely.
        screening: The wave number, 1/bohr, below which less of a change is taken. In an insulator nothing screens long
            waves, so there they are not held back.
        max_steps: The largest number of steps.
    """

    damping: float = 0.5
    screening: float = 0.3
    max_steps: int = 200

    def attach(self, ground: GroundState) -> GroundState:
        """Repeat the SCF of a converged state in steps that autograd sees.

        Args:
            ground: a state, which is left as it is. The steps of one that has not converged lead nowhere; the implicit
                adjoint takes it, and says so when a loss is differentiated.

        Returns:
            the state that the last step has found, with the fields that went into each step in ``unrolled_fields``; the
            given one if the functional has no parameters that require gradients, or autograd is switched off.

        Raises:
            UnrolledError: plain mixing does not converge for this crystal.
        """
        if not takes_part(ground):
            return ground
        if not ground.converged:
            return Implicit().attach(ground)
        problem, nspin = ground.problem, len(ground.density)
        grid = problem.basis.grid
        screening = self.screening if ground.smearing is not None else 0.0
        share = kerker_fractions(grid, self.damping, screening)
        start = superposed_spin_density(
            grid, problem.ions, starting_moments(ground.crystal), nspin, ground.total_moment
        )
        fields = grid.real(problem.guessed_fields(start)).requires_grad_()
        tolerance = max(ground.history[-1].density_residual, 1e-10)
        visited: list[Tensor] = []
        # Those of the result would be close to others than the lowest in the potential of free atoms.
        nband = ground.orbitals.shape[1]
        orbitals = starting_orbitals(problem.basis, problem.ions, nband, seed=0).repeat(nspin, 1, 1)[:, :nband]
        for _ in range(self.max_steps):
            visited.append(fields)
            fields.retain_grad()
            step = _Step(ground, orbitals)
            parts = _StateInPotential.apply(problem.differentiable_potential(fields), step)
            orbitals = step.bands.orbitals
            change = grid.fourier(parts[0] - fields)
            if density_residual(grid, change[0].detach(), problem.ions.nelectrons) < tolerance:
                return replace(ground, electrons=ground.electrons.with_parts(*parts), adjoint=UnrolledAdjoint(visited))
            fields = fields + grid.real(share * change)
        raise UnrolledError(f"Plain mixing has not converged after {self.max_steps} steps; use the implicit gradient.")


class _Step:
    """What one step needs, and what it leaves behind for the way back."""

    def __init__(self, ground: GroundState, guess: Tensor) -> None:
        self.ground, self.guess = ground, guess
        self.bands: Bands
        self.density: Tensor

    def compute(self, potential: Tensor) -> tuple[Tensor, ...]:
        problem = self.ground.problem
        effective = problem.potential_of(potential)
        self.bands = bands_in(problem, effective, self.ground, self.guess, TOLERANCE)
        fields = problem.basis.grid.real(problem.fields(self.bands.orbitals, self.bands.electrons))
        self.density = fields[0]
        return fields, self.bands.orbitals.clone(), self.bands.eigenvalues.clone(), self.bands.electrons.clone()


class _StateInPotential(torch.autograd.Function):
    """The map from a potential to fields, orbitals, eigenvalues and electrons, without self-consistency."""

    @staticmethod
    def forward(ctx: Any, potential: Tensor, step: _Step) -> tuple[Tensor, ...]:
        ctx.step = step
        return step.compute(potential.detach())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor, None]:
        bands: Bands = ctx.step.bands
        loss = LossResponse(bands, Cotangents(*cotangents), bands.orbitals, ctx.step.density)
        answer = loss.independent(loss.potential, CHANGE_TOLERANCE * loss.reach)
        return bands.problem.basis.grid.real(loss.direct + answer.fields), None
