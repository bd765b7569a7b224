"""Gradients of losses on converged states against finite differences."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn


def finite_difference(
    loss: Callable[[nn.Module], Tensor], build: Callable[[], nn.Module], name: str, index: int
) -> float:
    """Central difference of fourth order with respect to one parameter."""
    step, values = 2e-3, {}
    for shift in (-2, -1, 1, 2):
        model = build()
        with torch.no_grad():
            model.get_parameter(name).view(-1)[index] += shift * step
            values[shift] = float(loss(model).detach())
    return (8 * (values[1] - values[-1]) - (values[2] - values[-2])) / (12 * step)


def check_gradient(loss: Callable[[nn.Module], Tensor], build: Callable[[], nn.Module], relative: float = 1e-5) -> None:
    """The steepest parameter's gradient is the finite difference."""
    model = build()
    parameters = dict(model.named_parameters())
    gradients = dict(zip(parameters, torch.autograd.grad(loss(model), parameters.values()), strict=True))
    name = max(gradients, key=lambda key: float(gradients[key].abs().max()))
    index = int(gradients[name].abs().argmax())
    expected = finite_difference(loss, build, name, index)
    assert float(gradients[name].view(-1)[index]) == pytest.approx(expected, rel=relative)
