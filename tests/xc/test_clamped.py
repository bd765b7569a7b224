"""A clamped functional is itself inside its domain, and outside it what it is at the domain's edge."""

from __future__ import annotations

from math import pi
from pathlib import Path

import pytest
import torch
from densities import energy_and_derivatives, random_ingredients

from mlxc.calculation.calculation import Calculation
from mlxc.errors import InputError
from mlxc.xc.analysis.clamped import BEND, Clamped, held_below
from mlxc.xc.analysis.domain import reduced_variables, training_domains
from mlxc.xc.analysis.probe import enhancement_at
from mlxc.xc.catalogue import check_has_parameters, check_name, functional
from mlxc.xc.checkpoints.files import shipped_checkpoints
from mlxc.xc.identity import identity_of
from mlxc.xc.lda import uniform_exchange

NOWHERE_OUTSIDE = {"rs": (0.0, 1e3), "s": (0.0, 1e6)}


@pytest.mark.parametrize("name", ["lda", "pbe", "r2scan"])
@pytest.mark.parametrize("nspin", [1, 2])
def test_inside_its_domain_a_clamped_functional_is_the_functional(name: str, nspin: int) -> None:
    ingredients = random_ingredients(nspin)
    plain = energy_and_derivatives(functional(name), ingredients)
    clamped = energy_and_derivatives(Clamped(functional(name), NOWHERE_OUTSIDE), ingredients)
    for quantity, values in plain.items():
        torch.testing.assert_close(clamped[quantity], values, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["pbe", "r2scan"])
def test_beyond_its_domain_the_enhancement_factor_is_that_of_the_edge(name: str) -> None:
    rs, s, alpha = (torch.tensor([value], dtype=torch.float64) for value in (9.0, 8.0, 1.0))
    edge_rs, edge_s = torch.full_like(rs, 4.0), torch.full_like(s, 2.0)
    clamped = Clamped(functional(name), {"rs": (0.1, 4.0), "s": (0.0, 2.0)})
    found = enhancement_at(clamped, rs, None, s, alpha)
    expected = enhancement_at(functional(name), edge_rs, None, edge_s, alpha)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=0)


def test_a_bound_takes_hold_gently_and_holds() -> None:
    values = torch.linspace(0.0, 4.0, 4001, dtype=torch.float64, requires_grad=True)
    held = values * held_below(values)
    (slopes,) = torch.autograd.grad(held.sum(), values, create_graph=True)
    (curvatures,) = torch.autograd.grad(slopes.sum(), values)
    inside, beyond = values <= 1 - BEND, values >= 1 + BEND
    torch.testing.assert_close(held[inside], values[inside], rtol=0, atol=0)
    torch.testing.assert_close(held[beyond], torch.ones_like(held[beyond]), rtol=1e-14, atol=0)
    assert held.max() <= 1 + 1e-12
    assert slopes.min() >= -1e-12
    # Neither slope nor curvature jumps.
    assert slopes.diff().abs().max() < 0.01
    assert curvatures.diff().abs().max() < 0.05
    torch.testing.assert_close(curvatures[1:-1], (held[2:] - 2 * held[1:-1] + held[:-2]) * 1e6, rtol=0, atol=0.05)


@pytest.mark.parametrize("which", ["rs", "s"])
def test_the_potential_does_not_jump_where_a_density_crosses_the_edge(which: str) -> None:
    steps = 2001
    rs = torch.linspace(1.0, 6.0, steps, dtype=torch.float64) if which == "rs" else torch.full((steps,), 2.0)
    s = torch.linspace(0.2, 4.0, steps, dtype=torch.float64) if which == "s" else torch.full((steps,), 0.5)
    rho = (3 / (4 * pi * rs.double() ** 3))[None].requires_grad_()
    slope = (s.double() * 2 * (3 * pi**2) ** (1 / 3) * rho[0].detach() ** (4 / 3)).requires_grad_()
    grad = torch.stack([slope, torch.zeros_like(slope), torch.zeros_like(slope)])[None]
    clamped = Clamped(functional("bulk-unconstrained"), {"rs": (0.3, 3.3), "s": (0.0, 1.4)})
    for derivative in torch.autograd.grad(clamped(rho, grad).sum(), (rho, slope)):
        jumps = derivative.flatten().diff().abs()
        assert jumps.max() < 0.02 * float(jumps.sum())


