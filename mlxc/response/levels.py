"""Levels of the converged potential, empty ones included, as functions of the functional's parameters."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mlxc.errors import InputError
from mlxc.kohn_sham.diagonalisation.orthonormal import orthonormalise
from mlxc.kohn_sham.eigensolver import Eigenpairs, diagonalise
from mlxc.kohn_sham.gap import difference_of_edges, filled_by_occupation
from mlxc.kohn_sham.problem import Problem
from mlxc.kohn_sham.state import GroundState
from mlxc.response.dyson import ResponseError

# Residual of the orbitals, hartree: wanted, and at most. Levels are of second order in it, gradients of first.
ACCURACY, USELESS = 1e-8, 1e-5
MAX_STEPS = 60
# More bands than are wanted make those that are wanted converge quickly.
SPARE_BANDS = 4


def mesh_levels(ground: GroundState, nband: int) -> Tensor:
    """The lowest ``nband`` levels at each k point of the SCF, hartree, shape ``(nk * nspin, nband)``.

    Raises:
        ResponseError: the levels do not converge.
    """
    potential = ground.problem.differentiable_potential(ground.fields)
    levels: Tensor = _Levels.apply(potential, ground, nband)
    return levels


def band_gap(ground: GroundState) -> Tensor:
    """Lowest empty minus highest occupied level of the SCF's k mesh, hartree, of a state with fixed occupations.

    Raises:
        InputError: the state has partly filled bands.
    """
    if ground.smearing is not None:
        raise InputError("A gap with a gradient needs fixed occupations: smearing 'none'.")
    shape = (len(ground.density), len(ground.kpoints), -1)
    filled = filled_by_occupation(ground.occupations.detach().cpu().numpy().reshape(shape))
    levels = mesh_levels(ground, int(filled.max()) + 1)
    return difference_of_edges(levels.reshape(shape), filled)


class _Levels(torch.autograd.Function):
    """Eigenvalues of a potential; first-order perturbation theory is the way back."""

    @staticmethod
    def forward(ctx: Any, potential: Tensor, ground: GroundState, nband: int) -> Tensor:
        pairs = _diagonalise(potential, ground, nband)
        ctx.problem, ctx.orbitals = ground.problem, pairs.orbitals
        return pairs.eigenvalues.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, sensitivities: Tensor) -> tuple[Tensor, None, None]:
        return level_density(ctx.problem, ctx.orbitals, sensitivities), None, None


def level_density(problem: Problem, orbitals: Tensor, sensitivities: Tensor) -> Tensor:
    """dL/dv on the grid, ``(nfield, nspin, n1, n2, n3)``, of levels with sensitivities c_n = dL/de_n: c_n |psi_n|^2."""
    basis = problem.basis
    nspin = len(orbitals) // basis.nkpoints
    changes = orbitals * (sensitivities / basis.weights.repeat(nspin)[:, None])[..., None] / 2
    return problem.field_changes(orbitals, changes) * (basis.grid.volume / basis.grid.size)


def _diagonalise(potential: Tensor, ground: GroundState, nband: int) -> Eigenpairs:
    problem = ground.problem
    hamiltonian = problem.hamiltonian(problem.potential_of(potential))
    orbitals = ground.orbitals.detach()[:, : nband + SPARE_BANDS]
    total = problem.basis.band_count(nband, nband + SPARE_BANDS)
    if (missing := total - orbitals.shape[1]) > 0:
        nspin = len(ground.density)
        waves = problem.basis.lowest_functions(total, seed=0)[:, -missing:].repeat(nspin, 1, 1)
        orbitals = orthonormalise(torch.cat([orbitals, waves], dim=1))
    counts = torch.zeros(len(orbitals), total, dtype=torch.float64, device=orbitals.device)
    counts[:, :nband] = 1
    pairs = diagonalise(hamiltonian, orbitals, total, counts, ACCURACY, MAX_STEPS)
    if pairs.residual > USELESS:
        raise ResponseError(f"The levels did not converge: a residual of {pairs.residual:.1e} hartree is left.")
    return pairs.lowest(nband)
