"""Where a translation exchanges the spins, the response of one spin is that of both."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import mlxc
from mlxc import Crystal, FermiDirac, GroundState, PlaneWaves
from mlxc.response.exchanged_spins import ExchangedSpins
from mlxc.response.implicit import Implicit, StateAdjoint
from mlxc.xc.gga import PBE

# A row of atoms with opposite moments.
ROW = Crystal([[9, 0, 0], [0, 6, 0], [0, 0, 6]], ["H", "H"], [[0, 0, 0], [0.5, 0, 0]], [1.0, -1.0], "row")


def ground_state(crystal: Crystal, xc: nn.Module) -> GroundState:
    ground = mlxc.scf(
        crystal, xc=xc, basis=PlaneWaves(5.0), kmesh=(2, 1, 1), smearing=FermiDirac(0.02), spin=True, pseudo="gth",
        tolerance=1e-10,
    )  # fmt: skip
    assert ground.converged
    return ground


def density_of_one_spin(ground: GroundState) -> Tensor:
    points = torch.arange(ground.density.shape[1], dtype=torch.float64)
    return (ground.density[0].square() * torch.cos(points)[:, None, None]).sum()


def levels_of_one_spin(ground: GroundState) -> Tensor:
    return ground.eigenvalues[0, 0] + ground.eigenvalues[-1, 0].square()


def filling(ground: GroundState) -> Tensor:
    rows, bands = ground.occupations.shape
    return (ground.occupations.square() * torch.arange(bands) * torch.arange(1, rows + 1)[:, None]).sum()


def force_like(ground: GroundState) -> Tensor:
    """A sum over filled orbitals, as in forces."""
    weights = torch.linspace(0, 1, ground.orbitals.shape[-1], dtype=torch.float64)
    return (ground.orbitals.abs().square() * weights * ground.occupations[..., None])[:2].sum()


LOSSES = [density_of_one_spin, levels_of_one_spin, filling, force_like]


def gradients(ground: GroundState) -> Tensor:
    """The gradients of all losses with respect to the functional's parameters."""
    state = Implicit().attach(ground)
    parameters = list(ground.problem.functional.parameters())
    found = [torch.autograd.grad(loss(state), parameters, retain_graph=True) for loss in LOSSES]
    assert isinstance(state.adjoint, StateAdjoint)
    return torch.stack([torch.stack(of_loss) for of_loss in found])


def test_of_a_loss_that_tells_the_spins_apart_the_symmetric_part_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    ground = ground_state(ROW, PBE(trainable=True))
    symmetry = ExchangedSpins.of(ground.problem, ground.electrons.potential)
    assert symmetry is not None
    assert symmetry.translation.tolist() == [0.5, 0, 0]
    by_one_spin = gradients(ground)
    monkeypatch.setattr(ExchangedSpins, "of", lambda *_: None)
    assert (by_one_spin - gradients(ground)).abs().max() < 1e-8 * by_one_spin.abs().max()


class InField(nn.Module):
    """LDA in a magnetic field, which acts on the spins alone and is zero."""

    ingredients = ("rho",)

    def __init__(self) -> None:
        super().__init__()
        self.lda = mlxc.functional("lda")
        self.field = nn.Parameter(torch.zeros((), dtype=torch.float64))

    def forward(self, rho: Tensor) -> Tensor:
        energy: Tensor = self.lda(rho=rho) - self.field * (rho[0] - rho[1])
        return energy


def magnetisation(ground: GroundState) -> Tensor:
    return (ground.density[0] - ground.density[1]).sum() * ground.basis.grid.volume / ground.basis.grid.size


def test_a_parameter_that_tells_the_spins_apart_keeps_both() -> None:
    """The susceptibility of a metal whose spins are alike until a field acts on them."""
    sodium = Crystal.load("na")

    def state(field: float) -> tuple[InField, GroundState]:
        xc = InField()
        with torch.no_grad():
            xc.field += field
        return xc, ground_state(sodium, xc)

    xc, ground = state(0.0)
    magnetisation(ground).backward()
    step = 1e-4
    difference = float((magnetisation(state(step)[1]) - magnetisation(state(-step)[1])).detach()) / (2 * step)
    assert abs(difference) > 1
    assert xc.field.grad is not None
    assert abs(float(xc.field.grad) / difference - 1) < 1e-4
