"""Neural functionals that satisfy exact conditions by their form: networks as bounded enhancement factors.

Exchange and correlation are those of the uniform gas, each times a factor F that a network shapes:

    E_x[n] = integral e_x^unif(n) F_x d3r   of the unpolarised density, and by spin scaling of any other,
    E_c[n] = integral n eps_c(r_s, zeta) F_c d3r,
    F = bound * sigmoid(logit(1 / bound) + w N),

where N is the network and w >= 0 vanishes for the uniform gas, so that F is one there, and 0 < F < bound everywhere:
exchange obeys the spin scaling of Oliver and Perdew and a local Lieb-Oxford bound, and correlation is negative,
whatever the weights. All features lie between 0 and 1, so that a vacuum, where s has no limit, is not far from what
was seen in training.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Any

import torch
from torch import Tensor

from mlxc.errors import InputError
from mlxc.xc.functional import CheckpointFunctional
from mlxc.xc.gga import squared_correlation_gradient, squared_reduced_gradient
from mlxc.xc.lda import PW92Correlation, uniform_exchange, wigner_seitz_radius
from mlxc.xc.mgga import TAU_UNIFORM
from mlxc.xc.network import multilayer_perceptron
from mlxc.xc.spin import polarisation_mean, spin_scaled, squared_polarisation, total_and_shares

INGREDIENTS_OF_RUNG = {"lda": ("rho",), "gga": ("rho", "grad"), "mgga": ("rho", "grad", "tau")}
# Local bounds of F_x: PBE's 1 + kappa (Phys. Rev. Lett. 77, 3865), and the tighter one that a functional with tau can
# meet for all densities (J. P. Perdew et al., J. Chem. Phys. 140, 18A533 (2014)).
EXCHANGE_BOUND = {"gga": 1.804, "mgga": 1.174}
# The largest local bound of exchange that keeps the Lieb-Oxford bound for all densities.
LIEB_OXFORD_OF_EXCHANGE = 1.804
CORRELATION_BOUND = 2.0
# Of the smooth step that keeps alpha positive; at alpha = 1 it changes nothing in double precision.
SHARPNESS = 100.0


class NeuralEnhancement(CheckpointFunctional):
    """A local, generalised-gradient or meta-generalised-gradient functional made of two networks.

    At the local rung exchange is exact for the uniform gas already, so only F_c(r_s, zeta) is left to learn, with
    F_c -> 1 at high density.

    Args:
        rung: The rung: ``lda``, ``gga`` or ``mgga``.
        hidden: The width of each hidden layer, the same for both networks.
        seed: The seed of the initial weights.
        exchange_bound: The largest F_x; by default 1.804 at the generalised-gradient rung, and 1.174 above it.

    Raises:
        InputError: another rung, layers that a network cannot have, or a bound that is not above one.
    """

    architecture = "neural-enhancement"

    def __init__(
        self, rung: str = "gga", hidden: Sequence[int] = (16, 16), seed: int = 0, exchange_bound: float | None = None
    ) -> None:
        super().__init__()
        if rung not in INGREDIENTS_OF_RUNG:
            raise InputError(f"rung: {rung!r} is not one of {', '.join(INGREDIENTS_OF_RUNG)}.")
        bound = EXCHANGE_BOUND.get(rung, LIEB_OXFORD_OF_EXCHANGE) if exchange_bound is None else exchange_bound
        if not 1 < bound <= LIEB_OXFORD_OF_EXCHANGE:
            raise InputError(f"exchange_bound: {bound!r} is not between 1 and {LIEB_OXFORD_OF_EXCHANGE}.")
        self.exchange_bound = bound
        self.rung = rung
        self.ingredients = INGREDIENTS_OF_RUNG[rung]
        self.hidden = tuple(hidden)
        self.local_correlation = PW92Correlation()
        own = 2 * (len(self.ingredients) - 1)  # features of s, and of alpha
        self.exchange_network = multilayer_perceptron(own, hidden, 2, seed) if own else None
        self.correlation_network = multilayer_perceptron(own + 3, hidden, 2 if own else 1, seed + 1)

    def config(self) -> dict[str, Any]:
        """What builds a functional of the same form."""
        config: dict[str, Any] = {"rung": self.rung, "hidden": list(self.hidden)}
        usual = self.exchange_bound == EXCHANGE_BOUND.get(self.rung, self.exchange_bound)
        return config if usual else config | {"exchange_bound": self.exchange_bound}

    def forward(self, rho: Tensor, grad: Tensor | None = None, tau: Tensor | None = None) -> Tensor:
        """XC energy per volume."""
        fields = [field for field in (rho, grad, tau) if field is not None]
        return self.exchange(*fields) + self.correlation(*fields)

    def exchange(self, *fields: Tensor) -> Tensor:
        """Exchange energy per volume."""
        return spin_scaled(self._unpolarised_exchange, *fields)

    def _unpolarised_exchange(self, density: Tensor, *others: Tensor) -> Tensor:
        if self.exchange_network is None:
            return uniform_exchange(density)
        s2 = squared_reduced_gradient(density, others[0])
        alpha = _alpha(density, s2, others[1]) if self.rung == "mgga" else None
        return uniform_exchange(density) * self.exchange_enhancement(s2, alpha)

    def exchange_enhancement(self, s2: Tensor, alpha: Tensor | None = None) -> Tensor:
        """F_x from s^2, and alpha at the meta-generalised-gradient rung, shape ``(npoint,)``."""
        assert self.exchange_network is not None
        features, distance = _inhomogeneity(s2, alpha)
        return _bounded((distance * self.exchange_network(features)).sum(-1), self.exchange_bound)

    def correlation(self, rho: Tensor, grad: Tensor | None = None, tau: Tensor | None = None) -> Tensor:
        """Correlation energy per volume."""
        density, shares = total_and_shares(rho)
        root = wigner_seitz_radius(density).sqrt()
        z2 = torch.zeros_like(density) if shares is None else squared_polarisation(shares)[0]
        features, distance = (
            torch.stack([root / (1 + root), 1 / (1 + root * root), z2], dim=-1),
            (root / (1 + root))[:, None],
        )
        if grad is not None:
            s2 = squared_reduced_gradient(density, grad.sum(0))
            t2 = squared_correlation_gradient(density, s2, polarisation_mean(shares, 2 / 3))
            alpha = None if tau is None else _alpha(density, s2, tau.sum(0), shares)
            more, distance = _inhomogeneity(t2, alpha)
            features = torch.cat([features, more], dim=-1)
        local = density * self.local_correlation.energy_per_electron(density, shares)
        return local * _bounded((distance * self.correlation_network(features)).sum(-1), CORRELATION_BOUND)


def _bounded(argument: Tensor, bound: float) -> Tensor:
    """A factor between 0 and ``bound`` that is one where the argument is zero."""
    return bound * torch.sigmoid(argument - log(bound - 1))


def _inhomogeneity(squared_gradient: Tensor, alpha: Tensor | None) -> tuple[Tensor, Tensor]:
    """Features of a squared reduced gradient and of alpha, and how far these are from the uniform gas.

    Returns:
        features in [0, 1], shape ``(npoint, 2)`` or ``(npoint, 4)``, and w >= 0, shape ``(npoint,)``, whose logarithm
        lets F approach its bounds as a power of the gradient.
    """
    features, away = [_saturating(squared_gradient), _saturating(squared_gradient / 10)], squared_gradient
    if alpha is not None:
        features += [_saturating(alpha), _saturating(alpha * alpha / 10)]
        away = squared_gradient + (1 - alpha).square()
    return torch.stack(features, dim=-1), torch.stack([_saturating(away), torch.log1p(away)], dim=-1)


def _alpha(density: Tensor, s2: Tensor, tau: Tensor, shares: Tensor | None = None) -> Tensor:
    """alpha = (tau - tau_W) / tau_unif, which is not negative but for rounding, with tau_W / tau_unif = 5/3 s^2.

    Args:
        density: The total density, shape ``(npoint,)``.
        s2: The squared reduced gradient.
        tau: The total density of kinetic energy.
        shares: The shares of the spins, on which tau of the uniform gas depends.
    """
    ratio = tau / (TAU_UNIFORM * density ** (5 / 3)) - 5 / 3 * s2
    return torch.nn.functional.softplus(ratio / polarisation_mean(shares, 5 / 3), beta=SHARPNESS)


def _saturating(x: Tensor) -> Tensor:
    """x / (1 + x), from 0 to 1 for x from 0 to infinity."""
    return x / (1 + x)
