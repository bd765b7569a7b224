"""Small feed-forward networks in double precision."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from mlxc.errors import InputError

MOST_LAYERS = 16
WIDEST_LAYER = 1024


def check_hidden(hidden: Sequence[int]) -> tuple[int, ...]:
    """The widths of hidden layers, if a network can have them.

    Raises:
        InputError: no, or too many, layers, or a width out of bounds.
    """
    allowed = 1 <= len(hidden) <= MOST_LAYERS and all(
        isinstance(width, int) and 1 <= width <= WIDEST_LAYER for width in hidden
    )
    if not allowed:
        raise InputError(
            f"hidden: a network has 1 to {MOST_LAYERS} hidden layers of 1 to {WIDEST_LAYER} units, not {hidden!r}."
        )
    return tuple(hidden)


def multilayer_perceptron(
    ninput: int,
    hidden: Sequence[int],
    noutput: int,
    seed: int,
    activation: type[nn.Module] = nn.SiLU,
    last_bias: bool = True,
) -> nn.Sequential:
    """Layers with a smooth activation between them.

    Args:
        ninput: The number of features.
        hidden: The width of each hidden layer.
        noutput: The number of values at each point.
        seed: The seed of the initial weights, which are torch's usual ones; torch's own generator is left as it is.
        activation: The activation; by default x sigmoid(x), which has all derivatives.
        last_bias: Whether a constant is added to each output.

    Raises:
        InputError: no, or too many, layers, or a width out of bounds.
    """
    widths = (ninput, *check_hidden(hidden))
    layers: list[nn.Module] = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after, dtype=torch.float64), activation()]
        layers.append(nn.Linear(widths[-1], noutput, bias=last_bias, dtype=torch.float64))
    return nn.Sequential(*layers)
