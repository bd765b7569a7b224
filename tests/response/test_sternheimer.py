"""Changes of orbitals at k points with real functions are those that complex numbers give."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

import mlxc
from mlxc.basis.hamiltonian import EffectivePotential
from mlxc.basis.planewave.hamiltonian import PlaneWaveBlock
from mlxc.crystal.brillouin import KPoints
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.kohn_sham.diagonalisation.orthonormal import norms
from mlxc.kohn_sham.eigensolver import diagonalise
from mlxc.response.sternheimer import RealSternheimerSolver, SternheimerSolver, remove_components, sternheimer_solver

NBAND = 3


@pytest.fixture(scope="module", params=[(0, 0, 0), (0.5, 0, 0.5)], ids=["k = 0", "an edge's middle"])
def block(request: pytest.FixtureRequest) -> PlaneWaveBlock:
    """H of a smooth random potential."""
    crystal = mlxc.Crystal([[6, 0, 0.5], [0.3, 7, 0], [0, -0.4, 6.5]], ("H",), [[0, 0, 0]])
    kpoints = KPoints(np.array([request.param], dtype=float), np.ones(1))
    basis = mlxc.PlaneWaves(ecut=4).discretise(crystal, kpoints, SpaceGroup.identity())
    values = torch.randn(1, *basis.grid.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    (block,) = basis.hamiltonian([basis.kinetic_operator()], EffectivePotential(values)).blocks
    return block


def solutions(block: PlaneWaveBlock) -> tuple[Tensor, Tensor, Tensor]:
    """The lowest orbitals, their levels, and right-hand sides that are not real, outside of the orbitals."""
    count = block.precondition._mask.shape[1]
    generator = torch.Generator().manual_seed(2)
    guess = torch.linalg.qr(torch.randn(1, count, 2 * NBAND, dtype=torch.complex128, generator=generator)).Q.mT

    class Alone:
        blocks = (block,)

    pairs = diagonalise(Alone(), guess.contiguous(), NBAND, torch.ones(1, NBAND), 1e-11, 80)
    right = torch.randn(1, NBAND, count, dtype=torch.complex128, generator=generator)
    return pairs.orbitals, pairs.eigenvalues, remove_components(right, pairs.orbitals)


def test_right_hand_sides_that_are_not_real_are_solved_in_two_parts(block: PlaneWaveBlock) -> None:
    orbitals, levels, right = solutions(block)
    solver = sternheimer_solver(block, orbitals, levels, orbitals)
    assert isinstance(solver, RealSternheimerSolver)
    start = torch.zeros_like(right)
    found = solver.solve(right, start, 1e-10)
    expected = SternheimerSolver(block, orbitals, levels, orbitals).solve(right, start, 1e-10)
    assert torch.allclose(found.changes, expected.changes, rtol=0, atol=1e-8)
    images = block.apply(found.changes) - levels[..., None] * found.changes
    assert float(norms(right - remove_components(images, orbitals)).max()) < 1e-9
    again = solver.solve(right, found.changes, 1e-10)
    assert torch.allclose(again.changes, found.changes, rtol=0, atol=1e-9)
    assert solver.correct(right, 1e-3).changes.dtype == solver.dtype == torch.complex64


def test_orbitals_that_are_not_real_are_left_as_they_are(block: PlaneWaveBlock) -> None:
    orbitals, levels, _ = solutions(block)
    assert isinstance(sternheimer_solver(block, 1j * orbitals, levels, orbitals), SternheimerSolver)
