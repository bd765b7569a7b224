"""Where a training run is."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from torch import Tensor


@dataclass
class Progress:
    """Where a run is.

    Attributes:
        round: The number of the round, counted from 0.
        step: The number of the step within the round.
        best_missing: The number of solids that had no prediction with the best parameters.
        best_loss: The smallest validation loss of the round so far among those that miss so few.
        best: The parameters that had it.
        best_step: The number of the step that began with them; that of all steps if the last one led to them.
        since_best: The number of steps since then.
        diverged: Why the training has ended before its time; empty if it has not.
        has_predicted: Whether any step of the round had a prediction for a solid to learn from.
        skipped: The solids without a minimum or a converged SCF in a step, each time it happened.
    """

    round: int = 0
    step: int = 0
    best_missing: int = 0
    best_loss: float = math.inf
    best: dict[str, Tensor] = field(default_factory=dict)
    best_step: int = 0
    since_best: int = 0
    diverged: str = ""
    has_predicted: bool = False
    skipped: int = 0
