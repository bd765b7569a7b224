"""Davidson's orbitals are orthonormal eigenvectors, however long the search goes on and however little room it has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import mlxc
from mlxc.kohn_sham.diagonalisation.orthonormal import inner_products, orthonormalise
from mlxc.kohn_sham.eigensolver import Davidson, davidson
from mlxc.properties.forces import forces_and_stress


@dataclass
class DenseBlock:
    """H given as matrices, with plane waves that are only padding where the mask is False."""

    hidden: Tensor
    mask: Tensor
    matrix: Tensor | None = None
    work: float = 1.0

    @property
    def rows(self) -> slice:
        return slice(0, len(self.mask))

    @property
    def dtype(self) -> torch.dtype:
        return self.hidden.dtype

    def in_single_precision(self) -> DenseBlock:
        return DenseBlock(self.hidden.to(torch.complex64), self.mask)

    def with_real_orbitals(self) -> None:
        return None

    def apply(self, orbitals: Tensor) -> Tensor:
        return orbitals @ self.hidden.mT

    def precondition(self, residuals: Tensor, orbitals: Tensor) -> Tensor:
        del orbitals
        diagonal = self.hidden.diagonal(dim1=1, dim2=2).real.abs() + 1
        return residuals / diagonal[:, None] * self.mask[:, None]


def hamiltonian(nfunctions: list[int], seed: int, strength: float) -> DenseBlock:
    """Kinetic energies that rise from 1, and a random potential; padded to the largest number of functions."""
    generator = torch.Generator().manual_seed(seed)
    size = max(nfunctions)
    mask = torch.arange(size) < torch.tensor(nfunctions)[:, None]
    potential = torch.randn(len(nfunctions), size, size, dtype=torch.complex128, generator=generator)
    hidden = torch.diag(1 + torch.arange(size) / 2.0) + strength * (potential + potential.mH)
    return DenseBlock(hidden * (mask[:, :, None] & mask[:, None]), mask)


def start(block: DenseBlock, nband: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    shape = (len(block.mask), nband, block.mask.shape[1])
    return orthonormalise(torch.randn(shape, dtype=torch.complex128, generator=generator) * block.mask[:, None])


def defect(vectors: Tensor) -> float:
    """The largest deviation of the overlaps from those of orthonormal vectors."""
    return float((inner_products(vectors, vectors) - torch.eye(vectors.shape[1])).abs().max())


@given(
    nfunctions=st.lists(st.integers(5, 60), min_size=1, max_size=4),
    nband=st.integers(1, 5),
    seed=st.integers(0, 1000),
    strength=st.sampled_from([0.0, 0.01, 0.1]),
)
def test_states_are_those_of_the_whole_matrix_also_where_the_search_space_fills_it(
    nfunctions: list[int], nband: int, seed: int, strength: float
) -> None:
    block = hamiltonian(nfunctions, seed, strength)
    found = davidson(block, start(block, nband), nband, torch.ones(len(nfunctions), nband), 1e-10, 60)
    for energies, matrix, size in zip(found.eigenvalues, block.hidden, nfunctions, strict=True):
        exact = torch.linalg.eigvalsh(matrix[:size, :size])
        # A search from a random start can miss a state whose symmetry the start lacks; none of these has any.
        assert float((energies - exact[:nband]).abs().max()) < 1e-8
    assert defect(found.orbitals) < 1e-11
    assert found.residual < 1e-10
    assert not bool((found.orbitals.abs() * ~block.mask[:, None]).any())


def test_orbitals_stay_orthonormal_while_other_k_points_go_on() -> None:
    # The first k point is solved after a few steps; what is left of its residuals is rounding errors.
    block = hamiltonian([40, 200], 1, 0.1)
    guess = start(block, 4)
    for steps in (5, 20, 80):
        found = davidson(block, guess, 4, torch.ones(2, 4), 1e-14, steps)
        assert defect(found.orbitals) < 1e-12


@pytest.mark.parametrize("closeness", [1e-2, 1e-5, 1e-9, 0.0])
def test_nearly_parallel_vectors_become_orthonormal(closeness: float) -> None:
    generator = torch.Generator().manual_seed(3)
    vectors = torch.randn(2, 4, 30, dtype=torch.complex128, generator=generator)
    vectors[:, 1] = vectors[:, 0] + closeness * vectors[:, 1]
    assert defect(orthonormalise(vectors)) < 1e-11


@pytest.mark.parametrize("name", ["si", "al", "graphene"])
def test_single_precision_on_the_way_changes_neither_energies_nor_forces(name: str) -> None:
    crystal = mlxc.Crystal.load(name)
    moved = mlxc.Crystal(crystal.lattice, crystal.species, crystal.positions + 0.01 * np.eye(3)[: len(crystal.species)])
    single, double = (
        mlxc.scf(
            moved, xc="pbe", basis=mlxc.PlaneWaves(ecut=15), kmesh=(2, 2, 2), smearing=mlxc.FermiDirac(0.01),
            tolerance=1e-8, pseudo="gth-pbe", eigensolver=Davidson(single_precision=precision),
        )
        for precision in (True, False)
    )  # fmt: skip
    assert float(single.energy) == pytest.approx(float(double.energy), abs=1e-9)
    (forces, stress), (expected, strained) = forces_and_stress(single), forces_and_stress(double)
    assert torch.allclose(forces, expected, atol=1e-7)
    assert torch.allclose(stress, strained, atol=1e-9)


def test_a_search_in_single_precision_goes_on_to_residuals_that_only_double_precision_has() -> None:
    block = hamiltonian([120], 3, 0.1)
    rounded = davidson(block, start(block, 4), 4, torch.ones(1, 4), 1e-12, 80)
    assert rounded.residual < 1e-12
    assert defect(rounded.orbitals) < 1e-13
