"""Unconstrained networks and their sums with conventional functionals: definitions, finiteness, use in an SCF."""

from __future__ import annotations

from math import pi

import pytest
import torch
from densities import energy_and_derivatives, random_ingredients, those_of
from torch import Tensor, nn

import mlxc
from mlxc import Crystal
from mlxc.errors import InputError
from mlxc.xc.catalogue import functional
from mlxc.xc.hybrid import HybridXC
from mlxc.xc.unconstrained import NNLDA, NNPBE, UnconstrainedNetwork, softplus_network

MODES = [(ninpmode, outmultmode) for ninpmode in (1, 2, 3) for outmultmode in (1, 2)]


class Feature(nn.Module):
    """A network whose output is one of its features."""

    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index

    def forward(self, features: Tensor) -> Tensor:
        return features[..., self.index, None]


def silicon(xc: nn.Module | str) -> mlxc.GroundState:
    smearing = mlxc.FermiDirac(0.01)
    return mlxc.scf(Crystal.load("si"), xc=xc, basis=mlxc.PlaneWaves(6.0), kmesh=(2, 2, 2), smearing=smearing)


def test_the_network_sees_density_polarisation_and_reduced_gradient_and_gives_the_energy_per_electron() -> None:
    ingredients = random_ingredients(2)
    rho, grad = ingredients["rho"], ingredients["grad"]
    density = rho.sum(0)
    s = grad.sum(0).norm(dim=0) / (2 * (3 * pi**2 * density) ** (1 / 3) * density)
    for index, expected in enumerate([density, (rho[0] - rho[1]) / density, s]):
        assert torch.allclose(NNPBE(Feature(index))(rho, grad), density * expected, rtol=1e-11)
    for index, expected in enumerate([density, (rho[0] - rho[1]) / density]):
        assert torch.allclose(NNLDA(Feature(index))(rho), density * expected, rtol=1e-11)


def test_modes_transform_the_density_and_multiply_the_output() -> None:
    rho = random_ingredients(1)["rho"]
    density = rho[0]
    inputs = {1: density, 2: density ** (1 / 3), 3: torch.log1p(density)}
    exchange = -3 / 4 * (3 / pi) ** (1 / 3) * density ** (1 / 3)
    multipliers = {1: density, 2: density * exchange}
    for ninpmode, outmultmode in MODES:
        energy = NNLDA(Feature(0), ninpmode, outmultmode)(rho)
        assert torch.allclose(energy, inputs[ninpmode] * multipliers[outmultmode], rtol=1e-11)


@pytest.mark.parametrize("network", [NNLDA, NNPBE])
def test_equal_spins_give_the_unpolarised_energy(network: type[UnconstrainedNetwork]) -> None:
    total = those_of(network(), random_ingredients(1))
    halves = {key: values.repeat(2, *[1] * (values.dim() - 1)) / 2 for key, values in total.items()}
    assert torch.allclose(network()(**halves), network()(**total), rtol=1e-12)


@pytest.mark.parametrize("modes", MODES)
@pytest.mark.parametrize("nspin", [1, 2])
@pytest.mark.parametrize("network", [NNLDA, NNPBE])
def test_energy_and_potential_are_finite_in_a_vacuum(
    network: type[UnconstrainedNetwork], nspin: int, modes: tuple[int, int]
) -> None:
    rho = torch.tensor([1e-12, 1e-12, 1e-12, 1e-6, 1e3], dtype=torch.float64).repeat(nspin, 1)
    lengths = torch.tensor([0, 1e-12, 1e3, 1e3, 1e6], dtype=torch.float64)
    ingredients = {"rho": rho.requires_grad_(), "grad": lengths.repeat(nspin, 3, 1).requires_grad_()}
    for seed in range(5):
        xc = network(softplus_network(network.nfeature, (32, 32, 32), seed), *modes)
        for values in energy_and_derivatives(xc, ingredients).values():
            assert bool(torch.isfinite(values).all())


def test_initial_weights_depend_on_the_seed_alone() -> None:
    state = torch.random.get_rng_state()
    first, same, other = (softplus_network(2, seed=seed)[0].weight for seed in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("nspin", [1, 2])
@pytest.mark.parametrize("baseline", ["lda", "pbe", "r2scan", "gga_x_b88,gga_c_lyp"])
def test_a_hybrid_is_a_weighted_sum_of_network_and_baseline(baseline: str, nspin: int) -> None:
    xc = HybridXC(baseline, hidden=(8,), aweight0=0.3, bweight0=0.6, seed=3)
    ingredients = random_ingredients(nspin)
    network, conventional = (part(**those_of(part, ingredients)) for part in (xc.nnxc, functional(baseline)))
    assert torch.allclose(xc(**those_of(xc, ingredients)), 0.3 * network + 0.6 * conventional, rtol=1e-14)


def test_a_new_hybrid_gives_the_energy_of_its_baseline_in_an_scf() -> None:
    assert silicon(HybridXC("pbe")).energy.item() == pytest.approx(silicon("pbe").energy.item(), abs=1e-9)


def test_weights_and_network_of_a_hybrid_can_be_trained_through_an_scf() -> None:
    xc = HybridXC("lda", hidden=(8,), outmultmode=2, aweight0=0.1)
    ground = silicon(xc)
    assert ground.converged
    for slope in torch.autograd.grad(ground.energy, list(xc.parameters())):
        assert bool(torch.isfinite(slope).all())
        assert bool(slope.any())


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"ninpmode": 4}, "ninpmode"), ({"outmultmode": 0}, "outmultmode"), ({"hidden": ()}, "hidden"),
        ({"hidden": (8, 0)}, "hidden"), ({"baseline": "pbee"}, "xc"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_answered_with_one_sentence(wrong: dict[str, object], name: str) -> None:
    with pytest.raises(InputError, match=f"^{name}: "):
        HybridXC(**wrong)  # type: ignore[arg-type]
