"""What moves the parameters of a functional: Adam, and L-BFGS.

Adam (D. P. Kingma, J. Ba, arXiv 1412.6980, algorithm 1) is the same as ``torch.optim.Adam``, which brings PyTorch's
compiler with it: that takes longer to load than many a training takes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

BETAS = (0.9, 0.999)
EPSILON = 1e-8


class Adam:
    """Moves parameters against the mean of recent gradients, in units of their mean square.

    Args:
        parameters: The parameters, which are changed in place.
        rate: The step size.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], rate: float) -> None:
        self.rate = rate
        self._parameters = list(parameters)
        self._count = 0
        self._means = [torch.zeros_like(parameter) for parameter in self._parameters]
        self._squares = [torch.zeros_like(parameter) for parameter in self._parameters]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    def step(self, closure: Callable[[], float]) -> None:
        """Make one step.

        Args:
            closure: A function that computes the gradients.
        """
        closure()
        self._count += 1
        with torch.no_grad():
            for parameter, mean, square in zip(self._parameters, self._means, self._squares, strict=True):
                if parameter.grad is not None:
                    self._move(parameter, parameter.grad, mean, square)

    def _move(self, parameter: nn.Parameter, gradient: Tensor, mean: Tensor, square: Tensor) -> None:
        mean.lerp_(gradient, 1 - BETAS[0])
        square.mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
        corrections = [1 - beta**self._count for beta in BETAS]
        scale = (square / corrections[1]).sqrt() + EPSILON
        parameter.sub_(self.rate / corrections[0] * mean / scale)

    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on, beside parameters and gradients."""
        return {"rate": self.rate, "count": self._count, "means": self._means, "squares": self._squares}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state_dict` returned."""
        self.rate, self._count = state["rate"], state["count"]
        self._means, self._squares = state["means"], state["squares"]


class LBFGS(torch.optim.LBFGS):
    """PyTorch's L-BFGS with a line search, whose step size is called as that of :class:`Adam`.

    Args:
        parameters: The parameters, which are changed in place.
        rate: The first trial of the line search.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], rate: float) -> None:
        super().__init__(parameters, lr=rate, line_search_fn="strong_wolfe")

    @property
    def rate(self) -> float:
        """The first trial of the line search."""
        rate: float = self.param_groups[0]["lr"]
        return rate

    @rate.setter
    def rate(self, rate: float) -> None:
        self.param_groups[0]["lr"] = rate
