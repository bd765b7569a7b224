"""Neural functionals of every form, small and untrained."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

import mlxc
from mlxc.xc.enhancement import NeuralEnhancement
from mlxc.xc.gga import PBE
from mlxc.xc.hybrid import HybridXC
from mlxc.xc.sums.weighted_sum import WeightedSum
from mlxc.xc.unconstrained import NNLDA, NNPBE

MODELS: dict[str, Callable[[], nn.Module]] = {
    "local-enhancement": lambda: NeuralEnhancement("lda", (4,)),
    "gradient-enhancement": lambda: NeuralEnhancement("gga", (4, 3)),
    "meta-enhancement": lambda: NeuralEnhancement("mgga", (4,)),
    "kappa-and-mu": lambda: PBE(kappa=0.7, mu=0.2, trainable=True),
    "network-and-lda": lambda: HybridXC("lda", (4, 4), aweight0=0.3),
    "network-and-pbe": lambda: HybridXC("pbe", (4,), ninpmode=2, aweight0=0.3),
    "nnlda": lambda: NNLDA(outmultmode=2),
    "nnpbe": lambda: NNPBE(),
    "network-beside-r2scan": lambda: WeightedSum(
        [0.8, 0.2], [NeuralEnhancement("mgga", (4,)), mlxc.functional("r2scan")]
    ),
}
