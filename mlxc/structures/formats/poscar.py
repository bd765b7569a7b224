"""Reading a POSCAR by VASP's own rules (https://www.vasp.at/wiki/POSCAR). Imports no torch.

ASE and pymatgen take the elements of a file without a line of species from its first line, which is a comment, so that
"BCC Fe" becomes boron. Here such a file has no elements until somebody names them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

from mlxc.crystal.crystal import MAX_ATOMS, Crystal, too_many_atoms
from mlxc.errors import InputError
from mlxc.structures.formats.places import check_volume, fractional
from mlxc.structures.formats.text import (
    element,
    integer,
    is_integer,
    is_number,
    lines_of,
    number,
    shown,
    vector,
    words_of,
)
from mlxc.structures.reading import Reading
from mlxc.units import BOHR_ANG

# The lines of what is always there, from 1 on.
_SCALE, _FIRST_VECTOR, _SPECIES = 2, 3, 6
_FLAGS = {"T", "F", ".T.", ".F.", ".TRUE.", ".FALSE."}


def read_poscar(text: str, species: Sequence[str] = ()) -> Reading:
    """The crystal in the text of a POSCAR or CONTCAR; it is called by its formula, since the format has no names.

    Args:
        text: The content of the file.
        species: The elements in the order of the counts, for a file that does not say them.

    Raises:
        InputError: the text is no POSCAR, does not say its elements, or contradicts itself.
    """
    lines = _Lines(text)
    vectors = np.array([_three_numbers(lines, line) for line in range(_FIRST_VECTOR, _FIRST_VECTOR + 3)])
    check_volume(vectors)
    scale = _scale(lines, vectors)
    symbols, line = _symbols(lines, species)
    positions = _positions(lines, line, symbols, vectors)
    crystal = Crystal(vectors * scale / BOHR_ANG, symbols, positions)
    return Reading(replace(crystal, name=crystal.formula), "POSCAR")


class _Lines:
    """The lines of a file as words, counted from 1."""

    def __init__(self, text: str) -> None:
        self._lines = [words_of(line) for line in lines_of(text.rstrip())]

    def words(self, line: int, wanted: str) -> list[str]:
        """The words of a line; a line that is blank or not there is refused, with the words for what it should be."""
        if line > len(self._lines):
            raise InputError(f"The POSCAR ends after line {len(self._lines)}, and {wanted} is still to come.")
        if not self._lines[line - 1]:
            raise InputError(f"Line {line} of the POSCAR is blank, where {wanted} should be.")
        return self._lines[line - 1]

    def words_if_any(self, line: int) -> list[str]:
        """The words of a line, none where the file has ended."""
        return self._lines[line - 1] if line <= len(self._lines) else []


def _three_numbers(lines: _Lines, line: int) -> NDArray[np.float64]:
    words = lines.words(line, "one of three lattice vectors")
    if len(words) > 3 and is_number(words[3]):
        raise InputError(f"Line {line} has more than the three numbers of a lattice vector.")
    return vector(words, line)


def _scale(lines: _Lines, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the Cartesian components are multiplied by, shape ``(3,)``; a negative number is the volume of the cell."""
    words = lines.words(_SCALE, "the scale")
    numbers = [number(words[0], _SCALE)]
    for word in words[1:]:
        if not is_number(word):
            break
        numbers.append(number(word, _SCALE))
    scale = np.array(numbers)
    if len(numbers) == 1 and scale[0] < 0:
        scale = np.cbrt(-scale / abs(np.linalg.det(vectors)))
    if len(numbers) not in (1, 3) or scale.min() <= 0:
        given = ", ".join(f"{value:g}" for value in numbers)
        raise InputError(
            f"Line {_SCALE}: the scale is one number that is not zero, or three positive ones, not {given}."
        )
    return np.broadcast_to(scale, 3)


