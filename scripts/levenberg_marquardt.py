"""Nonlinear least squares for networks with some hundred weights: K. Levenberg (1944), D. W. Marquardt (1963)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

# Of the diagonal that is added to the normal equations, in units of their own; and how it follows failure and success.
FIRST_DAMPING, SMALLEST_DAMPING, FACTOR = 1e-2, 1e-12, 4.0
MOST_TRIALS = 30
# Weights that do not matter yet must not be moved without limit.
SMALLEST_CURVATURE = 1e-12


class NormalEquations(NamedTuple):
    """Of residuals r with the Jacobian J: ``J.T J``, ``J.T r``, and the sum of squares ``r.r``."""

    matrix: Tensor
    slope: Tensor
    squares: float

    def step(self, damping: float) -> Tensor:
        """Change of the parameters that would solve the damped linear problem."""
        diagonal = self.matrix.diagonal()
        raised = damping * diagonal.clamp_min(SMALLEST_CURVATURE * float(diagonal.max()))
        return -torch.linalg.solve(self.matrix + torch.diag(raised), self.slope)


def minimise(
    parameters: Tensor,
    normal_equations: Callable[[Tensor], NormalEquations],
    sum_of_squares: Callable[[Tensor], float],
    steps: int,
) -> Tensor:
    """The parameters after so many steps, each of which lowers the sum of squares; fewer if none does any more."""
    damping = FIRST_DAMPING
    for _ in range(steps):
        equations = normal_equations(parameters)
        for _ in range(MOST_TRIALS):
            trial = parameters + equations.step(damping)
            if sum_of_squares(trial) < equations.squares:
                parameters, damping = trial, max(damping / FACTOR, SMALLEST_DAMPING)
                break
            damping *= FACTOR
        else:
            break
    return parameters
