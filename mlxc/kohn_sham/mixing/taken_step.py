"""A step of the mixing that may have led astray.

Combinations of past steps hold where what comes out is a linear function of what goes in. Where they lead far beyond,
as along a soft wave of the magnetisation of two metals, the residual of the whole density grows by a large factor, and
what has been found there spoils the combinations that follow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

# A step after which the residual is so many times as large as before has led astray: this share of it is taken instead,
# and of that again if need be, so many times. What electrons answer there says little about how they answer nearby.
ASTRAY, SHARE, MOST_CUTS = 2.0, 0.25, 2
# On the way down from a maximum of the energy the residual rises in any case, but not by so much.
ASTRAY_FROM_MAXIMUM = 8.0
# Nearer to the fixed point than this, in electrons per electron, everything is linear, and a residual that grows
# teaches Anderson's combination where it came from.
NEAR = 0.01


@dataclass(frozen=True)
class TakenStep:
    """A step of the mixing, and how it may be taken back.

    Attributes:
        start: The fields that it began with.
        change: What it adds to them.
        size: The size of the residual there, as a share of the electrons.
        astray: By what factor the residual grows at least if the step has led astray.
        cuts: How many times it has been made shorter.
    """

    start: Tensor
    change: Tensor
    size: float
    astray: float = ASTRAY
    cuts: int = 0

    @property
    def end(self) -> Tensor:
        """Where it leads."""
        return self.start + self.change

    def shorter(self, size: float) -> TakenStep | None:
        """A part of it, if it has led astray, to a residual of a size that is much larger; else None."""
        if size <= max(self.astray * self.size, NEAR) or self.cuts == MOST_CUTS:
            return None
        return replace(self, change=SHARE * self.change, cuts=self.cuts + 1)