def _symbols(lines: _Lines, given: Sequence[str]) -> tuple[list[str], int]:
    """The element of each atom, and the line that follows the counts."""
    named, line = _named_species(lines)
    counts, after = _counts(lines, line, several_lines=line > _SPECIES + 1)
    asked = [element(word, "species") for word in given]
    if named and asked and named != asked:
        raise InputError(f"species: the POSCAR names {', '.join(named)} itself, and {', '.join(asked)} is asked for.")
    species = named or asked
    if not species:
        raise InputError(
            "The POSCAR does not say its elements: no line of species is above the counts, and the first line is a "
            f"comment; add such a line, or name them in the order of the counts, {_of_the_form(len(counts))}."
        )
    if len(species) != len(counts):
        raise InputError(
            f"The POSCAR has the species {', '.join(species)} and the numbers of atoms "
            f"{', '.join(map(str, counts))}, and each species needs one number."
        )
    if sum(counts) > MAX_ATOMS:
        raise too_many_atoms(sum(counts))
    return [symbol for symbol, count in zip(species, counts, strict=True) for _ in range(count)], after


def _of_the_form(species: int) -> str:
    example = ",".join(("Mg", "O", "Al", "Si")[:species]) if species <= 4 else "Mg,O,..."
    return f"as in FILE#{example} or with --species {example}"


def _named_species(lines: _Lines) -> tuple[list[str], int]:
    """The species above the counts, none where there are none, and the line of the counts.

    VASP writes many species in several lines.
    """
    named: list[str] = []
    line = _SPECIES
    while not is_number((words := lines.words(line, "a line of species or counts"))[0]):
        for word in _without_comment(words):
            # VASP keeps the kind of the potential, Fe_pv, and a hash of it, Fe/1a2b, behind the symbol.
            named.append(element(re.split("[_/]", word)[0], f"Line {line}"))
        line += 1
    return named, line


def _counts(lines: _Lines, line: int, several_lines: bool) -> tuple[list[int], int]:
    """The numbers of atoms, and the line that follows them."""
    counts: list[int] = []
    while True:
        words = lines.words(line, "the numbers of atoms")
        numbers = [integer(word, line) for word in _leading_numbers(words)]
        if any(count < 0 for count in numbers):
            raise InputError(f"Line {line}: a number of atoms is negative.")
        counts += numbers
        line += 1
        following = lines.words_if_any(line)
        if not several_lines or not following or not all(is_integer(word) for word in following):
            return counts, line


def _leading_numbers(words: list[str]) -> list[str]:
    """The words that begin like a number, up to a comment."""
    first_other = next((i for i, word in enumerate(words) if not re.match(r"[-+.]?[0-9]", word)), len(words))
    return words[:first_other]


def _without_comment(words: list[str]) -> list[str]:
    first_of_comment = next((i for i, word in enumerate(words) if word[0] in "!#"), len(words))
    return words[:first_of_comment]


def _positions(lines: _Lines, line: int, symbols: list[str], vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fractional coordinates; those in Cartesian ones are multiplied by the scale, as the vectors are."""
    mode = lines.words(line, "Direct or Cartesian")
    if mode[0][0] in "sS":  # Selective dynamics
        line += 1
        mode = lines.words(line, "Direct or Cartesian")
    if mode[0][0] not in "dDcCkK":
        raise InputError(f"Line {line} must say Direct or Cartesian, and it says '{shown(mode[0])}'.")
    first = line + 1
    rows = np.zeros((len(symbols), 3))
    for atom, symbol in enumerate(symbols):
        words = lines.words(first + atom, f"the position of atom {atom + 1} of {len(symbols)} ({symbol})")
        rows[atom] = vector(words, first + atom)
        _check_symbol_behind(words[3:], symbol, first + atom)
    _check_end(lines.words_if_any(first + len(symbols)), first + len(symbols), len(symbols))
    return rows if mode[0][0] in "dD" else fractional(rows, vectors)


def _check_symbol_behind(words: list[str], symbol: str, line: int) -> None:
    """Refuse a position behind which another element stands than its place among the counts says."""
    behind = words[3:] if len(words) >= 3 and {word.upper() for word in words[:3]} <= _FLAGS else words
    named = re.fullmatch(r"([A-Z][a-z]?)[0-9]*", behind[0]) if behind else None
    if named and named[1] in atomic_numbers and named[1] != symbol:
        raise InputError(f"Line {line} is the position of {symbol} by the counts, and it names {named[1]} itself.")


def _check_end(words: list[str], line: int, atoms: int) -> None:
    """Velocities follow behind a blank line or a line of letters, so that more numbers are more positions."""
    if len(words) >= 3 and all(is_number(word) for word in words[:3]):
        raise InputError(f"Line {line}: there are more positions than the {atoms} that the counts say.")
    if words and words[0].lower() == "direct":
        raise InputError(f"Line {line} begins another configuration; give a file with one.")
