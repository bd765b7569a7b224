"""A conventional functional and an unconstrained network, added with weights that are trained as well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import torch
from torch import Tensor, nn

from mlxc.errors import InputError
from mlxc.xc.conventional import build_conventional, build_sum, is_conventional
from mlxc.xc.functional import CheckpointFunctional, declared_ingredients
from mlxc.xc.sums.expression import split_sum
from mlxc.xc.unconstrained import NNLDA, NNPBE, UnconstrainedNetwork, softplus_network


class HybridXC(CheckpointFunctional):
    """e = a e_network + b e_baseline, equation 4 of M. F. Kasim, S. M. Vinko, Phys. Rev. Lett. 127, 126403 (2021).

    arXiv 2602.15923 trains this form on crystals. It is the same as ``HybridXC`` of DeepChem
    (``deepchem.models.dft.nnxc``); no exact exchange is meant.

    Args:
        baseline: The conventional functional, a name, a sum of names or a module. The network is that of
            :class:`~mlxc.xc.unconstrained.NNPBE` if it depends on gradients, of
            :class:`~mlxc.xc.unconstrained.NNLDA` if not.
        hidden: The width of each hidden layer.
        ninpmode: How the network gets the density, see :class:`~mlxc.xc.unconstrained.UnconstrainedNetwork`.
        outmultmode: What the network's output is, see there.
        aweight0: The initial weight a of the network; at zero the training begins with the baseline.
        bweight0: The initial weight b of the baseline.
        seed: The seed of the network's initial weights.

    Raises:
        InputError: there is no such functional or mode, or no such network.
    """

    architecture = "hybrid"

    def __init__(
        self,
        baseline: str | nn.Module = "lda",
        hidden: Sequence[int] = (32, 32, 32),
        ninpmode: int = 1,
        outmultmode: int = 1,
        aweight0: float = 0.0,
        bweight0: float = 1.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.baseline = baseline
        self.xc = build_sum(baseline, build_conventional) if isinstance(baseline, str) else baseline
        self.ingredients = declared_ingredients(self.xc)
        network: type[UnconstrainedNetwork] = NNPBE if "grad" in self.ingredients else NNLDA
        self.nnxc = network(softplus_network(network.nfeature, hidden, seed), ninpmode, outmultmode)
        self.aweight = nn.Parameter(torch.tensor(aweight0, dtype=torch.float64))
        self.bweight = nn.Parameter(torch.tensor(bweight0, dtype=torch.float64))

    def config(self) -> dict[str, Any]:
        """What builds a functional of the same form, if its baseline was given by name."""
        if not isinstance(self.baseline, str):
            raise InputError("A checkpoint holds a hybrid whose baseline was given by name.")
        return {"baseline": self.baseline} | self.nnxc.config()

    @classmethod
    def from_config(cls, *, baseline: str, **settings: Any) -> Self:  # type: ignore[override]
        """Make a functional with a conventional baseline, so that a file never makes mlxc open other files.

        Raises:
            InputError: the baseline is another one, or a setting is not allowed.
        """
        if not all(is_conventional(name) for _, name in split_sum(baseline)):
            raise InputError(f"baseline: {baseline!r} is another one; a hybrid in a file has a conventional baseline.")
        return cls(baseline, **settings)

    def forward(self, rho: Tensor, grad: Tensor | None = None, tau: Tensor | None = None) -> Tensor:
        """XC energy per volume, from those of the arguments that are its ingredients."""
        given = {"rho": rho, "grad": grad, "tau": tau}
        network = self.nnxc(**{name: given[name] for name in self.nnxc.ingredients})
        baseline = self.xc(**{name: given[name] for name in self.ingredients})
        return self.aweight * network + self.bweight * baseline
