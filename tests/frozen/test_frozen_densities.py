"""Stored densities: packed, together in one call, and read back, they give the energies that they had."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import pytest
import torch
from torch import Tensor, nn

from mlxc import InputError, functional
from mlxc.frozen.batch import POINTS, Batch
from mlxc.frozen.packing import pack, unpack
from mlxc.frozen.snapshot import Snapshot


def snapshot(nspin: int, npoint: int, seed: int) -> Snapshot:
    """A density such as crystals have, r_s from 0.5 to 5 and s from 0 to 3, and a gradient in any direction."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(*shape: int, low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(*shape, dtype=torch.float64, generator=generator)

    rho = 3 / (4 * torch.pi * uniform(nspin, npoint, low=0.5, high=5) ** 3) / nspin
    direction = torch.nn.functional.normalize(uniform(nspin, 3, npoint, low=-1, high=1), dim=1)
    fermi = (3 * torch.pi**2 * nspin * rho) ** (1 / 3)
    grad = direction * (uniform(nspin, npoint, low=0, high=3) * 2 * fermi * rho)[:, None]
    weizsaecker = grad.square().sum(1) / (8 * rho)
    tau = weizsaecker + uniform(nspin, npoint, low=0, high=2) * 0.3 * fermi**2 * rho
    return Snapshot(20.0 + seed, -3.0 - seed, {"rho": rho, "grad": grad, "tau": tau}, uniform(npoint, low=0, high=0.1))


MIXED = [snapshot(1, 500, 0), snapshot(2, 300, 1), snapshot(1, 700, 2), snapshot(2, 200, 3)]


@pytest.mark.parametrize("name", ["lda", "pbe", "r2scan", "solids-mgga", "gga_x_b88,gga_c_lyp"])
@pytest.mark.parametrize("nspin", [1, 2])
def test_packing_changes_no_energy_that_matters_whatever_the_functional(name: str, nspin: int) -> None:
    exact = [snapshot(nspin, 2000, seed) for seed in range(3)]
    packed = pack(exact)
    module = functional(name)
    for one, other in zip(exact, unpack(packed, None), strict=True):
        assert (one.volume_ang3, one.rest_ha) == (other.volume_ang3, other.rest_ha)
        energy = float(one.xc_energy(module).detach())
        # Roundings of 2000 points are 6e-8 each, and cancel as random numbers do.
        assert float(other.xc_energy(module).detach()) == pytest.approx(energy, rel=2e-8)
    numbers = sum(tensor.numel() * tensor.element_size() for tensor in packed.values())
    assert numbers < 8 * sum(tensor.numel() for one in exact for tensor in one.ingredients.values())


def test_a_packed_gradient_keeps_its_scalar_products() -> None:
    (again,) = unpack(pack([MIXED[1]]), None)

    def products(gradients: Tensor) -> Tensor:
        return torch.einsum("sxp,txp->stp", gradients, gradients)

    before, after = products(MIXED[1].ingredients["grad"]), products(again.ingredients["grad"])
    scale = before.diagonal().sum(-1)
    assert float(((after - before).abs().amax((0, 1)) / scale).max()) < 1e-6


@pytest.mark.parametrize("name", ["lda", "pbe-kappa-mu", "solids-mgga"])
def test_together_snapshots_have_the_energies_and_the_gradients_that_each_has_by_itself(name: str) -> None:
    module = functional(name)
    batch = Batch.of(MIXED)
    energies = batch.energies(module)
    alone = torch.stack([one.energy(module) for one in MIXED])
    assert float((energies - alone).detach().abs().max()) < 1e-12
    weights = torch.arange(1.0, 5.0, dtype=torch.float64)
    for parameter in filter(lambda one: one.requires_grad, module.parameters()):
        (ours,) = torch.autograd.grad((energies * weights).sum(), parameter, retain_graph=True)
        (theirs,) = torch.autograd.grad((alone * weights).sum(), parameter, retain_graph=True)
        assert torch.allclose(ours, theirs, rtol=1e-10, atol=1e-14)


def test_many_points_are_worked_on_in_portions() -> None:
    large = [snapshot(1, 20000, seed) for seed in range(3)]
    batch = Batch.of(large)
    assert len(batch.portions) == ceil(3 * 20000 / POINTS) > 1
    module = functional("pbe")
    assert torch.allclose(batch.energies(module), torch.stack([one.energy(module) for one in large]), rtol=1e-13)


def test_a_functional_that_wants_what_is_not_stored_is_told_so() -> None:
    without = [Snapshot(one.volume_ang3, one.rest_ha, _less(one.ingredients, ["tau"]), one.volumes) for one in MIXED]
    batch = Batch.of(without)
    assert torch.isfinite(batch.energies(functional("pbe"))).all()
    with pytest.raises(InputError, match="'tau', which these stored densities lack"):
        batch.energies(functional("r2scan"))


def _less(ingredients: dict[str, Tensor], names: Sequence[str]) -> dict[str, Tensor]:
    return {name: value for name, value in ingredients.items() if name not in names}


class Volume(nn.Module):
    """An energy per volume that is one everywhere."""

    ingredients = ("rho",)

    def forward(self, rho: Tensor) -> Tensor:
        return torch.ones_like(rho[0])


def test_a_constant_energy_per_volume_integrates_to_the_volume() -> None:
    volumes = Batch.of(MIXED).energies(Volume()) - Batch.of(MIXED).rest_ha
    assert torch.allclose(volumes, torch.stack([one.volumes.sum() for one in MIXED]))
