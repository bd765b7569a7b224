"""What a task consists of, as far as the time that it takes is concerned. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

# How long an SCF takes that starts from the state of a neighbour, beside one that starts from free atoms.
CONTINUED = 0.6


@dataclass(frozen=True)
class Parts:
    """The self-consistent calculations of a task, and what follows them.

    Attributes:
        lengths: How long each of them takes beside the others, in their order; empty where nobody can know how many
            there are.
        name: What each of them is, such as ``volume``; empty where there is one.
        after: How long what follows takes, in the same unit.
        steady: Whether the part that records say to be done grows steadily with time, so that it tells the time left.
    """

    lengths: tuple[float, ...] = (1.0,)
    name: str = ""
    after: float = 0.0
    steady: bool = False

    @classmethod
    def unknown(cls, steady: bool = False) -> Parts:
        """Nobody knows how many there are before they are done."""
        return cls((), steady=steady)

    @classmethod
    def continued(cls, count: int, name: str, after: float = 0.0) -> Parts:
        """As many calculations, each of which starts from the one before."""
        return cls((1.0,) + (CONTINUED,) * (count - 1), name, after)

    @property
    def count(self) -> int:
        """How many self-consistent calculations there are; one where that is not known."""
        return max(1, len(self.lengths))