def test_the_network_that_fails_for_graphene_settles_once_it_is_held_inside_its_domain() -> None:
    settings = {"structure": "graphene", "ecut_ha": 12, "kmesh": (3, 3, 1), "tolerance": 1e-6, "max_iterations": 12}
    assert Calculation.from_dict({**settings, "xc": "clamped:bulk-unconstrained"}).run().converged
    assert not Calculation.from_dict({**settings, "xc": "bulk-unconstrained"}).run().converged


@pytest.mark.parametrize("nspin", [1, 2])
def test_its_derivatives_are_those_of_its_energy(nspin: int) -> None:
    clamped = Clamped(functional("pbe"), {"rs": (0.5, 3.0), "s": (0.0, 1.5)})
    ingredients = {key: value[..., :30].detach() for key, value in random_ingredients(nspin).items()}
    s = reduced_variables(ingredients["rho"], ingredients["grad"])["s"]
    assert s.min() < 1.5 < s.max()

    rho, grad = ingredients["rho"], ingredients["grad"]

    def energy(share: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
        return clamped(rho * share, grad * slope) / uniform_exchange(rho.sum(0))

    ones = (torch.ones_like(rho, requires_grad=True), torch.ones_like(grad, requires_grad=True))
    assert torch.autograd.gradcheck(energy, ones, rtol=1e-5, atol=1e-6)


def test_a_vanishing_gradient_gives_finite_derivatives() -> None:
    clamped = Clamped(functional("pbe"), {"rs": (0.5, 3.0), "s": (0.0, 1.5)})
    rho = torch.tensor([[1e-12, 0.1]], dtype=torch.float64, requires_grad=True)
    grad = torch.zeros(1, 3, 2, dtype=torch.float64, requires_grad=True)
    slopes = torch.autograd.grad(clamped(rho, grad).sum(), (rho, grad))
    assert all(bool(torch.isfinite(slope).all()) for slope in slopes)


@pytest.mark.parametrize("name", ["bulk-unconstrained", "bulk-constrained", "solids-mgga", "pbe-proxy", "ms2-proxy"])
def test_the_name_of_a_checkpoint_can_ask_for_it_inside_the_domain_of_its_training(name: str) -> None:
    ingredients = random_ingredients(1)
    (domain,) = training_domains(functional(name))
    expected = energy_and_derivatives(Clamped(functional(name), domain), ingredients)
    for asked in (f"clamped:{name}", f"0.5*clamped:{name} + 0.5*clamped:{name}"):
        for quantity, values in energy_and_derivatives(functional(asked), ingredients).items():
            torch.testing.assert_close(values, expected[quantity], rtol=1e-9, atol=1e-12)


def test_a_clamped_checkpoint_is_another_functional_than_the_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    path.write_bytes(shipped_checkpoints()["bulk-constrained"].read_bytes())
    plain, clamped, of_file = (
        identity_of(functional(name)) for name in ("bulk-constrained", "clamped:bulk-constrained", f"clamped:{path}")
    )
    assert clamped.name == "clamped:bulk-constrained"
    assert plain.content_hash != clamped.content_hash == of_file.content_hash
    check_has_parameters("clamped:bulk-constrained")


@pytest.mark.parametrize("name", ["clamped:pbe", "clamped:", "clamped:nothing", "clamped:clamped:pbe"])
def test_only_what_has_learned_can_be_held_inside_a_domain(name: str) -> None:
    with pytest.raises(InputError, match="training domain"):
        check_name(name)
