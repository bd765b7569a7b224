"""Networks that give the XC energy from the density, its polarisation and gradient, and obey no exact condition.

M. F. Kasim, S. M. Vinko, Phys. Rev. Lett. 127, 126403 (2021), as implemented in the authors' code and in DeepChem 2.8
(``deepchem.models.dft.nnxc``), whose classes have these names; with the same network the energies are the same. What a
network says about a vacuum is finite, but means nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import pi
from typing import Any, Self

import torch
from torch import Tensor, nn

from mlxc.errors import InputError
from mlxc.xc.functional import CheckpointFunctional
from mlxc.xc.network import multilayer_perceptron

# Where DeepChem keeps a density, electrons/bohr^3, from being zero in a power and in a denominator.
SOFT_DENSITY = 1e-12
SMALLEST_DENOMINATOR = 1e-18
# The same for each component of the gradient, electrons/bohr^4.
SOFT_GRADIENT = 1e-15


def softplus_network(ninput: int, hidden: Sequence[int] = (10,), seed: int = 0) -> nn.Sequential:
    """Layers with the activation log(1 + exp x), and one output without a bias, in double precision.

    Args:
        ninput: The number of features.
        hidden: The width of each hidden layer; by default the one layer of DeepChem's ``XCModel``.
        seed: The seed of the initial weights, which are torch's usual ones; torch's own generator is left as it is.

    Raises:
        InputError: no, or too many, layers, or a width out of bounds.
    """
    return multilayer_perceptron(ninput, hidden, 1, seed, nn.Softplus, last_bias=False)


def softplus_widths(network: nn.Module) -> list[int]:
    """The widths of the hidden layers of a network of :func:`softplus_network`.

    Raises:
        InputError: it is another one.
    """
    linear = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    hidden = [layer.out_features for layer in linear[:-1]]
    if not hidden or repr(softplus_network(linear[0].in_features, hidden)) != repr(network):
        raise InputError("A checkpoint holds networks of the form of DeepChem's XCModel, no other ones.")
    return hidden


class UnconstrainedNetwork(CheckpointFunctional):
    """What :class:`NNLDA` and :class:`NNPBE` share.

    Args:
        nnmodel: The network from features ``(npoint, nfeature)`` to ``(npoint, 1)``, which is turned to double
            precision; by default that of :func:`softplus_network`.
        ninpmode: How the density is given to the network: 1 as n, 2 as n^(1/3), 3 as log(1 + n); DeepChem has 1 only.
        outmultmode: What the network's output is: 1 the energy per electron, hartree, 2 its ratio to the exchange
            energy of the unpolarised uniform gas; DeepChem has 1 only.

    Raises:
        InputError: there is no such mode.
    """

    nfeature: int

    def __init__(self, nnmodel: nn.Module | None = None, ninpmode: int = 1, outmultmode: int = 1) -> None:
        super().__init__()
        self.nnmodel = (softplus_network(self.nfeature) if nnmodel is None else nnmodel).double()
        self.ninpmode = _known("ninpmode", ninpmode, DENSITY_INPUT)
        self.outmultmode = _known("outmultmode", outmultmode, ENERGY_UNIT)

    def config(self) -> dict[str, Any]:
        """What builds a functional of the same form, if its network is that of :func:`softplus_network`."""
        modes = {"ninpmode": self.ninpmode, "outmultmode": self.outmultmode}
        return {"hidden": softplus_widths(self.nnmodel)} | modes

    @classmethod
    def from_config(cls, hidden: Sequence[int] = (10,), **modes: int) -> Self:
        """Make a functional whose network is that of :func:`softplus_network`."""
        return cls(softplus_network(cls.nfeature, hidden), **modes)

    def _energy(self, rho: Tensor, *reduced: Tensor) -> Tensor:
        density = rho.sum(0)
        features = [DENSITY_INPUT[self.ninpmode](density), _polarisation(rho, density), *reduced]
        output: Tensor = self.nnmodel(torch.stack(features, -1))
        return output.squeeze(-1) * density * ENERGY_UNIT[self.outmultmode](density)


class NNLDA(UnconstrainedNetwork):
    """A network on the density and its polarisation, n and zeta."""

    architecture = "nnlda"
    ingredients = ("rho",)
    nfeature = 2

    def forward(self, rho: Tensor) -> Tensor:
        """XC energy per volume."""
        return self._energy(rho)


class NNPBE(UnconstrainedNetwork):
    """A network on the density, its polarisation and its reduced gradient, n, zeta and s, unscaled."""

    architecture = "nnpbe"
    ingredients = ("rho", "grad")
    nfeature = 3

    def forward(self, rho: Tensor, grad: Tensor) -> Tensor:
        """XC energy per volume."""
        return self._energy(rho, _reduced_gradient(rho.sum(0), grad.sum(0)))


def _known(name: str, mode: int, modes: dict[int, Callable[[Tensor], Tensor]]) -> int:
    if mode not in modes:
        raise InputError(f"{name}: there is no mode {mode!r}; there are {', '.join(map(str, modes))}.")
    return mode


def _soft_power(density: Tensor, power: float) -> Tensor:
    """n^power, levelling off where n is below ``SOFT_DENSITY``."""
    return (density.square() + SOFT_DENSITY**2) ** (power / 2)


def _polarisation(rho: Tensor, density: Tensor) -> Tensor:
    """zeta = (n_up - n_down) / n; zero for an unpolarised density."""
    if len(rho) == 1:
        return torch.zeros_like(density)
    return (rho[0] - rho[1]) / (density + SMALLEST_DENOMINATOR)


def _reduced_gradient(density: Tensor, grad: Tensor) -> Tensor:
    """s = |grad n| / (2 (3 pi^2)^(1/3) n^(4/3)), from ``(npoint,)`` and ``(3, npoint)``."""
    length = (grad.square() + SOFT_GRADIENT**2).sum(0).sqrt()
    return length / (2 * (3 * pi**2) ** (1 / 3)) * _soft_power(density, -4 / 3)


def _uniform_exchange_per_electron(density: Tensor) -> Tensor:
    """-(3/4) (3/pi)^(1/3) n^(1/3), hartree."""
    return -3 / 4 * (3 / pi) ** (1 / 3) * _soft_power(density, 1 / 3)


DENSITY_INPUT: dict[int, Callable[[Tensor], Tensor]] = {
    1: lambda density: density,
    2: lambda density: _soft_power(density, 1 / 3),
    3: torch.log1p,
}
ENERGY_UNIT: dict[int, Callable[[Tensor], Tensor]] = {
    1: torch.ones_like,
    2: _uniform_exchange_per_electron,
}
