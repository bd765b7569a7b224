"""The parts of an input of Quantum ESPRESSO: namelists, and cards with the lines below them. Imports no torch."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mlxc.errors import InputError
from mlxc.structures.formats.text import integer, lines_of, number, shown, words_of

_CARDS = (
    "ATOMIC_SPECIES", "ATOMIC_POSITIONS", "K_POINTS", "CELL_PARAMETERS", "OCCUPATIONS", "CONSTRAINTS", "HUBBARD",
    "ATOMIC_VELOCITIES", "ATOMIC_FORCES", "ADDITIONAL_K_POINTS", "SOLVENTS",
)  # fmt: skip
_ASSIGNMENT = re.compile(r"\b([A-Za-z]\w*+)[ \t]*+(?:\(([0-9, \t+-]*+)\)[ \t]*+)?=")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")

Values = dict[str, tuple[str, int]]


@dataclass(frozen=True)
class Card:
    """A card of an input.

    Attributes:
        option: What stands behind its name, in small letters and without brackets, such as ``angstrom``.
        rows: The words of each line below it, with the number of the line, from 1 on.
    """

    option: str
    rows: list[tuple[int, list[str]]] = field(default_factory=list)


@dataclass(frozen=True)
class EspressoInput:
    """What an input says, before anybody knows what it means.

    Attributes:
        values: The words that the namelist SYSTEM assigns, with their line, by names in small letters, with an index
            where there is one, such as ``celldm(1)``.
        cards: The cards by their names in capitals.
    """

    values: Values
    cards: dict[str, Card]

    @classmethod
    def of(cls, text: str) -> EspressoInput:
        """Take an input apart.

        Raises:
            InputError: a card is there twice, or a line of the namelist is no assignment.
        """
        values: Values = {}
        cards: dict[str, Card] = {}
        namelist, card = "", None
        for line, content in enumerate(lines_of(text), 1):
            words = without_comment(words_of(content))
            if not words:
                continue
            name = re.split(r"[({]", words[0])[0].upper()
            if namelist or words[0].startswith("&"):
                opened = "" if namelist else words[0]
                namelist = namelist or words[0][1:].lower()
                assignments, ends = _until_the_end(content.replace(opened, "", 1) if opened else content)
                if namelist == "system":
                    values.update(_assigned(assignments, line))
                namelist = "" if ends else namelist
            elif name in _CARDS:
                if name in cards:
                    raise InputError(f"Line {line}: the card {name} is there for the second time.")
                card = cards[name] = Card(_option(words, name))
            elif card is not None:
                card.rows.append((line, words))
        return cls(values, cards)

    def number(self, name: str) -> float | None:
        """The number that is assigned to a name; None where there is none."""
        return number(*self.values[name]) if name in self.values else None

    def integer(self, name: str) -> int | None:
        """The whole number that is assigned to a name; None where there is none."""
        return integer(*self.values[name]) if name in self.values else None

    def is_true(self, name: str) -> bool:
        """Whether ``.true.`` is assigned to a name."""
        word, line = self.values.get(name, (".false.", 0))
        first = word.lower().lstrip(".")[:1]
        if first not in ("t", "f"):
            raise InputError(f"Line {line}: {name} must be .true. or .false., not '{shown(word)}'.")
        return first == "t"


def without_comment(words: list[str]) -> list[str]:
    """The words of a line before one that begins a comment."""
    first = next((i for i, word in enumerate(words) if word[0] in "!#"), len(words))
    return words[:first]


def _option(words: list[str], name: str) -> str:
    """What stands behind the name of a card, in small letters and without brackets; empty if nothing does."""
    behind = " ".join(words)[len(name) :]
    return next(iter(re.sub(r"[(){}]", " ", behind).lower().split()), "")


def _until_the_end(content: str) -> tuple[str, bool]:
    """A line of a namelist without texts and comments, up to its end, and whether that is in it."""
    plain = _QUOTED.sub("''", content).split("!")[0]
    end = re.search("/|&end", plain, re.IGNORECASE)
    return (plain[: end.start()], True) if end else (plain, False)


def _assigned(content: str, line: int) -> Values:
    """The assignments in a line of a namelist; several values belong to indices that follow each other."""
    found = list(_ASSIGNMENT.finditer(content))
    before = content[: found[0].start()] if found else content
    if before.strip(" \t,"):
        raise _no_assignment(before.strip(), line)
    assigned: Values = {}
    for match, following in zip(found, [*found, None][1:], strict=True):
        value = content[match.end() : following.start() if following else len(content)].strip(" \t,")
        if re.fullmatch("[+-]?[0-9]+,[0-9]+", value):
            number(value, line)  # a decimal comma, of which Fortran would make two numbers
        name, index = match[1].lower(), (match[2] or "").replace(" ", "")
        words = [word for word in re.split("[ \t,]+", value) if word]
        if strange := [word for word in words[1:] if re.match("[A-Za-z]{3}", word)]:
            raise _no_assignment(strange[0], line)
        if len(words) == 1 and not index:
            assigned[name] = (words[0], line)
        elif not index or re.fullmatch("[0-9]{1,6}", index):
            assigned |= {f"{name}({int(index or 1) + i})": (word, line) for i, word in enumerate(words)}
    return assigned


def _no_assignment(words: str, line: int) -> InputError:
    return InputError(f"Line {line}: '{shown(words)}' is not understood; a namelist has assignments NAME = VALUE.")
