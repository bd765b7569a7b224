"""NN-LDA, NN-GGA and NN-meta-GGA: networks that give exchange and correlation at once, with nothing underneath.

R. Nagai, R. Akashi, O. Sugino, npj Comput. Mater. 6, 43 (2020), arXiv:1903.00238; also known as HM. With d = 1e-7,
m = (n + d)^(1/3) and z = (n_up - n_down) / (n + d),

    e_xc = -n^(4/3) phi_4/3(z) [ELU(y) + 1],

where y is the output of the network and phi_p(z) = [(1 + z)^p + (1 - z)^p] / 2. So e_xc is negative; nothing else is
imposed. That d is added to each of the three products of spin gradients, 4 d to the square of the total one, is part of
the form: it keeps ln s finite where the gradient vanishes.
"""

from __future__ import annotations

from math import log
from typing import ClassVar

import torch
from torch import Tensor

from mlxc.xc.published.form import (
    PublishedFunctional,
    linear_layers,
    softened_spins,
    squared_gradient,
    through_layers,
)
from mlxc.xc.spin import polarisation_mean

# d, in electrons/bohr^3, and the same number in the units of |grad n|^2, of |grad n| and of tau.
SMALL = 1e-7
WIDTH = 100


class HM(PublishedFunctional):
    """What the three rungs share: a network of three hidden layers of 100 on the logarithms of n, phi, s and tau."""

    ninput: ClassVar[int]

    def __init__(self) -> None:
        super().__init__()
        self.network = linear_layers(self.ninput, WIDTH, WIDTH, WIDTH, 1)

    def forward(self, rho: Tensor, grad: Tensor | None = None, tau: Tensor | None = None) -> Tensor:
        """XC energy per volume, from those of the arguments that are its ingredients."""
        softened, shares = softened_spins(rho, SMALL)
        log_m, phi = softened.log() / 3, polarisation_mean(shares, 4 / 3)
        features = [log_m, torch.as_tensor(phi).log()]
        if grad is not None:
            features.append(((squared_gradient(grad) + 4 * SMALL).sqrt() + SMALL).log() - 4 * log_m)
        if tau is not None:
            kinetic = torch.as_tensor(polarisation_mean(shares, 5 / 3)).log() + log(2)
            features.append((tau.sum(0) + SMALL).log() - 5 * log_m - kinetic)
        output = through_layers(self.network, features, torch.nn.functional.elu)
        return -(rho.sum(0) ** (4 / 3)) * phi * _elu_plus_one(output)


class HMLDA(HM):
    """The local rung."""

    architecture = "hm-lda"
    ingredients = ("rho",)
    ninput = 2


class HMGGA(HM):
    """The generalised-gradient rung."""

    architecture = "hm-gga"
    ingredients = ("rho", "grad")
    ninput = 3


class HMMGGA(HM):
    """The meta-generalised-gradient rung."""

    architecture = "hm-mgga"
    ingredients = ("rho", "grad", "tau")
    ninput = 4


def _elu_plus_one(y: Tensor) -> Tensor:
    """exp(y) for y < 0, y + 1 above, which is positive."""
    return torch.where(y > 0, y + 1, y.clamp(max=0.0).exp())
