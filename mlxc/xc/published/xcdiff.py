"""XCDIFF: bounded enhancement factors on Slater exchange and Perdew-Wang correlation, learned through an SCF.

S. Dick, M. Fernandez-Serra, Phys. Rev. B 104, L161109 (2021), arXiv:2106.04481, as it is in the file ``MGGA_XC_XCDIFF``
of the authors' libnxc. With eta = 1e-7, X(s) = [1 - exp(-s^2)] ln(1 + s) and Y(a) = ln{[1 + a^3 / (a^2 + eta)] / 2},

    e_x = e_x^unif(n) F_x,   F_x = 1.174 sigmoid(y_x - ln 0.174),  y_x = N_x(X, Y) [X + tanh(Y)^2],  spin scaled,
    e_c = n eps_c F_c,       F_c = 1 - tanh(y_c / 2),              y_c = N_c [tanh(X) + tanh(Y)^2],

so that both factors are one in the uniform gas.

The factor by which correlation divides s is not symmetric in the spins: (1 + z)^(2/3) + (1 - z)^2 / 3, where
(1 + z)^(2/3) + (1 - z)^(2/3) was meant. The network was trained with it, so it stays.
"""

from __future__ import annotations

from math import log, pi

import torch
from torch import Tensor

from mlxc.xc.lda import PrintedPW92Correlation, uniform_exchange
from mlxc.xc.mgga import TAU_UNIFORM
from mlxc.xc.published.form import (
    PublishedFunctional,
    linear_layers,
    softened_spins,
    squared_gradient,
    through_layers,
)
from mlxc.xc.spin import polarisation_mean, spin_scaled

ETA = 1e-7
# What the authors add to the density in the uniform gas's correlation, and to its cubic root, electrons/bohr^3.
SOFT_DENSITY = 1e-8
SOFT_ROOT = 1e-5
WIDTH = 16
BOUND = 1.174
GRADIENT_SCALE = 2 * (3 * pi**2) ** (1 / 3)
# For s^2 below this, X(s) is zero in double precision beside one, with its first two derivatives.
SMALL_S2 = 1e-20


class XCDIFF(PublishedFunctional):
    """The meta-generalised-gradient functional of Dick and Fernandez-Serra, spins not symmetric as published."""

    architecture = "xcdiff"
    ingredients = ("rho", "grad", "tau")

    def __init__(self) -> None:
        super().__init__()
        self.exchange_network = linear_layers(2, WIDTH, WIDTH, WIDTH, 1)
        self.correlation_network = linear_layers(4, WIDTH, WIDTH, WIDTH, 1)
        self.local_correlation = PrintedPW92Correlation()

    def forward(self, rho: Tensor, grad: Tensor, tau: Tensor) -> Tensor:
        """XC energy per volume."""
        return self.exchange(rho, grad, tau) + self.correlation(rho, grad, tau)

    def exchange(self, rho: Tensor, grad: Tensor, tau: Tensor) -> Tensor:
        """Exchange energy per volume."""
        return spin_scaled(self._unpolarised_exchange, rho, grad, tau)

    def _unpolarised_exchange(self, density: Tensor, grad: Tensor, tau: Tensor) -> Tensor:
        sigma = grad.square().sum(0)
        u, v = _of_gradient(_squared_s(density, sigma)), _of_indicator(_indicator(density, sigma, tau))
        y = through_layers(self.exchange_network, (u, v), torch.nn.functional.gelu) * (u + torch.tanh(v).square())
        return uniform_exchange(density) * BOUND * torch.sigmoid(y - log(BOUND - 1))

    def correlation(self, rho: Tensor, grad: Tensor, tau: Tensor) -> Tensor:
        """Correlation energy per volume."""
        density, sigma = rho.sum(0), squared_gradient(grad)
        _, shares = softened_spins(rho, ETA)
        lopsided = shares[0] ** (2 / 3) + shares[1].square() / 3
        u = _of_gradient(_squared_s(density, sigma) / lopsided.square())
        v = _of_indicator(_indicator(density, sigma, tau.sum(0)) / polarisation_mean(shares, 5 / 3))
        size = (density ** (1 / 3) + SOFT_ROOT).log()
        features = (size, torch.as_tensor(polarisation_mean(shares, 4 / 3)).log(), u, v)
        network = through_layers(self.correlation_network, features, torch.nn.functional.gelu)
        y = torch.nn.functional.softplus(network) * (torch.tanh(u) + torch.tanh(v).square())
        local = self.local_correlation.energy_per_electron(*softened_spins(rho, SOFT_DENSITY))
        return density * local * (1 - torch.tanh(y / 2))


def _squared_s(density: Tensor, sigma: Tensor) -> Tensor:
    """s^2 with eta in the denominator of s."""
    return sigma / (GRADIENT_SCALE * density ** (4 / 3) + ETA).square()


def _indicator(density: Tensor, sigma: Tensor, tau: Tensor) -> Tensor:
    """(tau - tau_W) / tau_uniform with eta in both denominators; no electrons have less than zero.

    On a grid that is too coarse numbers may say so, and Y has no value below -1. At zero Y has two derivatives that
    vanish, so that it is as smooth there as it was.
    """
    excess = tau - sigma / (8 * (density + ETA))
    return (excess / (TAU_UNIFORM * density ** (5 / 3) + ETA)).clamp(min=0.0)


def _of_gradient(s2: Tensor) -> Tensor:
    """X(s) = [1 - exp(-s^2)] ln(1 + s), from s^2."""
    seen = s2 > SMALL_S2
    s2 = s2.where(seen, 1.0)
    return (-torch.expm1(-s2) * torch.log1p(s2.sqrt())).where(seen, 0.0)


def _of_indicator(a: Tensor) -> Tensor:
    """Y(a) = ln{[1 + a^3 / (a^2 + eta)] / 2}."""
    return torch.log1p(a**3 / (a.square() + ETA)) - log(2)
