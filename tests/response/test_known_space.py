"""What solutions of Sternheimer's equations teach, and what single precision leaves of them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import mlxc
from mlxc import Crystal, FermiDirac, GroundState, PlaneWaves
from mlxc.response.bands import refined_bands
from mlxc.response.implicit import Implicit, StateAdjoint
from mlxc.response.independent import IndependentResponse
from mlxc.response.known_space import KnownSpace
from mlxc.xc.gga import PBE


def random(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.complex128, generator=torch.Generator().manual_seed(seed))


def positive(nrow: int, size: int) -> Tensor:
    factor = random(nrow, size, size, seed=0)
    return factor @ factor.mH + torch.eye(size)


def applied(matrix: Tensor, vectors: Tensor) -> Tensor:
    return vectors @ matrix.mT


def test_solutions_within_the_space_are_exact_and_what_is_conjugate_stays() -> None:
    matrix, shifts = positive(2, 12), torch.tensor([[0.1, 0.4], [0.2, 0.0]], dtype=torch.float64)
    directions = random(2, 3, 12, seed=1)
    # One row knows less than the other, and one direction is known twice.
    directions[1, 2] = 0
    twice = 2 * directions[:, :1]
    space = KnownSpace(nband=2)
    space.learn([directions, twice], [applied(matrix, directions), applied(matrix, twice)])
    solution = torch.stack([directions[:, 0], directions[:, 0] - 3j * directions[:, 1]], dim=1)
    right = applied(matrix, solution) - shifts[..., None] * solution
    found, image = space.solution(right, shifts)
    assert torch.allclose(found, solution)
    assert torch.allclose(image, right)
    conjugate = space.conjugate(random(2, 2, 12, seed=2), shifts)
    image = applied(matrix, conjugate) - shifts[..., None] * conjugate
    assert float((directions.conj() @ image.mT).abs().max()) < 1e-10


def test_nothing_is_learnt_of_zero_vectors() -> None:
    space, zero = KnownSpace(nband=2), torch.zeros(1, 2, 5, dtype=torch.complex64)
    space.learn([zero], [zero])
    right = random(1, 2, 5, seed=3).to(torch.complex64)
    found, image = space.solution(right, torch.zeros(1, 2))
    assert not found.any()
    assert not image.any()
    assert torch.equal(space.conjugate(right, torch.zeros(1, 2)), right)


def state(crystal: str, xc: torch.nn.Module) -> GroundState:
    smearing = FermiDirac(0.02) if crystal == "al" else None
    return mlxc.scf(
        Crystal.load(crystal), xc=xc, basis=PlaneWaves(8.0), kmesh=(2, 2, 2), smearing=smearing, pseudo="gth",
        tolerance=1e-9,
    )  # fmt: skip


@pytest.mark.parametrize("crystal", ["si", "al"])
@pytest.mark.parametrize("xc", ["pbe", "r2scan"])
def test_corrections_in_single_precision_add_up_to_the_exact_response(crystal: str, xc: str) -> None:
    ground = state(crystal, mlxc.functional(xc))
    problem, grid = ground.problem, ground.basis.grid
    response = IndependentResponse(refined_bands(ground, 1e-10))
    assert response.in_single_precision

    def symmetric(seed: int) -> Tensor:
        field = torch.randn(ground.fields.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        return grid.real(problem.symmetrised(grid.fourier(field)))

    potential, more = symmetric(1), 0.01 * symmetric(2)
    answer = response.further(more, 1e-9, response.first(potential))
    exact = response(potential + more, 1e-11)
    assert float((answer.fields - exact.fields).norm()) < 1e-5 * float(exact.fields.norm())
    corrected = response(potential + more, 1e-11, answer.changes)
    assert float((corrected.fields - exact.fields).norm()) < 1e-8 * float(exact.fields.norm())
    assert corrected.applications < exact.applications


def test_the_second_loss_of_a_state_finds_most_of_its_way() -> None:
    ground = state("si", PBE(trainable=True))
    attached = Implicit().attach(ground)
    for power in (2, 3):
        attached.density.pow(power).sum().backward(retain_graph=True)
    assert isinstance(attached.adjoint, StateAdjoint)
    first, second = (sum(step.hamiltonian_applications for step in steps) for steps in attached.adjoint.histories)
    assert second < first
