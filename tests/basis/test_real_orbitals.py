"""Where 2k is a reciprocal lattice vector, orbitals as real functions are the same eigenfunctions.

So they are whatever the functions are that one starts with.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

import mlxc
from mlxc.basis.hamiltonian import EffectivePotential
from mlxc.basis.planewave import plane_wave_set
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


# Of a mesh, the points in the middle of the zone, of an edge and of a face; the last two have room for padding.
REAL_POINTS = {"k = 0": (0, 0, 0), "a face's middle": (0.5, 0, 0), "an edge's middle": (0, -0.5, 0.5)}


@pytest.fixture(scope="module", params=REAL_POINTS.values(), ids=REAL_POINTS)
def kpoint(request: pytest.FixtureRequest) -> KPoints:
    return KPoints(np.array([request.param], dtype=float), np.ones(1))


@pytest.fixture(scope="module")
def basis(kpoint: KPoints) -> PlaneWaveBasis:
    return basis_at(kpoint)[0]


@pytest.fixture(scope="module")
def functions(basis: PlaneWaveBasis) -> RealFunctions:
    found = basis.real_functions(slice(0, 1))
    assert found is not None
    return found


@pytest.fixture(scope="module", params=["a local potential", "one that acts on kinetic energies too"])
def block(request: pytest.FixtureRequest, kpoint: KPoints) -> PlaneWaveBlock:
    """H of random potentials on the grid."""
    basis, ions = basis_at(kpoint)
    generator = torch.Generator().manual_seed(1)
    local, kinetic = (torch.randn(1, *basis.grid.shape, dtype=torch.float64, generator=generator) for _ in range(2))
    potential = EffectivePotential(local, kinetic=kinetic / 20 if "kinetic" in request.param else None)
    (block,) = basis.hamiltonian([basis.kinetic_operator(), basis.nonlocal_operator(ions)], potential).blocks
    return block


def random_orbitals(basis: PlaneWaveBasis, count: int) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    shape = (1, count, basis.nplanewaves)
    return orthonormalise(torch.randn(shape, dtype=torch.complex128, generator=generator))


def on_grid(basis: PlaneWaveBasis, orbitals: Tensor) -> Tensor:
    """Bloch functions exp(ik.r) u(r) on the grid."""
    phases = basis.phases_on_grid(slice(0, 1))
    values = basis.transform.to_grid(orbitals, slice(0, 1))
    return values if phases is None else values * phases


def test_real_vectors_have_the_inner_products_of_real_functions(
    basis: PlaneWaveBasis, functions: RealFunctions
) -> None:
    orbitals = random_orbitals(basis, 4)
    vectors = functions.parts(orbitals)
    assert torch.allclose(functions.in_pairs(vectors), orbitals, rtol=0, atol=1e-14)
    values = on_grid(basis, orbitals)
    real = torch.stack([values.real, values.imag], dim=2).flatten(1, 2)
    assert torch.allclose(on_grid(basis, functions.as_orbitals(vectors)), real.to(values.dtype), atol=1e-12)
    assert functions.are_real(functions.as_orbitals(vectors))
    assert not functions.are_real(orbitals)
    assert torch.allclose(functions.vectors(functions.as_orbitals(vectors)), vectors, rtol=0, atol=1e-14)
    expected = real.flatten(2) @ real.flatten(2).mT / basis.grid.size
    assert torch.allclose(vectors @ vectors.mT, expected, rtol=0, atol=1e-13)


def test_functions_that_span_the_conjugate_of_each_give_real_ones_of_the_same_space(
    basis: PlaneWaveBasis, functions: RealFunctions
) -> None:
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
    if block.precondition._mask.shape[1] % 2 == 1:
        vectors[..., 1] = 0  # the imaginary part of c_0, where k = 0
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


def blocks_at(kpoints: KPoints) -> list[PlaneWaveBlock]:
    """H of a random potential."""
    basis, ions = basis_at(kpoints)
    generator = torch.Generator().manual_seed(1)
    local = torch.randn(1, *basis.grid.shape, dtype=torch.float64, generator=generator)
    operators = [basis.kinetic_operator(), basis.nonlocal_operator(ions)]
    return basis.hamiltonian(operators, EffectivePotential(local)).blocks


def mesh() -> KPoints:
    return irreducible_mesh((2, 1, 3), SpaceGroup.identity())


def test_other_k_points_have_complex_orbitals() -> None:
    assert all(block.with_real_orbitals() is None for block in blocks_at(KPoints(np.array([[0.25, 0, 0]]), np.ones(1))))


def test_k_points_with_few_plane_waves_stay_together() -> None:
    assert all(block.with_real_orbitals() is None for block in blocks_at(mesh()))


def test_real_functions_leave_room_for_padding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plane_wave_set, "REAL_PLANE_WAVES", 1)
    blocks = blocks_at(mesh())
    real = [(block, own) for block in blocks if (own := block.with_real_orbitals()) is not None]
    assert len(real) == 2
    assert not all(bool(block.precondition._mask.all()) for block, _ in real)
    for block, own in real:
        vectors = torch.randn(1, 3, 2 * len(own.functions.half), dtype=torch.float64)
        vectors[..., 1] = 0
        orbitals = own.functions.as_orbitals(vectors)
        assert not bool(orbitals[..., ~block.precondition._mask[0]].any())
        assert torch.allclose(own.functions.as_orbitals(own.apply(vectors)), block.apply(orbitals), rtol=0, atol=1e-11)


def test_a_metals_ground_state_is_the_same_with_real_orbitals(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(2)
    crystal = mlxc.Crystal(
        7.5 * np.eye(3) + generator.normal(size=(3, 3)) / 5, ("Al", "Mg"), [[0, 0, 0], [0.5, 0.4, 0.5]]
    )

    def state() -> mlxc.GroundState:
        smearing = mlxc.FermiDirac(0.01)
        basis = mlxc.PlaneWaves(ecut=5)
        return mlxc.scf(crystal, basis=basis, kmesh=(2, 1, 3), smearing=smearing, tolerance=1e-9, forces=True)

    expected = state()
    monkeypatch.setattr(plane_wave_set, "REAL_PLANE_WAVES", 1)
    found = state()
    assert found.converged
    assert float(found.energy) == pytest.approx(float(expected.energy), abs=1e-10)
    for name, value in expected.energies.items():
        assert found.energies[name] == pytest.approx(value, abs=1e-8), name
    filled = expected.occupations > 1e-3
    assert torch.allclose(found.eigenvalues[filled], expected.eigenvalues[filled], rtol=0, atol=1e-8)
    assert found.forces is not None
    assert np.allclose(found.forces, expected.forces, rtol=0, atol=1e-7)
