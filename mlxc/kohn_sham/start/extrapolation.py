"""Where the SCF of a crystal starts when similar ones are solved already: with their density and orbitals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mlxc.basis.protocol import Basis
from mlxc.grid.grid import Grid
from mlxc.kohn_sham.diagonalisation.orthonormal import orthonormalise
from mlxc.kohn_sham.solved_state import SolvedState
from mlxc.kohn_sham.start.guess import superposed_density
from mlxc.pseudo.ions import Ions

# Results that a guess is extrapolated from, and the largest weight that one of them may get.
MAX_STATES = 3
LARGEST_WEIGHT = 4.0


def extrapolation_weights(volume: float, volumes: Sequence[float]) -> list[float]:
    """Weights of results at some volumes in a guess for another one: Lagrange's polynomial through the last three.

    Fewer results count where they lie so close together, or so far away, that the polynomial would magnify errors.

    Returns:
        a weight for each of the last ``n`` volumes, n <= 3.
    """
    last = np.array(volumes[-MAX_STATES:])
    while len(last) > 1:
        others = [np.delete(last, i) for i in range(len(last))]
        with np.errstate(divide="ignore", invalid="ignore"):
            weights = [float(np.prod((volume - x) / (own - x))) for own, x in zip(last, others, strict=True)]
        if max(map(abs, weights)) <= LARGEST_WEIGHT:
            return weights
        last = last[1:]
    return [1.0]


def extrapolated_density(states: Sequence[SolvedState], grid: Grid, ions: Ions) -> Tensor:
    """Fourier coefficients ``(nspin, ngvector)`` of a density guessed from results at other volumes.

    What bonding adds to the free atoms' density changes less with the volume than the density itself.
    """
    nspin = len(states[-1].density)
    total = (superposed_density(grid, ions) / nspin).repeat(nspin, 1)
    weights = extrapolation_weights(float(grid.volume), [state.crystal.volume for state in states])
    for state, weight in zip(states[-len(weights) :], weights, strict=True):
        old = state.basis.grid
        old_ions = Ions.of(state.crystal, ions.pseudopotentials, grid.device)
        bonding = old.fourier(state.density) - superposed_density(old, old_ions) / nspin
        reach = torch.cat([old.miller, grid.miller]).abs().amax(0)
        box = torch.zeros(nspin, *(2 * reach + 1).tolist(), dtype=bonding.dtype, device=grid.device)
        box[:, *(old.miller + reach).T] = bonding * (old.volume / grid.volume)
        total += weight * box[:, *(grid.miller + reach).T]
    return total


def extrapolated_orbitals(states: Sequence[SolvedState], basis: Basis) -> Tensor:
    """Orthonormal orbitals guessed from results at other volumes, shape ``(nk * nspin, nband, nfunction)``.

    Orbitals are known up to a rotation among themselves, so those of earlier results are first turned until they are
    closest to those of the last one.
    """
    last = basis.transfer(states[-1].orbitals, states[-1].basis)
    states = [state for state in states if state.orbitals.shape[1] >= last.shape[1]]
    weights = extrapolation_weights(float(basis.grid.volume), [state.crystal.volume for state in states])
    total = weights[-1] * last
    for state, weight in zip(states[-len(weights) : -1], weights[:-1], strict=True):
        earlier = basis.transfer(state.orbitals, state.basis)
        left, _, right = torch.linalg.svd(last @ earlier.mH, full_matrices=False)
        total += weight * (left @ right) @ earlier
    return orthonormalise(total)
