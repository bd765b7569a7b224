"""The self-consistent field as a chain of steps, each of which autograd goes back through.

Slower than the implicit gradient, and its memory grows with the number of steps; but every density on the way has a
gradient of its own, which shows how a loss flows back through the iteration, and it is a witness of the implicit one.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mlxc.basis.hamiltonian import EffectivePotential
from mlxc.errors import MlxcError
from mlxc.kohn_sham.guess import superposed_spin_density
from mlxc.kohn_sham.kerker import kerker_fractions
from mlxc.kohn_sham.residual import density_residual
from mlxc.kohn_sham.state import GroundState
from mlxc.response.bands import Bands, bands_in
from mlxc.response.implicit import check_has_problem, place_parts
from mlxc.response.loss import Cotangents, LossResponse

# Of each change this fraction is taken, less of long waves (1/bohr): plain mixing converges slowly and surely.
DAMPING, SCREENING = 0.5, 0.3
MAX_STEPS = 200
# Of the bands of each step, and of the changes of their orbitals.
TOLERANCE, CHANGE_TOLERANCE = 1e-8, 1e-10


class UnrolledError(MlxcError):
    """The plain iteration did not reach the converged density."""


def unroll(ground: GroundState) -> None:
    """Repeat the SCF of a converged state from free atoms, in place, in steps that autograd sees.

    The fields that went into each step are then in ``ground.unrolled_fields``.

    Raises:
        InputError: the state was read from a file.
        UnrolledError: plain mixing does not converge for this crystal.
    """
    check_has_problem(ground)
    problem, nspin = ground.problem, len(ground.density)
    assert problem is not None
    grid = problem.basis.grid
    # In an insulator nothing screens long waves, so they need not be held back.
    screening = SCREENING if ground.smearing is not None else 0.0
    share = kerker_fractions(grid, DAMPING, screening)
    start = superposed_spin_density(grid, problem.ions, ground.crystal.moments, nspin, ground.total_moment)
    fields = grid.real(problem.guessed_fields(start)).requires_grad_()
    tolerance = max(ground.history[-1].density_residual, 1e-10)
    visited: list[Tensor] = []
    orbitals = ground.orbitals.detach()
    for _ in range(MAX_STEPS):
        visited.append(fields)
        fields.retain_grad()
        step = _Step(ground, orbitals)
        parts = _StateInPotential.apply(problem.differentiable_potential(fields), step)
        orbitals = step.bands.orbitals
        change = grid.fourier(parts[0] - fields)
        if density_residual(grid, change[0].detach(), problem.ions.nelectrons) < tolerance:
            place_parts(ground, parts)
            ground.unrolled_fields = visited
            return
        fields = fields + grid.real(share * change)
    raise UnrolledError(f"Plain mixing has not converged after {MAX_STEPS} steps; use the implicit gradient.")


class _Step:
    """What one step needs, and what it leaves behind for the way back."""

    def __init__(self, ground: GroundState, guess: Tensor) -> None:
        self.ground, self.guess = ground, guess
        self.bands: Bands

    def compute(self, potential: Tensor) -> tuple[Tensor, ...]:
        problem = self.ground.problem
        assert problem is not None
        effective = EffectivePotential.of_fields(potential)
        self.bands = bands_in(problem, effective, self.ground, self.guess, TOLERANCE)
        fields = problem.basis.grid.real(problem.fields(self.bands.orbitals, self.bands.electrons))
        return fields, self.bands.orbitals.clone(), self.bands.eigenvalues.clone(), self.bands.electrons.clone()


class _StateInPotential(torch.autograd.Function):
    """From a potential to fields, orbitals, eigenvalues and electrons, without self-consistency."""

    @staticmethod
    def forward(ctx: Any, potential: Tensor, step: _Step) -> tuple[Tensor, ...]:
        ctx.step = step
        return step.compute(potential.detach())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor, None]:
        bands: Bands = ctx.step.bands
        loss = LossResponse(bands, Cotangents(*cotangents), bands.orbitals)
        potential = EffectivePotential.of_fields(loss.potential)
        answer = loss.independent(potential, CHANGE_TOLERANCE * loss.reach, None)
        return bands.problem.basis.grid.real(loss.direct + answer.fields), None
