"""NNLDA, NNGGA and NNGGA-UEG: networks that are added to a conventional functional.

B. Kanungo, J. Hatch, P. M. Zimmerman, V. Gavini, Science Advances (2025), arXiv:2409.06498. With d = 1e-8 added to each
spin density and to |grad n|, N = n + 2 d, z = (n_up - n_down) / N, s = (|grad n| + d) / [2 (3 pi^2)^(1/3) N^(4/3)],

    e_nn = -(3/4) (3/pi)^(1/3) N^(4/3) phi_4/3(z) g y,   e_xc = n [eps_base + e_nn / N],

where y is the output of the network, phi_p(z) = [(1 + z)^p + (1 - z)^p] / 2, and g = 1 but for NNGGA-UEG, whose
g = tanh(s^(3/2)) makes the uniform gas exact. Nothing bounds y.
"""

from __future__ import annotations

from math import log, pi
from typing import ClassVar

import torch
from torch import Tensor

from mlxc.xc.functional import Functional
from mlxc.xc.gga import PBE
from mlxc.xc.lda import LDA, PrintedPW92Correlation, uniform_exchange
from mlxc.xc.published.form import (
    PublishedFunctional,
    linear_layers,
    softened_spins,
    squared_gradient,
    through_layers,
)
from mlxc.xc.spin import polarisation_mean

SMALL = 1e-8
WIDTH = 80
LOG_GRADIENT_SCALE = log(2) + log(3 * pi**2) / 3
# Below this square a gradient is none beside SMALL, and its length is not asked for a derivative that it has not.
SMALLEST_SIGMA = 1e-40


class PrintedLDA(LDA):
    """Slater exchange with the correlation of Perdew and Wang (1992) as the paper prints its constants."""

    def __init__(self) -> None:
        super().__init__()
        self.correlation = PrintedPW92Correlation()


class KanungoFunctional(PublishedFunctional):
    """What the three share: a network of four hidden layers of 80 on the logarithms of n and s, and on z^2."""

    ninput: ClassVar[int] = 3
    ingredients: tuple[str, ...] = ("rho", "grad")

    def __init__(self) -> None:
        super().__init__()
        self.network = linear_layers(self.ninput, WIDTH, WIDTH, WIDTH, WIDTH, 1)
        self.base: Functional = PBE()

    def forward(self, rho: Tensor, grad: Tensor | None = None) -> Tensor:
        """XC energy per volume, from those of the arguments that are its ingredients."""
        base: Tensor = self.base(rho) if grad is None else self.base(rho, grad)
        return base + rho.sum(0) * self.correction_per_electron(rho, grad)

    def correction_per_electron(self, rho: Tensor, grad: Tensor | None = None) -> Tensor:
        """e_nn / N, hartree."""
        softened, shares = softened_spins(rho, 2 * SMALL)
        log_root = softened.log() / 3
        features = [log_root, ((shares[0] - shares[1]) / 2).square()]
        switch: Tensor | float = 1.0
        if grad is not None:
            log_s = (_length(squared_gradient(grad)) + SMALL).log() - LOG_GRADIENT_SCALE - 4 * log_root
            features.append(log_s)
            switch = self._switch(log_s)
        output = through_layers(self.network, features, torch.nn.functional.elu)
        return uniform_exchange(softened) / softened * polarisation_mean(shares, 4 / 3) * switch * output

    def _switch(self, log_s: Tensor) -> Tensor | float:
        """g, from ln s."""
        return 1.0


class KanungoNNLDA(KanungoFunctional):
    """NNLDA, on top of the local density."""

    architecture = "kanungo-nnlda"
    ingredients = ("rho",)
    ninput = 2

    def __init__(self) -> None:
        super().__init__()
        self.base = PrintedLDA()


class KanungoNNGGA(KanungoFunctional):
    """NNGGA, on top of PBE."""

    architecture = "kanungo-nngga"
    graph_has_tanh = False


class KanungoNNGGAUEG(KanungoFunctional):
    """NNGGA-UEG, on top of PBE and exact for the uniform gas."""

    architecture = "kanungo-nngga-ueg"
    graph_has_tanh = True

    def _switch(self, log_s: Tensor) -> Tensor:
        return torch.tanh((1.5 * log_s).exp())


def _length(sigma: Tensor) -> Tensor:
    """|grad n|, with derivatives that are zero where it vanishes."""
    seen = sigma > SMALLEST_SIGMA
    return sigma.where(seen, 1.0).sqrt().where(seen, 0.0)
