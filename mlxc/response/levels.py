"""The levels at both edges of a gap, in the converged potential, as functions of the functional's parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from mlxc.basis.hamiltonian import PartOfHamiltonian
from mlxc.errors import InputError
from mlxc.kohn_sham.diagonalisation.orthonormal import orthonormalise
from mlxc.kohn_sham.eigensolver import diagonalise
from mlxc.kohn_sham.gap import Filled, difference_of_edges, filled_by_occupation, highest_filled, lowest_empty
from mlxc.kohn_sham.problem import Problem
from mlxc.kohn_sham.start.guess import with_more_orbitals
from mlxc.kohn_sham.state import GroundState
from mlxc.response.bands import ORBITAL_ACCURACY, tolerance_of
from mlxc.response.dyson import ResponseError

# Residual of the orbitals, hartree, with which it is known which levels can be the edges, since a true level lies
# within that of each; and the largest one of which there is an answer.
ROUGH, USELESS = 1e-3, 1e-5
MAX_STEPS = 60
# More bands than are wanted make those that are wanted converge quickly, and where they are roughly right themselves,
# none of them belongs below those.
SPARE_BANDS, SPARE_COUNT = 3, 0.05


def band_gap(ground: GroundState) -> Tensor:
    """Lowest empty minus highest occupied level of the SCF's k mesh, hartree, of a state with fixed occupations.

    Raises:
        InputError: the state has partly filled bands.
        ResponseError: the levels do not converge.
    """
    if ground.smearing is not None:
        raise InputError("A gap with a gradient needs fixed occupations: smearing 'none'.")
    shape = (len(ground.density), len(ground.kpoints), -1)
    filled = filled_by_occupation(ground.occupations.detach().cpu().numpy().reshape(shape))
    levels: Tensor = _Levels.apply(ground.problem.differentiable_potential(ground.fields), ground, filled)
    return difference_of_edges(levels.reshape(shape), filled)


class _Levels(torch.autograd.Function):
    """Eigenvalues of a potential, exact at the edges; first-order perturbation theory is the way back."""

    @staticmethod
    def forward(ctx: Any, potential: Tensor, ground: GroundState, filled: Filled) -> Tensor:
        levels, orbitals = _diagonalise(potential, ground, filled)
        ctx.problem, ctx.orbitals = ground.problem, orbitals
        return levels

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


def _diagonalise(potential: Tensor, ground: GroundState, filled: Filled) -> tuple[Tensor, Tensor]:
    """Levels and orbitals of the filled bands and one more: all of them roughly, exactly those that can be edges."""
    problem, nband = ground.problem, int(filled.max()) + 1
    basis, hamiltonian = problem.basis, problem.hamiltonian(problem.potential_of(potential))
    total = basis.band_count(nband, nband + SPARE_BANDS)
    guess = with_more_orbitals(_known_orbitals(ground), basis, problem.ions, total, seed=0)
    counts = torch.full((len(guess), total), SPARE_COUNT, dtype=torch.float64, device=guess.device)
    counts[:, :nband] = 1
    rough = diagonalise(hamiltonian, guess, total, counts, ROUGH, MAX_STEPS)
    at_edges = torch.as_tensor(_may_be_edges(rough.eigenvalues[:, :nband].cpu().numpy(), filled)).to(counts)
    counts = torch.nn.functional.pad(at_edges, (0, total - nband))
    rows = at_edges.any(1).nonzero()[:, 0]
    # Many of them are solved together more quickly than one by one.
    if 2 * len(rows) > len(counts):
        part, rows = hamiltonian, torch.arange(len(counts))
    else:
        part = PartOfHamiltonian(hamiltonian, rows.tolist())
    pairs = diagonalise(part, rough.orbitals, total, counts, ORBITAL_ACCURACY * tolerance_of(ground), MAX_STEPS)
    if rough.residual > ROUGH or pairs.residual > USELESS:
        residual = max(rough.residual, pairs.residual)
        raise ResponseError(f"The levels did not converge: a residual of {residual:.1e} hartree is left.")
    levels, orbitals = rough.eigenvalues[:, :nband].clone(), rough.orbitals[:, :nband].clone()
    levels[rows], orbitals[rows] = pairs.eigenvalues[:, :nband], pairs.orbitals[:, :nband]
    return levels, orbitals


def _known_orbitals(ground: GroundState) -> Tensor:
    """Orthonormal orbitals, the filled ones and that above them where the SCF has followed it."""
    orbitals = ground.orbitals.detach()
    if ground.orbitals_above is None:
        return orbitals
    return orthonormalise(torch.cat([orbitals, ground.orbitals_above], dim=1))


def _may_be_edges(levels: NDArray[np.float64], filled: Filled) -> NDArray[np.bool_]:
    """Which rough levels, shape ``(nk * nspin, nband)``, may be the highest filled or the lowest empty one."""
    found = np.zeros((*filled.shape, levels.shape[-1]), dtype=bool)
    levels = levels.reshape(found.shape)
    # The rough top and a true one that is higher may both be wrong by the residual, and so at the bottom.
    top, bottom = highest_filled(levels, filled)[1].max() - 2 * ROUGH, lowest_empty(levels, filled)[1].min() + 2 * ROUGH
    is_filled = np.arange(levels.shape[-1]) < filled[..., None]
    found[is_filled] = levels[is_filled] >= top
    found[~is_filled] = levels[~is_filled] <= bottom
    return found.reshape(-1, levels.shape[-1])
