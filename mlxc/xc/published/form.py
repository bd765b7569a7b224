"""What the forms of published networks share: numbered layers, and small constants that keep densities from zero."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from mlxc.xc.functional import CheckpointFunctional


class PublishedFunctional(CheckpointFunctional):
    """The base class of published forms, whose small constants and oddities stay as their authors have them.

    Small constants are numbers in atomic units: they are meant for densities in electrons/bohr^3.

    Attributes:
        array_files: the file of each of the weights, where the authors have them in files of their own.
        graph_has_tanh: whether the authors' graph, as text in a TorchScript file, has a tanh; None where that does not
            tell one form from another.
    """

    array_files: ClassVar[dict[str, str]] = {}
    graph_has_tanh: ClassVar[bool | None] = None

    def layer_names(self) -> list[str]:
        """The names of the weights of all layers, in the order in which the authors' files have them."""
        return [name for name in self.state_dict() if ".layer" in name]


def linear_layers(*widths: int | tuple[int, int]) -> nn.ModuleDict:
    """Linear layers ``layer1``, ``layer2``, ... in double precision, with initial weights that are always the same.

    Args:
        widths: The number of inputs, and the number of outputs of each layer; a pair where the inputs of the next layer
            are more than the outputs of this one: (outputs, inputs of the next).
    """
    pairs = [width if isinstance(width, tuple) else (width, width) for width in widths]
    shapes = [(before[1], after[0]) for before, after in pairwise(pairs)]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.ModuleDict(
            {f"layer{k}": nn.Linear(*shape, dtype=torch.float64) for k, shape in enumerate(shapes, start=1)}
        )


def through_layers(layers: nn.ModuleDict, features: Sequence[Tensor], activation: Callable[[Tensor], Tensor]) -> Tensor:
    """The one output of all layers, with an activation between them; shape ``(npoint,)``, like each of the features."""
    x = torch.stack(tuple(features), -1)
    *hidden, last = layers.values()
    for layer in hidden:
        x = activation(layer(x))
    output: Tensor = last(x)
    return output.squeeze(-1)


def softened_spins(rho: Tensor, small: float) -> tuple[Tensor, Tensor]:
    """n + small, and (1 + z, 1 - z) with z = (n_up - n_down) / (n + small), without cancellation.

    Args:
        rho: The density, shape ``(nspin, npoint)``.
        small: The constant, electrons/bohr^3.

    Returns:
        Shapes ``(npoint,)`` and ``(2, npoint)``.
    """
    spins = rho if len(rho) == 2 else rho.expand(2, -1) / 2
    density = spins.sum(0) + small
    return density, (2 * spins + small) / density


def squared_gradient(grad: Tensor) -> Tensor:
    """|grad n|^2 of the total density, shape ``(npoint,)``, from ``(nspin, 3, npoint)``."""
    return grad.sum(0).square().sum(0)
