"""Densities of charge and of kinetic energy of orbitals in plane waves, and their first-order changes.

Orbitals have the shape ``(nk * nspin, nband, nplanewave)``. Nothing here is symmetrised.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from mlxc.basis.planewave.plane_wave_set import PlaneWaveSet
from mlxc.utils.parallel import map_in_threads

# An orbital with less than this fraction of the largest weight does not show in the density.
NEGLIGIBLE_WEIGHT = 1e-13


def density(waves: PlaneWaveSet, orbitals: Tensor, occupations: Tensor) -> Tensor:
    """Density of occupied orbitals, not symmetrised.

    Args:
        orbitals: The orbitals, shape ``(nk * nspin, nband, nplanewave)``.
        occupations: The electrons in each orbital, shape ``(nk * nspin, nband)``; k-point weights are applied here.

    Returns:
        the density, shape ``(nspin, n1, n2, n3)``, electrons/bohr^3.
    """
    nspin = len(orbitals) // waves.nkpoints
    weights = occupations * waves.weights.repeat(nspin)[:, None] / waves.grid.volume
    weights = weights.where(weights.abs() > NEGLIGIBLE_WEIGHT * weights.max(), 0.0)
    blocks = waves.spin_blocks(nspin)
    parts = map_in_threads(
        partial(_density_of, waves, orbitals, weights), blocks, work=lambda block: waves.work(block[1])
    )
    of_spins = [[part for (spin, _), part in zip(blocks, parts, strict=True) if spin == own] for own in range(nspin)]
    return torch.stack([torch.stack(own).sum(0) for own in of_spins])


def _density_of(waves: PlaneWaveSet, orbitals: Tensor, weights: Tensor, block: tuple[int, slice]) -> Tensor:
    """What some k points of one spin add to the density, shape ``(n1, n2, n3)``."""
    spin, kpoints = block
    mine = waves.rows(spin, kpoints)
    filled = (weights[mine] != 0).any(0)
    nband = int(filled.nonzero().max()) + 1 if bool(filled.any()) else 0
    own, weights = orbitals[mine, :nband], weights[mine, :nband]
    functions = waves.real_functions(kpoints)
    differentiable = own.requires_grad or weights.requires_grad
    if nband and functions is not None and not differentiable and functions.are_real(own):
        return _density_of_real(waves, own, weights, kpoints)
    density = weights.new_zeros(2 * waves.grid.size)
    for some, bands in waves.portions(kpoints, nband, own.dtype) if nband else []:
        rows = slice(some.start - kpoints.start, some.stop - kpoints.start)
        on_grid = waves.transform.to_grid(own[rows, bands], some)
        # Squares of real and imaginary parts, summed over orbitals as a product of matrices.
        density += weights[rows, bands].reshape(-1) @ torch.view_as_real(on_grid).flatten(0, 1).flatten(1).square()
    return density.unflatten(0, (*waves.grid.shape, 2)).sum(-1)


def _density_of_real(waves: PlaneWaveSet, orbitals: Tensor, weights: Tensor, kpoint: slice) -> Tensor:
    """The same of real functions at a k point: of a and b, the squares of the parts of a + ib."""
    if orbitals.shape[1] % 2 == 1:
        orbitals, weights = torch.nn.functional.pad(orbitals, (0, 0, 0, 1)), torch.nn.functional.pad(weights, (0, 1))
    pairs, weights = orbitals[:, 0::2] + 1j * orbitals[:, 1::2], weights.unflatten(1, (-1, 1, 2))
    phases = waves.phases_on_grid(kpoint)
    density = weights.new_zeros(waves.grid.size, 2)
    for some, bands in waves.portions(kpoint, pairs.shape[1], pairs.dtype):
        on_grid = waves.transform.to_grid(pairs[:, bands], some)
        on_grid = on_grid if phases is None else on_grid.mul_(phases)
        squares = torch.view_as_real(on_grid).square_().flatten(2, 4)
        density += squares.mul_(weights[:, bands]).sum((0, 1))
    return density.sum(-1).view(waves.grid.shape)


def density_change(
    waves: PlaneWaveSet,
    orbitals: Tensor,
    changes: Tensor,
    on_grid: Callable[[int, slice, slice], Tensor] | None = None,
) -> Tensor:
    """First-order change 2 Re sum psi* dpsi of the density, k-point weights applied, not symmetrised.

    Args:
        orbitals: The orbitals, shape ``(nk * nspin, nband, nplanewave)``.
        changes: The changes of the orbitals, times the electrons in them, same shape.
        on_grid: The values of the orbitals on the grid, by spin, k points and bands, where they are known.

    Returns:
        the change of the density, shape ``(nspin, n1, n2, n3)``, electrons/bohr^3.
    """
    nspin = len(orbitals) // waves.nkpoints

    def change(block: tuple[int, slice]) -> Tensor:
        spin, kpoints = block
        total = waves.weights.new_zeros(2 * waves.grid.size)
        for some, bands in waves.portions(kpoints, orbitals.shape[1], orbitals.dtype):
            rows = waves.rows(spin, some)
            values = on_grid(spin, some, bands) if on_grid else waves.transform.to_grid(orbitals[rows, bands], some)
            psi = torch.view_as_real(values)
            dpsi = torch.view_as_real(waves.transform.to_grid(changes[rows, bands], some))
            weights = waves.weights[some].repeat_interleave(psi.shape[1]) * (2 / waves.grid.volume)
            total += weights.to(psi.dtype) @ (psi * dpsi).flatten(0, 1).flatten(1)
        return total.unflatten(0, (*waves.grid.shape, 2)).sum(-1)

    blocks = waves.spin_blocks(nspin)
    changed = waves.weights.new_zeros(nspin, *waves.grid.shape)
    for (spin, _), part in zip(blocks, map_in_threads(change, blocks), strict=True):
        changed[spin] += part
    return changed


def kinetic_density_change(waves: PlaneWaveSet, orbitals: Tensor, changes: Tensor) -> Tensor:
    """First-order change of tau, hartree/bohr^3; arguments and shape as in :meth:`density_change`."""
    nspin = len(orbitals) // waves.nkpoints
    kplusg = waves.kplusg.to(orbitals.real.dtype)
    factors = [k.repeat(nspin, 1)[:, None] for k in kplusg.unbind(-1)]
    return torch.stack([density_change(waves, orbitals * k, changes * k) for k in factors]).sum(0) / 2


def kinetic_density(waves: PlaneWaveSet, orbitals: Tensor, occupations: Tensor) -> Tensor:
    """tau = 1/2 sum_i f_i |grad psi_i|^2, hartree/bohr^3; arguments and shape as in :meth:`density`."""
    return torch.stack([_flow_density(waves, orbitals, occupations, k) for k in waves.kplusg.unbind(-1)]).sum(0) / 2


def kinetic_density_tensor(waves: PlaneWaveSet, orbitals: Tensor, occupations: Tensor) -> Tensor:
    """tau_ij = 1/2 sum f Re (d_i psi)* (d_j psi), shape ``(3, 3, nspin, n1, n2, n3)``; its trace is tau.

    It follows from |(k_i + k_j) psi|^2 = |k_i psi|^2 + |k_j psi|^2 + 2 Re (k_i psi)* (k_j psi).
    """
    k = waves.kplusg.unbind(-1)
    squares = [_flow_density(waves, orbitals, occupations, k[i]) for i in range(3)]
    rows = [[squares[i]] * 3 for i in range(3)]
    for i, j in ((0, 1), (0, 2), (1, 2)):
        both = _flow_density(waves, orbitals, occupations, k[i] + k[j])
        rows[i][j] = rows[j][i] = (both - squares[i] - squares[j]) / 2
    return torch.stack([torch.stack(row) for row in rows]) / 2


def _flow_density(waves: PlaneWaveSet, orbitals: Tensor, occupations: Tensor, factors: Tensor) -> Tensor:
    """Density of orbitals whose plane waves are multiplied by factors ``(nk, nplanewave)``."""
    nspin = len(orbitals) // waves.nkpoints
    return density(waves, orbitals * factors.repeat(nspin, 1)[:, None], occupations)
