"""Reading extended XYZ (https://github.com/libAtoms/extxyz). Imports no torch.

ASE drops moments that stand in a column ``magmoms``, does not know the numbers that Fortran writes, and takes the last
of several images without a word.
"""

from __future__ import annotations

import re

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from mlxc.crystal.conversions import CHARGES
from mlxc.crystal.crystal import MAX_ATOMS, Crystal, too_many_atoms
from mlxc.errors import InputError
from mlxc.structures.formats.text import element, integer, is_integer, is_number, number, shown, vector, words_of
from mlxc.structures.reading import Reading

# A key and its value, which is in quotes or braces where there is a space in it.
_PAIR = re.compile(r"""(?<![\w.-])([\w.-]++)\s*+=\s*+("[^"]*"|'[^']*'|\{[^{}]*\}|[^\s"'{}]+)""")
_DEFAULT_COLUMNS = "species:S:1:pos:R:3"
_SPECIES = ("species", "z", "numbers", "atomic_numbers")
_MOMENTS = ("initial_magmoms", "magmoms", "magmom", "moments")
# How a unit of lengths is announced by those who announce one.
_UNITS = ("unit", "units", "length_unit", "length_units", "units_length")
_PERIODIC = {"T": True, "TRUE": True, "1": True, "F": False, "FALSE": False, "0": False}
# Bohr magneton: components along x or y below this are rounding.
_COLLINEAR = 1e-3

Columns = dict[str, slice]


def read_extxyz(text: str, name: str) -> Reading:
    """The crystal in the last image of an extended XYZ file.

    Args:
        text: The content of the file.
        name: How the crystal is called.

    Raises:
        InputError: the text is no extended XYZ, or what it describes is no crystal.
    """
    lines = text.rstrip().split("\n")
    first, images = _last_image(lines)
    described = _described(lines[first + 1], first + 2)
    columns, width = _columns(described.get("properties", _DEFAULT_COLUMNS), first + 2)
    rows = [words_of(line) for line in lines[first + 2 :]]
    for line, row in enumerate(rows, first + 3):
        if len(row) < width or ("properties" in described and len(row) > width):
            raise InputError(f"Line {line} has {len(row)} columns, and {width} are announced.")
    atoms = _atoms(rows, columns, first + 3)
    cell = _cell(described, lines[first + 1], first + 2)
    if cell is not None:
        atoms.set_cell(cell)
        atoms.set_pbc(_periodic(described.get("pbc", "T T T"), first + 2))
    atoms.info = {key: number(described[key], first + 2) for key in CHARGES if is_number(described.get(key, ""))}
    notes = (f"The file has {images} images, and the last one was taken.",) if images > 1 else ()
    return Reading(Crystal.from_ase(atoms, name), "extended XYZ", f"image {images}" if images > 1 else "", notes)


def _last_image(lines: list[str]) -> tuple[int, int]:
    """Where the last image begins, from 0 on, and how many there are; behind it nothing is left."""
    first, following, images = 0, 0, 0
    while following < len(lines):
        first, images = following, images + 1
        atoms = integer(lines[first].strip(" \t"), first + 1)
        following = first + 2 + atoms
        if atoms < 0 or following > len(lines):
            there = max(len(lines) - first - 2, 0)
            raise InputError(f"Line {first + 1} announces {atoms} atoms, and {there} lines are there for them.")
    if following - first - 2 > MAX_ATOMS:
        raise too_many_atoms(following - first - 2)
    return first, images


def _described(comment: str, line: int) -> dict[str, str]:
    """What the second line of an image says, by keys in small letters.

    Raises:
        InputError: it says two things by one key, or that lengths are in another unit than angstrom.
    """
    described: dict[str, str] = {}
    for key, quoted in _PAIR.findall(comment):
        value = quoted.strip("\"'{}")
        if described.setdefault(key.lower(), value) != value:
            raise InputError(f"Line {line} says {key} twice, and not the same.")
    unit = next((described[key] for key in _UNITS if key in described), "angstrom")
    if not unit.lower().startswith(("ang", "å")):
        raise InputError(f"Line {line}: lengths of extended XYZ are in angstrom, and the file says '{shown(unit)}'.")
    return described


