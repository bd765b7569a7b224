"""Densities on which functionals are tested: the ingredients of one, as tensors that can be differentiated."""

from __future__ import annotations

from math import pi

import torch
from torch import Tensor, nn

from mlxc.grid.grid import Grid

FERMI_WAVE_VECTOR = (3 * pi**2) ** (1 / 3)
# A quantity times n^power has no dimension, so it can be judged at any density; the libraries agree to this accuracy.
POWER_OF_DENSITY = {"energy": -4 / 3, "rho": -1 / 3, "grad": 0, "tau": 1 / 3}
AGREEMENT = 1e-10


def uniform_kinetic_energy(rho: Tensor) -> Tensor:
    """tau of the uniform gas with these spin densities, shape ``(nspin, npoint)``."""
    return 3 / 10 * FERMI_WAVE_VECTOR**2 * (len(rho) * rho) ** (5 / 3) / len(rho)


def random_ingredients(nspin: int, npoint: int = 400, largest_s: float = 10.0, seed: int = 0) -> dict[str, Tensor]:
    """Densities from 1e-6 to 100 electrons/bohr^3, reduced gradients up to ``largest_s``, 0 < alpha < 3 per spin.

    Polarisations are below 0.998: libxc computes 1 - zeta by subtraction, and loses digits beyond.
    """
    generator = torch.Generator().manual_seed(nspin + 2 * seed)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, dtype=torch.float64)

    up = 0.001 + 0.998 * uniform(npoint)
    shares = torch.stack([up, 1 - up]) if nspin == 2 else torch.ones(1, npoint, dtype=torch.float64)
    rho = 10 ** (8 * uniform(npoint) - 6) * shares
    direction = uniform(nspin, 3, npoint) - 0.5
    length = 2 * FERMI_WAVE_VECTOR * rho ** (4 / 3) * largest_s * uniform(nspin, npoint)
    grad = direction / direction.norm(dim=1, keepdim=True) * length[:, None]
    tau = grad.square().sum(1) / (8 * rho) + 3 * uniform(nspin, npoint) * uniform_kinetic_energy(rho)
    return {name: values.requires_grad_() for name, values in {"rho": rho, "grad": grad, "tau": tau}.items()}


def those_of(functional: nn.Module, ingredients: dict[str, Tensor]) -> dict[str, Tensor]:
    """The ingredients that this functional wants."""
    return {name: ingredients[name] for name in functional.ingredients}  # type: ignore[union-attr]


def energy_and_derivatives(functional: nn.Module, ingredients: dict[str, Tensor]) -> dict[str, Tensor]:
    """The XC energy per volume under ``energy``, and its derivative with respect to each ingredient."""
    wanted = those_of(functional, ingredients)
    energy = functional(**wanted)
    derivatives = torch.autograd.grad(energy.sum(), list(wanted.values()), create_graph=True)
    return {"energy": energy, **dict(zip(wanted, derivatives, strict=True))}


def random_density(grid: Grid, seed: int, vacuum: float) -> tuple[Tensor, Tensor]:
    """A smooth density ``(1, n1, n2, n3)`` that falls to ``vacuum``, and a smooth change that vanishes with it."""
    generator = torch.Generator().manual_seed(seed)
    axes = [torch.arange(n, dtype=torch.float64) / n for n in grid.shape]
    points = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)
    density = torch.zeros(grid.shape, dtype=torch.float64)
    for _ in range(3):
        centre = torch.rand(3, generator=generator, dtype=torch.float64)
        sharpness, height = torch.rand(2, generator=generator, dtype=torch.float64).unbind()
        distance = torch.sin(pi * (points - centre)).square().sum(-1)
        density += height * torch.exp(-(4 + 40 * sharpness) * distance)
    phase = 2 * pi * torch.rand(3, generator=generator, dtype=torch.float64)
    return (density + vacuum)[None], (density * torch.cos(2 * pi * points + phase).prod(-1))[None]
