"""Names that look like one that a person has misspelled."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def closest_names(name: str, known: Iterable[str], count: int) -> list[str]:
    """The ``count`` known names that look most like ``name``, the most similar one first, however little they do."""
    return get_close_matches(name, list(known), n=count, cutoff=0)


def closest_name(name: str, known: Iterable[str], similarity: float = 0.6) -> str | None:
    """The known name that looks most like ``name``.

    Args:
        name: what a person has written.
        known: the names that there are.
        similarity: how similar the two must be, from 0 (anything) to 1 (equal); see :mod:`difflib`.

    Returns:
        None where no name is similar enough.
    """
    return next(iter(get_close_matches(name, list(known), n=1, cutoff=similarity)), None)


def did_you_mean(name: str, known: Iterable[str], similarity: float = 0.6) -> str:
    """The words " (did you mean 'NAME'?)" for the middle of a sentence; empty where no name is similar enough."""
    close = closest_name(name, known, similarity)
    return "" if close is None else f" (did you mean '{close}'?)"
