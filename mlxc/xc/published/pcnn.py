"""pcNN: SCAN times factors near one, two networks that are interpolated between limits where the factors are known.

R. Nagai, R. Akashi, O. Sugino, Phys. Rev. Research 4, 013106 (2022), arXiv:2111.15593, as in the authors' code. With
d = 1e-7, m = (n + d)^(1/3) and z = (n_up - n_down) / (n + d), the networks see

    R = tanh(m),  S = tanh([|grad n|^2 + 10^(-56/3)]^(1/2) / m^4),
    Z = tanh(phi_4/3(z)),  T = tanh(tau / (C_F m^5) - 1),

and the first two layers of exchange, on S and T, serve correlation as well. Exchange is spin scaled. Its factor is one
in the uniform gas (S = T = 0) and for an infinite gradient (S = 1); that of correlation is one in the uniform gas and
at high density (R = 1), and at low density (R = 0) it does not depend on the polarisation, for which Z = 0 stands.

The authors' SCAN has rounded constants (that of xcfun); here it is :class:`~mlxc.xc.mgga.SCAN`, which changes exchange
by 6e-8 and correlation by 3e-6 of themselves.
"""

from __future__ import annotations

from math import log, tanh
from typing import ClassVar

import torch
from torch import Tensor

from mlxc.xc.mgga import SCAN, TAU_UNIFORM
from mlxc.xc.published.form import PublishedFunctional, linear_layers, softened_spins, squared_gradient
from mlxc.xc.published.pcnn_polynomials import (
    CorrelationOutputs,
    ExchangeOutputs,
    NetworkPolynomials,
    PolynomialsOfWeights,
)
from mlxc.xc.spin import polarisation_mean, spin_scaled

SMALL = 1e-7
SMALL_SIGMA = 10 ** (-56 / 3)
WIDTH = 100
# Where two limits are nearer to each other than this, the authors' weights leave the distance between them out.
SMALLEST_DISTANCE = 1e-7
# Beyond this, ln(1 + e^x) is x in double precision.
LARGEST_EXPONENT = 50.0
# From so many points on, polynomials for the networks are worth their while.
MANY_POINTS = 1024


