"""The data blocks of a CIF and the values in them, read by gemmi. Imports no torch.

Tags are compared in lower case and with underscores for dots, so that `_cell.length_a` is `_cell_length_a`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from mlxc.errors import InputError
from mlxc.structures.cif.version2 import as_version1

_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?:\(\d+\))?")
_FRACTION = re.compile(r"([+-]?\d+)/(\d+)")
_ESCAPED = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U(000[0-9a-f]{5}))")


@dataclass(frozen=True)
class Block:
    """The values of one data block.

    Attributes:
        name: What stands behind ``data_``.
        columns: The values of each tag, one if it stands outside of loops; None for a value that is not known.
        repeated: Tags that are given twice with different values.
    """

    name: str
    columns: dict[str, tuple[str | None, ...]]
    repeated: frozenset[str]

    def column(self, *tags: str) -> tuple[str | None, ...] | None:
        """The values of the first of some tags that the block has, or None.

        Raises:
            InputError: the tag is given twice, with different values.
        """
        for tag in tags:
            key = _key(tag)
            if key in self.repeated:
                raise InputError(f"The CIF gives {tag} twice, with different values.")
            if key in self.columns:
                return self.columns[key]
        return None

    def text(self, *tags: str) -> str | None:
        """The one value of the first of some tags that has a known one, or None.

        Raises:
            InputError: the tag has several values.
        """
        for tag in tags:
            values = self.column(tag) or ()
            if len(set(values)) > 1:
                raise InputError(f"The CIF gives {tag} several values, and one is needed.")
            if values and values[0] is not None:
                return values[0]
        return None

    def number(self, *tags: str) -> float | None:
        """The one number of the first of some tags that has a known one, or None.

        Raises:
            InputError: it is no number, or there are several.
        """
        text = self.text(*tags)
        return None if text is None else number(text, tags[0])

    def rows(self, tags: Sequence[str], size: int) -> list[tuple[str | None, ...]]:
        """The values of several tags of one loop, row by row; None where the block lacks a tag.

        Raises:
            InputError: a column has another length than ``size``.
        """
        columns = [self.column(tag) or (None,) * size for tag in tags]
        for tag, column in zip(tags, columns, strict=True):
            if len(column) != size:
                raise InputError(f"The CIF has {len(column)} values of {tag}, and {size} are needed.")
        return list(zip(*columns, strict=True))

    def has(self, prefix: str) -> bool:
        """Whether the block has a tag that begins so."""
        return any(tag.startswith(_key(prefix)) for tag in self.columns)


def number(text: str, what: str) -> float:
    """The number that a value is, without its uncertainty in parentheses; a fraction such as 1/3 is one.

    Raises:
        InputError: it is none.
    """
    value = float("inf")
    if match := _NUMBER.fullmatch(text.strip()):
        value = float(match[1])
    elif (match := _FRACTION.fullmatch(text.strip())) and float(match[2]):
        value = float(match[1]) / float(match[2])
    if isfinite(value):
        return value
    raise InputError(f"{what} of the CIF must be a number, not '{shortened(text)}'.")


def blocks_of(text: str) -> list[Block]:
    """The data blocks of a CIF in their order.

    Raises:
        InputError: the text breaks the syntax of a CIF; the sentence names the line.
    """
    from gemmi import cif

    lines = as_version1(_plain_lines(text))
    try:
        document = cif.read_string(_ascii(lines), 0)
    except (ValueError, RuntimeError) as error:
        raise InputError(_syntax_sentence(str(error), lines.split("\n"))) from None
    return [_block(block) for block in document]


def shortened(text: str, longest: int = 60) -> str:
    """A value for a sentence: on one line, and not long."""
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 3] + "..."


def _block(block) -> Block:  # type: ignore[no-untyped-def]  # gemmi.cif.Block
    columns: dict[str, tuple[str | None, ...]] = {}
    repeated = set()
    for item in block:
        if item.pair is not None:
            found = {item.pair[0]: [item.pair[1]]}
        elif item.loop is not None:
            tags, values = item.loop.tags, item.loop.values
            found = {tag: values[index :: len(tags)] for index, tag in enumerate(tags)}
        else:
            continue  # a save frame belongs to a dictionary
        for tag, raw in found.items():
            known = tuple(_value(value) for value in raw)
            if columns.setdefault(_key(tag), known) != known:
                repeated.add(_key(tag))
    return Block(block.name.strip(), columns, frozenset(repeated))


def _key(tag: str) -> str:
    return tag.lower().replace(".", "_")


def _value(raw: str) -> str | None:
    """A value without its quotes and with the characters that stood in the file; None for ``?``, ``.`` and nothing."""
    from gemmi import cif

    value = _ESCAPED.sub(lambda match: chr(int(match[1] or match[2] or match[3], 16)), cif.as_string(raw)).strip()
    return None if value in ("", "?", ".") else value


def _plain_lines(text: str) -> str:
    """Line ends as ``\\n``, and every other blank, those that do not break included, as a space."""
    lines = re.sub(r"\r\n?|\x85|\u2028|\u2029", "\n", text.removeprefix("\ufeff")).rstrip("\x1a\0 \t\n") + "\n"
    return re.sub(r"[^\S\n\t]", " ", lines)


def _ascii(text: str) -> str:
    """The text as CIF 1.1 allows it; the value of another character is written out, and `_value` puts it back."""
    return text.encode("ascii", "backslashreplace").decode("ascii")


def _syntax_sentence(message: str, lines: list[str]) -> str:
    """A sentence of the parser's message, which is like ``string:12:3(345): parse error``."""
    match = re.match(r"string:(\d+)[^ ]* (?:in [^ ]+: )?(.*)", message, re.DOTALL)
    number_of_line, reason = (int(match[1]), match[2]) if match else (1, message)
    if reason == "parse error":
        found = lines[number_of_line - 1] if number_of_line <= len(lines) else ""
        reason = f"'{shortened(found)}' breaks its syntax (a value with blanks stands in quotes)"
    return f"The file cannot be read as a CIF: line {number_of_line}, {shortened(reason, 120)}."
