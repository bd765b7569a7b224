"""At k = 0 orbitals as real functions are the same eigenfunctions, whatever the functions are that one starts with."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

import mlxc
from mlxc.basis.hamiltonian import EffectivePotential
from mlxc.basis.planewave.basis import PlaneWaveBasis
from mlxc.basis.planewave.hamiltonian import PlaneWaveBlock
from mlxc.basis.planewave.real_functions import RealFunctions
from mlxc.crystal.brillouin import KPoints, irreducible_mesh
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.kohn_sham.diagonalisation.orthonormal import inner_products, orthonormalise
from mlxc.kohn_sham.eigensolver import diagonalise
from mlxc.pseudo.ions import Ions
from mlxc.pseudo.library import find_pseudopotentials
from mlxc.pseudo.make import make_pseudopotential

NBAND = 7


def basis_at(kpoints: KPoints) -> tuple[PlaneWaveBasis, Ions]:
    """A skewed cell without symmetry."""
    generator = np.random.default_rng(5)
    crystal = mlxc.Crystal(
        5 * np.eye(3) + generator.normal(size=(3, 3)) / 3, ("Mg", "O"), generator.uniform(size=(2, 3))
    )
    group = SpaceGroup.of(crystal)
    pseudopotentials = {
        symbol: make_pseudopotential(entry)
        for symbol, entry in find_pseudopotentials(crystal.species, "pseudodojo", "pbe", {}).items()
    }
    return mlxc.PlaneWaves(ecut=5).discretise(crystal, kpoints, group), Ions.of(crystal, pseudopotentials)


@pytest.fixture(scope="module")
def basis() -> PlaneWaveBasis:
    return basis_at(KPoints(np.zeros((1, 3)), np.ones(1)))[0]


@pytest.fixture(scope="module", params=["a local potential", "one that acts on kinetic energies too"])
def block(request: pytest.FixtureRequest) -> PlaneWaveBlock:
    """H of random potentials on the grid."""
    basis, ions = basis_at(KPoints(np.zeros((1, 3)), np.ones(1)))
    generator = torch.Generator().manual_seed(1)
    local, kinetic = (torch.randn(1, *basis.grid.shape, dtype=torch.float64, generator=generator) for _ in range(2))
    potential = EffectivePotential(local, kinetic=kinetic / 20 if "kinetic" in request.param else None)
    (block,) = basis.hamiltonian([basis.kinetic_operator(), basis.nonlocal_operator(ions)], potential).blocks
    return block


def random_orbitals(basis: PlaneWaveBasis, count: int) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    shape = (1, count, basis.nplanewaves)
    return orthonormalise(torch.randn(shape, dtype=torch.complex128, generator=generator))


def test_real_vectors_have_the_inner_products_of_real_functions(basis: PlaneWaveBasis) -> None:
    functions, orbitals = RealFunctions(basis.miller[0]), random_orbitals(basis, 4)
    vectors = functions.parts(orbitals)
    assert torch.allclose(functions.in_pairs(vectors), orbitals, rtol=0, atol=1e-14)
    on_grid = basis.transform.to_grid(orbitals, slice(0, 1))
    real = torch.stack([on_grid.real, on_grid.imag], dim=2).flatten(1, 2)
    assert torch.allclose(basis.transform.to_grid(functions.as_orbitals(vectors), slice(0, 1)).real, real, atol=1e-12)
    expected = real.flatten(2) @ real.flatten(2).mT / basis.grid.size
    assert torch.allclose(vectors @ vectors.mT, expected, rtol=0, atol=1e-13)


def test_functions_that_span_the_conjugate_of_each_give_real_ones_of_the_same_space(basis: PlaneWaveBasis) -> None:
    functions = RealFunctions(basis.miller[0])
    given = functions.of(random_orbitals(basis, 5))
    assert torch.allclose(given @ given.mT, torch.eye(5, dtype=torch.float64), atol=1e-12)
    mixed = torch.linalg.qr(torch.randn(5, 5, dtype=torch.complex128, generator=torch.Generator().manual_seed(2))).Q
    found = functions.of(mixed @ functions.as_orbitals(given))
    overlaps = given @ found.mT
    assert torch.allclose(overlaps @ overlaps.mT, torch.eye(5, dtype=torch.float64), atol=1e-12)
    assert torch.allclose(functions.of(functions.as_orbitals(given)), given, rtol=0, atol=1e-14)


@pytest.mark.parametrize("count", [1, 4, 5])
def test_the_hamiltonian_of_real_functions_is_the_same_operator(block: PlaneWaveBlock, count: int) -> None:
    real = block.with_real_orbitals()
    assert real is not None
    vectors = torch.randn(1, count, 2 * len(real.functions.half), dtype=torch.float64)
    vectors[..., 1] = 0  # the imaginary part of c_0
    expected = block.apply(real.functions.as_orbitals(vectors))
    assert torch.allclose(real.functions.as_orbitals(real.apply(vectors)), expected, rtol=0, atol=1e-11)
    rounded = real.in_single_precision()
    assert rounded is not None
    assert torch.allclose(rounded.apply(vectors.float()).double(), real.apply(vectors), rtol=0, atol=3e-4)
    orbitals = real.functions.as_orbitals(vectors)
    damped = real.functions.as_orbitals(real.precondition(vectors, vectors))
    assert torch.allclose(damped, block.precondition(orbitals, orbitals), rtol=0, atol=1e-14)


@pytest.mark.parametrize("single_precision", [False, True])
def test_eigenfunctions_are_those_of_the_whole_matrix(block: PlaneWaveBlock, single_precision: bool) -> None:
    count = block.precondition._mask.shape[1]
    matrix = block.apply(torch.eye(count, dtype=torch.complex128)[None]).mT[0]
    exact = torch.linalg.eigvalsh(matrix)[:NBAND]
    generator = torch.Generator().manual_seed(7)
    guess = orthonormalise(torch.randn(1, 2 * NBAND, count, dtype=torch.complex128, generator=generator))

    class Alone:
        blocks = (block,)

    found = diagonalise(Alone(), guess, NBAND, torch.ones(1, NBAND), 1e-9, 80, single_precision)
    assert torch.allclose(found.eigenvalues[0], exact, rtol=0, atol=1e-10)
    assert torch.allclose(inner_products(found.orbitals, found.orbitals)[0].real, torch.eye(NBAND).double(), atol=1e-12)
    images = block.apply(found.orbitals) - found.eigenvalues[..., None] * found.orbitals
    assert float(images.abs().max()) < 1e-8


def test_other_k_points_have_complex_orbitals(basis: PlaneWaveBasis) -> None:
    crystal = mlxc.Crystal(5 * np.eye(3), ("H",), np.zeros((1, 3)))
    for kpoints in (irreducible_mesh((2, 1, 1), SpaceGroup.of(crystal)), KPoints(np.array([[0.25, 0, 0]]), np.ones(1))):
        other, ions = basis_at(kpoints)
        local = torch.zeros(1, *other.grid.shape, dtype=torch.float64)
        operators = [other.kinetic_operator(), other.nonlocal_operator(ions)]
        blocks = other.hamiltonian(operators, EffectivePotential(local)).blocks
        assert all(block.with_real_orbitals() is None for block in blocks)
