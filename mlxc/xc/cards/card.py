"""What a person should know of a functional before using it: its kind of origin, its source, and its oddities."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Origin = Literal["non-empirical", "fitted", "learned"]
# What each kind of origin means.
ORIGINS: dict[Origin, str] = {
    "non-empirical": "made of exact conditions and model systems",
    "fitted": "a formula whose few numbers are fitted to data",
    "learned": "a network or a long expansion that has learned from data",
}


@dataclass(frozen=True)
class FunctionalCard:
    """A functional in words.

    Attributes:
        summary: What it is, in one line.
        origin: The kind of its origin, one of :data:`ORIGINS`.
        citation: What its authors ask to be cited.
        remarks: What is odd about it or hard for it, a sentence each.
    """

    summary: str
    origin: Origin
    citation: str
    remarks: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)
