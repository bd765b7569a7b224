"""The networks of pcNN as polynomials, for whoever wants energies of many points and no derivatives.

The networks are functions of two to four numbers between -1 and 1, so smooth that twelve coefficients in each of these,
and half of them in Z, stand for them to the last digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import tanh
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mlxc.utils.chebyshev import ChebyshevPolynomial

# Where R, Z, S and T lie; Z begins where there is no polarisation.
R, Z, S, T = (0.0, 1.0), (tanh(1), tanh(2 ** (1 / 3))), (0.0, 1.0), (-1.0, 1.0)
COEFFICIENTS, COEFFICIENTS_OF_Z = 12, 6


class ExchangeOutputs(NamedTuple):
    """What the network of exchange gives where it is asked, in the uniform gas, and for an infinite gradient."""

    here: Tensor
    uniform: Tensor
    far: Tensor


class CorrelationOutputs(NamedTuple):
    """What that of correlation gives where it is asked, and in its limits."""

    here: Tensor
    uniform: Tensor
    dilute: Tensor
    unpolarised: Tensor
    dilute_unpolarised: Tensor
    dense: Tensor


@dataclass(frozen=True)
class NetworkPolynomials:
    """Both networks as polynomials.

    Attributes:
        exchange: N_x of S and T.
        polarised: N_c of R, Z, S and T.
        unpolarised: N_c of R, S and T for an unpolarised density.
        without_z: N_c of R, S and T with Z = 0.
    """

    exchange: ChebyshevPolynomial
    polarised: ChebyshevPolynomial
    unpolarised: ChebyshevPolynomial
    without_z: ChebyshevPolynomial

    @classmethod
    def of(
        cls, exchange: Callable[..., Tensor], correlation: Callable[..., Tensor], like: Tensor
    ) -> NetworkPolynomials | None:
        """Those of two networks; None where polynomials do not stand for them.

        Args:
            exchange: N_x of S and T.
            correlation: N_c of R, Z, S and T.
            like: A tensor of the type and on the device of the arguments.
        """

        def with_z(value: float) -> Callable[..., Tensor]:
            return lambda r, s, t: correlation(r, r.new_full((1,), value), s, t)

        found = []
        for network, intervals in (
            (exchange, (S, T)), (correlation, (R, Z, S, T)), (with_z(Z[0]), (R, S, T)), (with_z(0.0), (R, S, T))
        ):  # fmt: skip
            counts = [COEFFICIENTS_OF_Z if interval is Z else COEFFICIENTS for interval in intervals]
            polynomial = ChebyshevPolynomial.through(network, intervals, counts, like)
            if polynomial is None:
                return None
            found.append(polynomial)
        return cls(*found)

    def exchange_outputs(self, s: Tensor, t: Tensor) -> ExchangeOutputs:
        """The outputs at S and T."""
        zero = torch.zeros_like(s[:1])
        return ExchangeOutputs(self.exchange(s, t), self.exchange(zero, zero), self.exchange.at(1.0)(t))

    def correlation_outputs(self, r: Tensor, z: Tensor, s: Tensor, t: Tensor) -> CorrelationOutputs:
        """The outputs at R, Z, S and T; Z of one point stands for all, and says that there is no polarisation."""
        network, between = (self.unpolarised, ()) if z.shape[0] == 1 else (self.polarised, (z,))
        nothing = torch.zeros_like(r)
        return CorrelationOutputs(
            here=network(r, *between, s, t),
            uniform=network(r, *between, nothing, nothing),
            dilute=network.at(0.0)(*between, s, t),
            unpolarised=self.without_z(r, s, t),
            dilute_unpolarised=self.without_z.at(0.0)(s, t),
            dense=network.at(1.0)(*between, s, t),
        )


class PolynomialsOfWeights:
    """Polynomials that are kept for as long as the weights of a functional stay as they are."""

    def __init__(self) -> None:
        self._weights: list[Tensor] = []
        self._found: NetworkPolynomials | None = None

    def of(self, functional: nn.Module, make: Callable[[], NetworkPolynomials | None]) -> NetworkPolynomials | None:
        """Those that were made for these weights, or new ones."""
        weights = list(functional.parameters())
        if not _are_equal(weights, self._weights):
            self._found = make()
            self._weights = [weight.detach().clone() for weight in weights]
        return self._found


def _are_equal(some: Sequence[Tensor], others: Sequence[Tensor]) -> bool:
    return len(some) == len(others) and all(
        one.device == other.device and torch.equal(one, other) for one, other in zip(some, others, strict=True)
    )
