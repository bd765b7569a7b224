"""The functional that a training begins with."""

from __future__ import annotations

from torch import nn

from mlxc.errors import InputError
from mlxc.training.config import TrainingConfig
from mlxc.xc.catalogue import functional
from mlxc.xc.checkpoints.architectures import describe_architecture
from mlxc.xc.enhancement import NeuralEnhancement


def starting_functional(config: TrainingConfig) -> nn.Module:
    """The functional of a configuration, before it has learned anything.

    Raises:
        InputError: it is not known, has nothing to train, or is of a form that no checkpoint could hold in the end.
    """
    fresh = config.network
    found = functional(config.start) if fresh is None else NeuralEnhancement(fresh.rung, fresh.hidden, config.seed)
    if not any(parameter.requires_grad for parameter in found.parameters()):
        raise InputError(f"start: {config.start!r} has no parameters that could be trained.")
    describe_architecture(found)
    return found
