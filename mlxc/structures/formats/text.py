"""From the bytes of a file to lines, words and numbers, where nothing that is not understood is dropped.

Lines end where a line feed, a carriage return, or both stand, and words are divided by spaces and tabs alone: a
character that merely looks like a space, a minus or a digit stays in its word, which is then no number. Imports
no torch.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NoReturn

import numpy as np
from ase.data import atomic_numbers, chemical_symbols
from numpy.typing import NDArray

from mlxc.errors import InputError

# Fortran writes 1.0D+00, and 1.23-101 where three digits of an exponent leave no room for the letter.
# What was read is not given back (++), so that long words that are no numbers do not take long.
_NUMBER = re.compile(r"([+-]?(?:\d++(?:\.\d*+)?|\.\d++))(?:[eEdDqQ]([+-]?\d{1,4})|([+-]\d{1,4}))?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
# The longest marks come first, since the one of UTF-16 begins that of UTF-32.
_MARKS = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_SHOWN_LETTERS = 40
# More than an input with the most atoms has.
_MOST_LINES = 100_000


def text_of(data: bytes) -> str:
    """The text in the bytes of a file, with line feeds at the ends of lines and without a byte order mark.

    UTF-8 is read, UTF-16 with a mark or without one, and where it is neither, the letters of western Europe (Latin-1).

    Raises:
        InputError: there is a NUL byte, as in files that are no text.
    """
    text = _decoded(data).replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise InputError(f"Line {line} holds a NUL byte, so the file is binary or damaged.")
    return text


def _decoded(data: bytes) -> str:
    encodings = [encoding for mark, encoding in _MARKS if data.startswith(mark)][:1]
    # Where lines of plain letters end, one of the two bytes of a letter in UTF-16 is zero, and so is every other one.
    encodings += ["utf-16-le"] * (_mostly_zero(data[1::2]) and re.search(rb"[\r\n]\0", data) is not None)
    encodings += ["utf-16-be"] * (_mostly_zero(data[0::2]) and re.search(rb"\0[\r\n]", data) is not None)
    for encoding in [*encodings, "utf-8"]:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _mostly_zero(data: bytes) -> bool:
    return data.count(0) > 0.8 * len(data)


def lines_of(text: str) -> list[str]:
    """The lines of an input.

    Raises:
        InputError: there are more lines than any structure that can be computed needs.
    """
    if text.count("\n") > _MOST_LINES:
        raise InputError(f"The file has more than {_MOST_LINES} lines, too many for a structure.")
    return text.split("\n")


def words_of(line: str) -> list[str]:
    """The words of a line, divided by spaces and tabs and by no other character."""
    return [word for word in re.split(r"[ \t\f\v]+", line) if word]


def is_number(word: str) -> bool:
    """Whether a word is a number as Fortran, C or Python write it, one that is neither infinite nor undefined."""
    return _NUMBER.fullmatch(word) is not None


def is_integer(word: str) -> bool:
    """Whether a word is a whole number."""
    return _INTEGER.fullmatch(word) is not None


def number(word: str, line: int) -> float:
    """The number that a word is, such as ``1.5``, ``-2e-3``, ``1.0D+00`` or ``1.23-101``.

    Args:
        word: The word.
        line: The line that it stands in, from 1 on.

    Raises:
        InputError: it is no number; the sentence names the line, and the character that is in the way.
    """
    found = _NUMBER.fullmatch(word)
    if found is None:
        _refuse(word, line, "number")
    value = float(f"{found[1]}e{found[2] or found[3] or 0}")
    if not np.isfinite(value):
        raise InputError(f"Line {line}: the number '{shown(word)}' is too large.")
    return value


def integer(word: str, line: int) -> int:
    """The whole number that a word is.

    Args:
        word: The word.
        line: The line that it stands in, from 1 on.

    Raises:
        InputError: it is no whole number; the sentence names the line.
    """
    if not is_integer(word):
        _refuse(word, line, "whole number")
    return int(word)


def vector(words: list[str], line: int) -> NDArray[np.float64]:
    """The three numbers at the beginning of a line.

    Args:
        words: The words of the line.
        line: The line, from 1 on.

    Raises:
        InputError: there are fewer, or something else is there.
    """
    numbers = [number(word, line) for word in words[:3]]
    if len(numbers) < 3:
        raise InputError(f"Line {line} needs three numbers, and it has {len(numbers) or 'none'}.")
    return np.array(numbers)


def element(word: str, where: str) -> str:
    """The chemical symbol of a word that is a symbol, in capitals or not, or an atomic number.

    Args:
        word: The word.
        where: The place that it stands in, such as ``Line 6``.

    Raises:
        InputError: it is neither, or one symbol as well as two.
    """
    if is_integer(word) and 0 < int(word) < len(chemical_symbols):
        return chemical_symbols[int(word)]
    if word.isupper() and len(word) == 2 and all(letter in atomic_numbers for letter in word):
        raise InputError(f"{where}: '{word}' may be {word.title()}, or {word[0]} and {word[1]}; write what is meant.")
    symbol = word[:1].upper() + word[1:].lower()
    if atomic_numbers.get(symbol, 0) == 0:
        raise InputError(f"{where}: '{shown(word)}' is not a chemical element.")
    return symbol


def shown(word: str) -> str:
    """A word of a file in a length and letters that fit a sentence."""
    letters = "".join(letter if letter.isprintable() else "?" for letter in word)
    return letters if len(letters) <= _SHOWN_LETTERS else f"{letters[:_SHOWN_LETTERS]}..."


def _refuse(word: str, line: int, wanted: str) -> NoReturn:
    strange = next((letter for letter in word if not letter.isascii()), None)
    if strange is not None:
        called = unicodedata.name(strange, "a character without a name").lower()
        reason = f" because of the character U+{ord(strange):04X}, {called}"
    elif re.fullmatch(r"[+-]?\d+,\d*", word):
        reason = ", since decimals follow a point and not a comma"
    else:
        reason = ""
    raise InputError(f"Line {line}: '{shown(word)}' is not a {wanted}{reason}.")