def _columns(properties: str, line: int) -> tuple[Columns, int]:
    """Where the columns of a row are by their names in small letters, and how many there are."""
    words = properties.split(":")
    columns: Columns = {}
    width = 0
    for name, kind, count in zip(words[0::3], words[1::3], words[2::3], strict=False):
        if kind.upper() not in tuple("SRIL") or not is_integer(count) or not 0 < int(count) < MAX_ATOMS:
            break
        columns[name.lower()] = slice(width, width + int(count))
        width += int(count)
    if 3 * len(columns) != len(words):
        raise InputError(f"Line {line}: Properties={shown(properties)} does not have the form {_DEFAULT_COLUMNS}.")
    return columns, width


def _atoms(rows: list[list[str]], columns: Columns, first: int) -> Atoms:
    """The atoms without their cell."""
    species = [columns[name] for name in _SPECIES if name in columns]
    place = columns.get("pos", slice(0))
    if not species or any(_width(column) != 1 for column in species) or _width(place) != 3:
        raise InputError(f"Line {first - 1}: Properties needs a column of species and three of pos.")
    charges = columns.get("initial_charges")
    _refuse_shared_sites(rows, columns, first)
    return Atoms(
        [_element(row, species, line) for line, row in enumerate(rows, first)],
        np.array([vector(row[place], line) for line, row in enumerate(rows, first)]).reshape(-1, 3),
        magmoms=_moments(rows, columns, first),
        charges=None if charges is None else [number(row[charges][0], line) for line, row in enumerate(rows, first)],
    )


def _element(row: list[str], columns: list[slice], line: int) -> str:
    """The element that all columns of a row say."""
    found = {element(row[column][0], f"Line {line}") for column in columns}
    if len(found) > 1:
        raise InputError(f"Line {line} names several elements, {' and '.join(sorted(found))}.")
    return found.pop()


def _refuse_shared_sites(rows: list[list[str]], columns: Columns, first: int) -> None:
    for line, row in enumerate(rows, first):
        if any(number(word, line) != 1 for word in row[columns.get("occupancy", slice(0))]):
            raise InputError(f"Line {line}: the site is partially occupied; choose one ordered arrangement of atoms.")


def _width(column: slice) -> int:
    return int(column.stop) - int(column.start or 0)


def _moments(rows: list[list[str]], columns: Columns, first: int) -> list[float] | None:
    """The moments of the atoms along z, Bohr magneton; None where the file has no column of them.

    Those to start with stand in a column of their own beside those that were computed.
    """
    column = next((columns[name] for name in _MOMENTS if name in columns), None)
    if column is None:
        return None
    moments = []
    for line, row in enumerate(rows, first):
        *across, along = [number(word, line) for word in row[column]]
        if np.abs(across).max(initial=0.0) > _COLLINEAR:
            raise InputError(f"Line {line}: the moment does not point along z; give collinear moments.")
        moments.append(along)
    return moments


def _cell(described: dict[str, str], comment: str, line: int) -> NDArray[np.float64] | None:
    """The lattice vectors as rows, angstrom; None where there are none."""
    if "lattice" not in described:
        if "lattice" in comment.lower():
            raise InputError(f'Line {line}: the lattice is not understood; it is written as Lattice="..." in quotes.')
        return None
    numbers = [number(word, line) for word in words_of(described["lattice"])]
    if len(numbers) != 9:
        raise InputError(f"Line {line}: Lattice needs nine numbers, and it has {len(numbers)}.")
    return np.reshape(numbers, (3, 3))


def _periodic(words: str, line: int) -> list[bool]:
    periodic = [_PERIODIC.get(word.upper()) for word in words_of(words)]
    known = [value for value in periodic if value is not None]
    if len(periodic) != 3 or len(known) != 3:
        raise InputError(f"Line {line}: pbc needs three times T or F, not '{shown(words)}'.")
    return known