class PCNN(PublishedFunctional):
    """The physically constrained meta-generalised-gradient functional of Nagai, Akashi and Sugino."""

    architecture = "pcnn"
    ingredients = ("rho", "grad", "tau")
    array_files: ClassVar[dict[str, str]] = {
        f"{network}.layer{layer}.{kind}": f"{kind[0]}{layer}{suffix}.npy"
        for network, suffix in (("exchange_network", ""), ("correlation_network", "c"))
        for layer in range(1, 5)
        for kind in ("weight", "bias")
    }

    def __init__(self) -> None:
        super().__init__()
        self.exchange_network = linear_layers(2, WIDTH, WIDTH, WIDTH, 1)
        self.correlation_network = linear_layers(2, WIDTH, (WIDTH, 2 * WIDTH), WIDTH, 1)
        self.scan = SCAN()
        self._polynomials = PolynomialsOfWeights()

    def forward(self, rho: Tensor, grad: Tensor, tau: Tensor) -> Tensor:
        """XC energy per volume."""
        return self.exchange(rho, grad, tau) + self.correlation(rho, grad, tau)

    def exchange(self, rho: Tensor, grad: Tensor, tau: Tensor) -> Tensor:
        """Exchange energy per volume."""
        return spin_scaled(self._unpolarised_exchange, rho, grad, tau)

    def _unpolarised_exchange(self, density: Tensor, grad: Tensor, tau: Tensor) -> Tensor:
        s, t = _inhomogeneity((density + SMALL) ** (1 / 3), grad.square().sum(0), tau)
        scan: Tensor = self.scan.exchange(density[None], grad[None], tau[None])
        return self.exchange_factor(s, t) * scan

    def exchange_factor(self, s: Tensor, t: Tensor) -> Tensor:
        """F_x from the descriptors S and T of an unpolarised density, each of shape ``(npoint,)``."""
        outputs = self._exchange_outputs(s, t)
        uniform, far = outputs.here - outputs.uniform + 1, outputs.here - outputs.far + 1
        from_uniform, from_far = torch.tanh(s**2 + t**2), torch.tanh((1 - s) ** 2)
        return _positive((from_far * uniform + from_uniform * far) / (from_uniform + from_far))

    def correlation(self, rho: Tensor, grad: Tensor, tau: Tensor) -> Tensor:
        """Correlation energy per volume."""
        softened, shares = softened_spins(rho, SMALL)
        m = softened ** (1 / 3)
        s, t = _inhomogeneity(m, squared_gradient(grad), tau.sum(0))
        phi = torch.as_tensor(polarisation_mean(shares, 4 / 3))
        z = torch.tanh(phi) if len(rho) == 2 else m.new_full((1,), tanh(1))
        return self.correlation_factor(torch.tanh(m), z, s, t) * self.scan.correlation(rho, grad, tau)

    def correlation_factor(self, r: Tensor, z: Tensor, s: Tensor, t: Tensor) -> Tensor:
        """F_c from the four descriptors, each of shape ``(npoint,)``; ``z`` may be of one point that stands for all."""
        outputs = self._correlation_outputs(r, z, s, t)
        uniform = outputs.here - outputs.uniform + 1
        low_density = outputs.here - outputs.dilute + outputs.unpolarised - outputs.dilute_unpolarised + 1
        high_density = outputs.here - outputs.dense + 1
        q = s**2 + t**2
        d0, d1, d2 = torch.tanh(q), torch.tanh(r**2), torch.tanh((1 - r) ** 2)
        d01, d02, d12 = torch.tanh(r**2 + q), torch.tanh((1 - r) ** 2 + q), tanh(1)
        c0, c1, c2 = d1 / d01 * _ratio(d2, d02), d2 / d12 * d0 / d01, _ratio(d0, d02) * d1 / d12
        return _positive((c0 * uniform + c1 * low_density + c2 * high_density) / (c0 + c1 + c2))

    def _exchange_outputs(self, s: Tensor, t: Tensor) -> ExchangeOutputs:
        if polynomials := self._polynomials_for(s):
            return polynomials.exchange_outputs(s, t)
        zero, one, network = torch.zeros_like(s[:1]), torch.ones_like(s), self._exchange_output
        return ExchangeOutputs(network(s, t), network(zero, zero), network(one, t))

    def _correlation_outputs(self, r: Tensor, z: Tensor, s: Tensor, t: Tensor) -> CorrelationOutputs:
        if polynomials := self._polynomials_for(r):
            return polynomials.correlation_outputs(r, z, s, t)
        nothing = torch.zeros_like(r[:1])
        density, inhomogeneity, output = self._third_of_density, self._third_of_inhomogeneity, self._correlation_output
        here, bond = density(r, z), inhomogeneity(s, t)
        return CorrelationOutputs(
            here=output(here + bond),
            uniform=output(here + inhomogeneity(nothing, nothing)),
            dilute=output(density(nothing, z) + bond),
            unpolarised=output(density(r, nothing) + bond),
            dilute_unpolarised=output(density(nothing, nothing) + bond),
            dense=output(density(nothing + 1, z) + bond),
        )

    def _polynomials_for(self, points: Tensor) -> NetworkPolynomials | None:
        """Polynomials for the networks; None for few points, and where somebody may ask for derivatives."""
        if torch.is_grad_enabled() or points.shape[0] < MANY_POINTS:
            return None

        def correlation(r: Tensor, z: Tensor, s: Tensor, t: Tensor) -> Tensor:
            return self._correlation_output(self._third_of_density(r, z) + self._third_of_inhomogeneity(s, t))

        return self._polynomials.of(self, lambda: NetworkPolynomials.of(self._exchange_output, correlation, points))

    def _shared(self, s: Tensor, t: Tensor) -> Tensor:
        """Half of the layers on S and T that exchange and correlation share, shape ``(npoint, 100)``."""
        return _two_layers(self.exchange_network, s, t)

    def _exchange_output(self, s: Tensor, t: Tensor) -> Tensor:
        layers = self.exchange_network
        third = _linear(self._shared(s, t), *layers["layer3"].parameters())
        return _linear(_half_activation(third), *layers["layer4"].parameters()).squeeze(-1)

    def _third_of_density(self, r: Tensor, z: Tensor) -> Tensor:
        """What R and Z add to the third layer of correlation, which is linear in what either pair adds."""
        weight, bias = self.correlation_network["layer3"].parameters()
        return _linear(_two_layers(self.correlation_network, r, z), weight[:, :WIDTH], bias)

    def _third_of_inhomogeneity(self, s: Tensor, t: Tensor) -> Tensor:
        """What S and T add to it."""
        weight, _ = self.correlation_network["layer3"].parameters()
        return _linear(self._shared(s, t), weight[:, WIDTH:])

    def _correlation_output(self, third: Tensor) -> Tensor:
        """N_c from the third layer before its activation."""
        return _linear(_half_activation(third), *self.correlation_network["layer4"].parameters()).squeeze(-1)


def _two_layers(layers: torch.nn.ModuleDict, a: Tensor, b: Tensor) -> Tensor:
    """Half of what the first two layers give, shape ``(npoint, 100)``."""
    first = layers["layer1"](torch.stack(torch.broadcast_tensors(a, b), -1))
    return _half_activation(_linear(_half_activation(first), *layers["layer2"].parameters()))


def _linear(half: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """A layer on twice its argument; to double the weights takes no time, to double what each point has takes much."""
    return torch.nn.functional.linear(half, 2 * weight, bias)


def _inhomogeneity(m: Tensor, sigma: Tensor, tau: Tensor) -> tuple[Tensor, Tensor]:
    """The descriptors S and T, zero in the uniform gas."""
    s = torch.tanh((sigma + SMALL_SIGMA).sqrt() / m**4)
    return s, torch.tanh(tau / (TAU_UNIFORM * m**5) - 1)


def _half_activation(x: Tensor) -> Tensor:
    """Half of log2(1 + 4^x)."""
    return torch.nn.functional.softplus(x, beta=2 * log(2), threshold=LARGEST_EXPONENT)


def _positive(y: Tensor) -> Tensor:
    """log2(1 + 4^(y - 1)), which is one at y = 1."""
    return 2 * _half_activation(y - 1)


def _ratio(distance: Tensor, between: Tensor) -> Tensor:
    """The distance from a limit by that between two limits, one where these two coincide."""
    apart = between > SMALLEST_DISTANCE
    return (distance / between.where(apart, 1.0)).where(apart, 1.0)
