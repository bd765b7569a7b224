"""Where a training run is."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from torch import Tensor


@dataclass
class Progress:
    """Where a run is.

    Attributes:
        round: counts from 0.
        step: of the round.
        best_loss: smallest validation loss of the round so far.
        best: parameters that had it.
        since_best: steps since then.
        skipped: solids without a minimum or a converged SCF in a step, each time it happened.
    """

    round: int = 0
    step: int = 0
    best_loss: float = math.inf
    best: dict[str, Tensor] = field(default_factory=dict)
    since_best: int = 0
    skipped: int = 0
