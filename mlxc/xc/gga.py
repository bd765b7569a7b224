"""Generalised-gradient functionals of the PBE form."""

from __future__ import annotations

from math import log, pi
from typing import Any, Self

import torch
from torch import Tensor, nn

from mlxc.errors import InputError
from mlxc.xc.functional import CheckpointFunctional
from mlxc.xc.lda import PW92Correlation, uniform_exchange, wigner_seitz_radius
from mlxc.xc.spin import polarisation_mean, spin_scaled, total_and_shares

PBE_BETA = 0.06672455060314922
PBE_MU = PBE_BETA * pi**2 / 3
PBE_KAPPA = 0.804
PBESOL_BETA = 0.046
PBESOL_MU = 10 / 81
# gamma of equations 7 and 8: the high-density limit of the gradient correction to correlation.
PBE_GAMMA = (1 - log(2)) / pi**2


def squared_reduced_gradient(density: Tensor, grad: Tensor) -> Tensor:
    """s^2 = (|grad n| / 2 k_F n)^2 with k_F = (3 pi^2 n)^(1/3), from ``(npoint,)`` and ``(3, npoint)``."""
    return grad.square().sum(0) / (4 * (3 * pi**2) ** (2 / 3) * density ** (8 / 3))


def squared_correlation_gradient(density: Tensor, s2: Tensor, phi: Tensor | float) -> Tensor:
    """t^2 = (|grad n| / 2 phi k_s n)^2 with k_s^2 = 4 k_F / pi, from the squared reduced gradient s^2."""
    return (3 * pi**2 / 16) ** (2 / 3) * s2 / (phi**2 * wigner_seitz_radius(density))


class PBE(CheckpointFunctional):
    """The functional of J. P. Perdew, K. Burke, M. Ernzerhof, Phys. Rev. Lett. 77, 3865 (1996).

    Args:
        kappa: The bound of the exchange enhancement.
        mu: The gradient coefficient of exchange.
        beta: The gradient coefficient of correlation.
        trainable: Whether ``kappa`` and ``mu`` are parameters, which makes the smallest learnable functional
            (arXiv 2509.07785 fits these two to lattice constants).
    """

    architecture = "pbe-kappa-mu"
    ingredients = ("rho", "grad")

    def __init__(
        self, kappa: float = PBE_KAPPA, mu: float = PBE_MU, beta: float = PBE_BETA, trainable: bool = False
    ) -> None:
        super().__init__()
        self.kappa = nn.Parameter(torch.tensor(kappa, dtype=torch.float64), requires_grad=trainable)
        self.mu = nn.Parameter(torch.tensor(mu, dtype=torch.float64), requires_grad=trainable)
        self.beta = beta
        self.local_correlation = PW92Correlation()

    def config(self) -> dict[str, Any]:
        """Nothing: ``kappa`` and ``mu`` are weights, if they are trainable."""
        if not self.kappa.requires_grad:
            raise InputError("A checkpoint holds a PBE whose kappa and mu are trainable, not one where they are fixed.")
        return {}

    @classmethod
    def from_config(cls) -> Self:  # type: ignore[override]
        """Make the trainable form."""
        return cls(trainable=True)

    def forward(self, rho: Tensor, grad: Tensor) -> Tensor:
        """XC energy per volume."""
        return self.exchange(rho, grad) + self.correlation(rho, grad)

    def exchange(self, rho: Tensor, grad: Tensor) -> Tensor:
        """Exchange energy per volume."""
        return spin_scaled(self._unpolarised_exchange, rho, grad)

    def _unpolarised_exchange(self, density: Tensor, grad: Tensor) -> Tensor:
        return uniform_exchange(density) * self.enhancement(squared_reduced_gradient(density, grad))

    def enhancement(self, s2: Tensor) -> Tensor:
        """F_x(s) = 1 + kappa - kappa / (1 + mu s^2 / kappa), equation 14."""
        return 1 + self.mu * s2 / (1 + self.mu * s2 / self.kappa)

    def correlation(self, rho: Tensor, grad: Tensor) -> Tensor:
        """Correlation energy per volume, equations 3, 7 and 8."""
        density, shares = total_and_shares(rho)
        local = self.local_correlation.energy_per_electron(density, shares)
        phi = polarisation_mean(shares, 2 / 3)
        t2 = squared_correlation_gradient(density, squared_reduced_gradient(density, grad.sum(0)), phi)
        ratio = self.beta / PBE_GAMMA
        a = ratio / torch.expm1(-local / (PBE_GAMMA * phi**3))
        fraction = (1 + a * t2) / (1 + a * t2 * (1 + a * t2))
        return density * (local + PBE_GAMMA * phi**3 * torch.log1p(ratio * t2 * fraction))


def pbesol() -> PBE:
    """PBEsol: J. P. Perdew et al., Phys. Rev. Lett. 100, 136406 (2008)."""
    return PBE(mu=PBESOL_MU, beta=PBESOL_BETA)


class RPBE(PBE):
    """PBE with another exchange enhancement: B. Hammer, L. B. Hansen, J. K. Norskov, Phys. Rev. B 59, 7413 (1999)."""

    def enhancement(self, s2: Tensor) -> Tensor:
        """F_x(s) = 1 + kappa (1 - exp(-mu s^2 / kappa)), equation 15, below the Lieb-Oxford bound at every point."""
        return 1 - self.kappa * torch.expm1(-self.mu * s2 / self.kappa)
