"""Finding a structure by what a person calls it: its name, its formula, or words of its title."""

from __future__ import annotations

from functools import cache

from mlxc.structures.shipped import shipped_crystal, shipped_names, shipped_record
from mlxc_app.choose.own.structures import own_structures

_NOWHERE = 3


def find_structures(text: str) -> list[tuple[str, str]]:
    """The (title, name) of the shipped structures in which each word of ``text`` occurs, the best match first.

    Upper and lower case are the same. A name or formula that is the very word comes first, then what begins with it.
    """
    words = text.lower().split()
    ranked = sorted(
        (max((_rank(word, terms) for word in words), default=0), name) for name, terms in _shipped_terms().items()
    )
    return [(_titles()[name], name) for rank, name in ranked if rank < _NOWHERE]


def find_own_structures(text: str, owner: str) -> list[tuple[str, str]]:
    """The same for a person's own structures, see :func:`~mlxc_app.choose.own.structures.own_structures`."""
    words = text.lower().split()
    return [
        (title, name)
        for title, name in own_structures(owner)
        if all(_rank(word, (name.lower(), *_words(title))) < _NOWHERE for word in words)
    ]


def _rank(word: str, terms: tuple[str, ...]) -> int:
    """0 for the name or the formula itself, 1 for the beginning of a word, 2 for its middle, ``_NOWHERE``.

    Args:
        word: What is looked for, in lower case.
        terms: The name, the formula, and the words of the title, in lower case.
    """
    if word in terms[:2]:
        return 0
    if any(term.startswith(word) for term in terms):
        return 1
    return 2 if any(word in term for term in terms) else _NOWHERE


@cache
def _titles() -> dict[str, str]:
    return {name: shipped_record(name)["title"] for name in shipped_names()}


@cache
def _shipped_terms() -> dict[str, tuple[str, ...]]:
    return {name: (name, shipped_crystal(name).formula.lower(), *_words(title)) for name, title in _titles().items()}


def _words(title: str) -> tuple[str, ...]:
    return tuple(title.lower().replace("(", "").replace(")", "").split())
