"""Reading the input of Quantum ESPRESSO's pw.x (https://www.quantum-espresso.org/Doc/INPUT_PW.html). Imports no torch.

ASE reads ``ibrav = 0`` alone, forgets charges, and takes starting magnetisations for moments.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

from mlxc.crystal.conversions import check_neutral
from mlxc.crystal.crystal import MAX_ATOMS, Crystal, too_many_atoms
from mlxc.crystal.magnetism import moments_by_element
from mlxc.errors import InputError
from mlxc.structures.formats.bravais import lattice_of
from mlxc.structures.formats.namelists import Card, EspressoInput
from mlxc.structures.formats.places import fractional
from mlxc.structures.formats.text import element, is_number, number, shown, vector
from mlxc.structures.reading import Reading
from mlxc.units import BOHR_ANG

_LENGTHS = ("a", "b", "c")
_COSINES = ("cosbc", "cosac", "cosab")
_SIZES_OF_MOMENTS = (
    "Of starting_magnetization the signs were taken; the sizes of the moments are those usual for the elements."
)
_NOT_POLARISED = "starting_magnetization was left out, since nspin = 2 is not there."


class _Cell(NamedTuple):
    """Lattice vectors as rows, and the length that is called alat, bohr."""

    vectors: NDArray[np.float64]
    alat: float


class _Kind(NamedTuple):
    """The element of a label, and the moment that its atoms start with, Bohr magneton."""

    symbol: str
    moment: float


def read_espresso(text: str, name: str) -> Reading:
    """The crystal in an input of pw.x.

    Only the signs of ``starting_magnetization`` are taken, since it is a share of valence electrons whose number stands
    in the pseudopotential and not here; the sizes are those of :func:`~mlxc.crystal.magnetism.moments_by_element`.

    Args:
        text: The content of the file.
        name: How the crystal is called.

    Raises:
        InputError: the text is no such input, contradicts itself, or asks for what no crystal here has.
    """
    given = EspressoInput.of(text)
    check_neutral(given.number("tot_charge"))
    if given.is_true("noncolin") or given.integer("nspin") == 4:
        raise InputError("noncolin: the moments of the input are not collinear; give collinear ones, nspin = 2.")
    if given.integer("space_group"):
        raise InputError("space_group: the input lists atoms by their space group; give all atoms, with ibrav.")
    cell = _cell(given)
    labels, positions = _positions(given, cell)
    kinds, notes = _kinds(given)
    for label in labels:
        if label not in kinds:
            raise InputError(f"ATOMIC_POSITIONS: '{shown(label)}' is not one of the labels in ATOMIC_SPECIES.")
    species = [kinds[label].symbol for label in labels]
    moments = [kinds[label].moment for label in labels]
    return Reading(Crystal(cell.vectors, species, positions, moments, name), "Quantum ESPRESSO input", notes=notes)


def _cell(given: EspressoInput) -> _Cell:
    ibrav = given.integer("ibrav")
    if ibrav is None:
        raise InputError("ibrav: the namelist SYSTEM of the input must say the Bravais lattice, or 0.")
    celldm = _celldm(given, ibrav)
    if ibrav == 0:
        return _given_cell(_card(given, "CELL_PARAMETERS"), celldm[0])
    if "CELL_PARAMETERS" in given.cards:
        raise InputError(f"ibrav: with {ibrav} the cell follows from celldm; leave out CELL_PARAMETERS, or give 0.")
    return _Cell(lattice_of(ibrav, celldm), celldm[0])


def _celldm(given: EspressoInput, ibrav: int) -> list[float]:
    """The six parameters of the cell, those that are not given 0; ``A``, ``B``, ... are translated."""
    own = [given.number(f"celldm({index})") for index in range(1, 7)]
    lengths = [given.number(name) for name in _LENGTHS]
    cosines = [given.number(name) or 0.0 for name in _COSINES]
    if lengths[0] is None:
        return [value or 0.0 for value in own]
    if any(own):
        raise InputError("celldm: the input gives celldm as well as A, B, C; give one of the two.")
    a, b, c = (length or 0.0 for length in lengths)
    if a <= 0:
        raise InputError(f"A: the lattice constant is {a:g} angstrom, and it must be positive.")
    # The one angle of a rhombohedral or monoclinic cell has a place of its own.
    _, beta, gamma = cosines
    angles = cosines if ibrav == 14 else [0.0, beta, 0.0] if ibrav in (-12, -13) else [gamma, 0.0, 0.0]
    return [a / BOHR_ANG, b / a, c / a, *angles]


def _given_cell(card: Card, alat: float) -> _Cell:
    units = {"bohr": 1.0, "angstrom": 1 / BOHR_ANG, "alat": alat, "": alat}
    if card.option not in units:
        raise InputError(f"CELL_PARAMETERS: the unit '{shown(card.option)}' is none of alat, bohr, angstrom.")
    if len(card.rows) != 3:
        raise InputError(f"CELL_PARAMETERS: three lattice vectors are needed, and {len(card.rows)} are there.")
    if card.option in ("alat", "") and alat <= 0:
        raise InputError("CELL_PARAMETERS: give the unit bohr or angstrom, or celldm(1) for alat.")
    if card.option in ("bohr", "angstrom") and alat > 0:
        raise InputError(f"CELL_PARAMETERS: the unit is {card.option}, so celldm(1) or A must not be given.")
    vectors = np.array([vector(words, line) for line, words in card.rows]) * units[card.option]
    return _Cell(vectors, float(np.linalg.norm(vectors[0])) if card.option in ("bohr", "angstrom") else alat)


def _positions(given: EspressoInput, cell: _Cell) -> tuple[list[str], NDArray[np.float64]]:
    """The labels of the atoms, and fractional coordinates."""
    card = _card(given, "ATOMIC_POSITIONS")
    units = {"bohr": 1.0, "angstrom": 1 / BOHR_ANG, "alat": cell.alat, "": cell.alat, "crystal": 1.0}
    if card.option not in units:
        raise InputError(f"ATOMIC_POSITIONS: the unit '{shown(card.option)}' is none of alat, bohr, angstrom, crystal.")
    _check_count(given, "nat", len(card.rows), "ATOMIC_POSITIONS")
    if len(card.rows) > MAX_ATOMS:
        raise too_many_atoms(len(card.rows))
    rows = np.array([_coordinates(words, line) for line, words in card.rows]).reshape(-1, 3)
    labels = [words[0] for _, words in card.rows]
    return labels, rows if card.option == "crystal" else fractional(rows * units[card.option], cell.vectors)


def _coordinates(words: list[str], line: int) -> list[float]:
    if len(words) not in (4, 7):  # behind the coordinates stand 1 or 0 for what may move
        raise InputError(f"Line {line} needs a label and three coordinates, and it has {len(words)} words.")
    return [_coordinate(word, line) for word in words[1:4]]


def _coordinate(word: str, line: int) -> float:
    """A number or a fraction such as 1/3; pw.x understands longer expressions, which are refused."""
    numerator, slash, denominator = word.partition("/")
    if slash and is_number(numerator) and is_number(denominator) and number(denominator, line):
        return number(numerator, line) / number(denominator, line)
    return number(word, line)


def _kinds(given: EspressoInput) -> tuple[dict[str, _Kind], tuple[str, ...]]:
    """What the labels of ATOMIC_SPECIES mean, and what there is to say of it."""
    rows = _card(given, "ATOMIC_SPECIES").rows
    _check_count(given, "ntyp", len(rows), "ATOMIC_SPECIES")
    starts = [given.number(f"starting_magnetization({index})") or 0.0 for index in range(1, len(rows) + 1)]
    polarised = given.integer("nspin") == 2
    symbols = [_symbol(words, line) for line, words in rows]
    moments = np.sign(starts) * moments_by_element(symbols) * polarised
    kinds = {
        words[0]: _Kind(symbol, float(moment))
        for (_, words), symbol, moment in zip(rows, symbols, moments, strict=True)
    }
    if len(kinds) < len(rows):
        raise InputError("ATOMIC_SPECIES: a label is there twice.")
    return kinds, (_SIZES_OF_MOMENTS if polarised else _NOT_POLARISED,) if any(starts) else ()


def _symbol(words: list[str], line: int) -> str:
    """The element of a label such as Fe, Fe1 or Fe_up."""
    found = re.fullmatch(r"([A-Za-z]{1,2})(?:[0-9_-].*)?", words[0])
    if found is None:
        raise InputError(f"Line {line}: '{shown(words[0])}' is not a chemical element with a number or _ behind it.")
    symbol = element(found[1], f"Line {line}")
    # What pw.x computes is the element of the pseudopotential, and the label is only a name.
    file = re.match(r"[A-Za-z]{1,2}(?=[._-])", words[2]) if len(words) > 2 else None
    if file and file[0].title() in atomic_numbers and file[0].title() != symbol:
        raise InputError(
            f"Line {line}: {shown(words[0])} has the pseudopotential {shown(words[2])} of another element."
        )
    return symbol


def _check_count(given: EspressoInput, name: str, lines: int, card: str) -> None:
    announced = given.integer(name)
    if announced != lines:
        said = "not given" if announced is None else str(announced)
        raise InputError(f"{name}: it is {said}, and {card} has {lines} lines.")


def _card(given: EspressoInput, name: str) -> Card:
    if name not in given.cards:
        raise InputError(f"The input of pw.x has no card {name}.")
    return given.cards[name]
