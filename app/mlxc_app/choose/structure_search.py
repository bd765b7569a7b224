"""Finding a shipped structure by what a person calls it: its name, its formula, or words of its title."""

from __future__ import annotations

from functools import cache

from mlxc.structures.shipped import shipped_crystal, shipped_names, shipped_record


def find_structures(text: str) -> list[tuple[str, str]]:
    """The (title, name) of the shipped structures in which each word of ``text`` occurs, the best match first.

    Upper and lower case are the same. A name or formula that is the very word comes first, then what begins with it.
    """
    words = text.lower().split()
    ranked = sorted((max((_rank(word, name) for word in words), default=0), name) for name in shipped_names())
    return [(_titles()[name], name) for rank, name in ranked if rank < _NOWHERE]


_NOWHERE = 3


def _rank(word: str, name: str) -> int:
    """0 for the name or the formula itself, 1 for the beginning of a word, 2 for its middle, ``_NOWHERE``."""
    terms = _terms()[name]
    if word in terms[:2]:
        return 0
    if any(term.startswith(word) for term in terms):
        return 1
    return 2 if any(word in term for term in terms) else _NOWHERE


@cache
def _titles() -> dict[str, str]:
    return {name: shipped_record(name)["title"] for name in shipped_names()}


@cache
def _terms() -> dict[str, tuple[str, ...]]:
    """Name, formula, and the words of the title of each structure, in lower case."""
    return {
        name: (name, shipped_crystal(name).formula.lower(), *title.lower().replace("(", "").replace(")", "").split())
        for name, title in _titles().items()
    }
