"""Generalised-gradient functionals of the PBE form."""

from __future__ import annotations

from math import log, pi

import torch
from torch import Tensor, nn

from mlxc.xc.functional import Functional
from mlxc.xc.lda import PW92Correlation, slater_exchange, total_and_polarisation

PBE_BETA = 0.06672455060314922
PBE_MU = PBE_BETA * pi**2 / 3
PBE_KAPPA = 0.804
PBESOL_BETA = 0.046
PBESOL_MU = 10 / 81
PBE_GAMMA = (1 - log(2)) / pi**2


class PBE(Functional):
    """The functional of J. P. Perdew, K. Burke, M. Ernzerhof, Phys. Rev. Lett. 77, 3865 (1996).

    Args:
        kappa: bound of the exchange enhancement.
        mu: gradient coefficient of exchange.
        beta: gradient coefficient of correlation.
        trainable: make ``kappa`` and ``mu`` parameters, the smallest learnable functional
            (arXiv 2509.07785 fits these two to lattice constants).
    """

    ingredients = ("rho", "grad")

    def __init__(
        self, kappa: float = PBE_KAPPA, mu: float = PBE_MU, beta: float = PBE_BETA, trainable: bool = False
    ) -> None:
        super().__init__()
        self.kappa = nn.Parameter(torch.tensor(kappa, dtype=torch.float64), requires_grad=trainable)
        self.mu = nn.Parameter(torch.tensor(mu, dtype=torch.float64), requires_grad=trainable)
        self.beta = beta
        self.local_correlation = PW92Correlation()

    def forward(self, rho: Tensor, grad: Tensor) -> Tensor:
        """XC energy per volume."""
        return self.exchange(rho, grad) + self.correlation(rho, grad)

    def exchange(self, rho: Tensor, grad: Tensor) -> Tensor:
        """Exchange energy per volume; E_x[up, down] = (E_x[2 up] + E_x[2 down]) / 2."""
        nspin = len(rho)
        return (
            sum(
                (self._unpolarised_exchange(nspin * rho[s], nspin * grad[s]) for s in range(nspin)),
                torch.zeros_like(rho[0]),
            )
            / nspin
        )

    def _unpolarised_exchange(self, density: Tensor, grad: Tensor) -> Tensor:
        s2 = grad.square().sum(0) / (4 * (3 * pi**2) ** (2 / 3) * density ** (8 / 3))
        return slater_exchange(density[None]) * self.enhancement(s2)

    def enhancement(self, s2: Tensor) -> Tensor:
        """F_x(s) = 1 + kappa - kappa / (1 + mu s^2 / kappa), equation 14."""
        return 1 + self.mu * s2 / (1 + self.mu * s2 / self.kappa)

    def correlation(self, rho: Tensor, grad: Tensor) -> Tensor:
        """Correlation energy per volume, equations 3, 7 and 8."""
        density, zeta = total_and_polarisation(rho)
        local = self.local_correlation.energy_per_electron(density, zeta)
        phi = 1.0 if zeta is None else ((1 + zeta) ** (2 / 3) + (1 - zeta) ** (2 / 3)) / 2
        # t^2 = (phi^-1 |grad n| / 2 k_s n)^2 with k_s^2 = 4 k_F / pi
        squared = grad.sum(0).square().sum(0)
        t2 = squared * pi / (16 * (3 * pi**2) ** (1 / 3) * phi**2 * density ** (7 / 3))
        ratio = self.beta / PBE_GAMMA
        a = ratio / torch.expm1(-local / (PBE_GAMMA * phi**3))
        fraction = (1 + a * t2) / (1 + a * t2 * (1 + a * t2))
        return density * (local + PBE_GAMMA * phi**3 * torch.log1p(ratio * t2 * fraction))


def pbesol() -> PBE:
    """PBEsol: J. P. Perdew et al., Phys. Rev. Lett. 100, 136406 (2008)."""
    return PBE(mu=PBESOL_MU, beta=PBESOL_BETA)
