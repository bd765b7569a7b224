"""A step of the mixing that may have led astray.

Combinations of past steps hold where what comes out is a linear function of what goes in. Where they lead far beyond,
as along a soft wave of the magnetisation of two metals, the residual of the whole density grows by a large factor, and
what has been found there spoils the combinations that follow.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

# A step after which the residual is so many times as large as before has led astray: this share of it is taken instead,
# and of that again if need be, so many times. What electrons answer there says little about how they answer nearby.
ASTRAY, SHARE, MOST_CUTS = 2.0, 0.25, 2


@dataclass(frozen=True)
class TakenStep:
    """A step of the mixing, and how it may be taken back.

    Attributes:
        start: The fields that it began with.
        change: What it adds to them.
        size: The size of the residual there.
        cuts: How many times it has been made shorter.
    """

    start: Tensor
    change: Tensor
    size: float
    cuts: int = 0

    @property
    def end(self) -> Tensor:
        """Where it leads."""
        return self.start + self.change

    def shorter(self, size: float) -> TakenStep | None:
        """A part of it, if it has led astray, to a residual of a size that is much larger; else None."""
        if size <= ASTRAY * self.size or self.cuts == MOST_CUTS:
            return None
        return TakenStep(self.start, SHARE * self.change, self.size, self.cuts + 1)
