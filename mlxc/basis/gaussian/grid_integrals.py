"""Fields of orbitals in Gaussian functions, and matrix elements of potentials, by sums over the points of the grid."""

from __future__ import annotations

import torch
from torch import Tensor

from mlxc.basis.gaussian.functions import GaussianFunctions
from mlxc.basis.hamiltonian import EffectivePotential
from mlxc.grid.fields import FieldKinds, Fields, component_count
from mlxc.utils.parallel import map_in_threads


def fields_of(functions: GaussianFunctions, density_matrices: Tensor, kinds: FieldKinds) -> Fields:
    """Fields of density matrices P, n = sum_ab P_ab chi_a chi_b*, ``(nk * nspin, nfunction, nfunction)``."""
    nspin = len(density_matrices) // functions.nkpoints
    tables = functions.on_grid(slopes=len(kinds) > 1)

    def own(block: tuple[int, slice]) -> Tensor:
        spin, kpoints = block
        return _own_fields(functions, tables[kpoints.start], density_matrices[functions.rows(spin, kpoints)][0], kinds)

    total = functions.weights.new_zeros(component_count(kinds), nspin, functions.grid.size)
    blocks = functions.spin_blocks(nspin)
    for (spin, _), fields in zip(blocks, map_in_threads(own, blocks), strict=True):
        total[:, spin] += fields
    return Fields.unstacked(total.unflatten(-1, functions.grid.shape), kinds)


def _own_fields(functions: GaussianFunctions, tables: Tensor, density_matrix: Tensor, kinds: FieldKinds) -> Tensor:
    """The fields of one k point and spin, shape ``(ncomponent, npoint)``."""
    result = functions.weights.new_empty(component_count(kinds), functions.grid.size)
    fields = Fields.unstacked(result, kinds)  # parts of the same memory
    transposed = density_matrix.mT.contiguous()
    for points in functions.portions():
        values = tables[0, :, points]
        weighted = transposed @ values
        fields.density[points] = _real_product(values, weighted)
        if fields.gradient is not None:
            for axis in range(1, 4):
                fields.gradient[axis - 1, points] = 2 * _real_product(tables[axis, :, points], weighted)
        if fields.tau is not None:
            slopes = [tables[axis, :, points] for axis in range(1, 4)]
            fields.tau[points] = sum(_real_product(slope, transposed @ slope) for slope in slopes) / 2
    return result


def potential_matrix(functions: GaussianFunctions, kpoints: slice, spin: int, potential: EffectivePotential) -> Tensor:
    """<chi_a|V|chi_b> of a potential of all spins, shape ``(nk, nfunction, nfunction)``, hartree."""
    gradient, kinetic = potential.gradient, potential.kinetic
    tables = functions.on_grid(gradient is not None or kinetic is not None)
    local = potential.local[spin].flatten() / 2
    slope = None if gradient is None else gradient[:, spin].flatten(1)
    half_kinetic = None if kinetic is None else kinetic[spin].flatten() / 4
    matrices = tables.new_zeros(kpoints.stop - kpoints.start, functions.nfunctions, functions.nfunctions)
    for matrix, own in zip(matrices, tables[kpoints], strict=True):
        for points in functions.portions():
            values = own[0, :, points]
            image = values * local[points]
            if slope is not None:
                for axis in range(3):
                    image += own[axis + 1, :, points] * slope[axis, points]
            matrix += values.conj() @ image.mT
            if half_kinetic is not None:
                for axis in range(1, 4):
                    derivative = own[axis, :, points]
                    matrix += derivative.conj() @ (derivative * half_kinetic[points]).mT
    return (matrices + matrices.mH) * (functions.grid.volume / functions.grid.size)


def _real_product(left: Tensor, right: Tensor) -> Tensor:
    """Re sum_a left_a* right_a at each point, from ``(nfunction, npoint)``."""
    # Over functions first: rows of points are contiguous, so this is several times faster than both sums at once.
    return (torch.view_as_real(left) * torch.view_as_real(right)).sum(0).sum(-1)
