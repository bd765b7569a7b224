"""Reading a cell file of CASTEP (https://www.castep.org/documentation). Imports no torch.

ASE starts the program CASTEP to read one, takes a unit that it does not know for angstrom, and passes over mixtures.
"""

from __future__ import annotations

import re

import numpy as np
from ase import Atoms
from ase.geometry import cellpar_to_cell
from numpy.typing import NDArray

from mlxc.crystal.crystal import MAX_ATOMS, Crystal, too_many_atoms
from mlxc.errors import InputError
from mlxc.structures.formats.text import element, is_number, lines_of, number, shown, vector, words_of
from mlxc.structures.reading import Reading
from mlxc.units import BOHR_ANG

Rows = list[tuple[int, list[str]]]

_UNITS_ANG = {"ang": 1.0, "bohr": BOHR_ANG, "a0": BOHR_ANG, "nm": 10.0, "pm": 0.01, "cm": 1e8, "m": 1e10}
_SPIN = re.compile(r"SPIN[ =:]+\(?(.*)", re.IGNORECASE)


def read_castep(text: str, name: str) -> Reading:
    """The crystal in a cell file.

    Args:
        text: The content of the file.
        name: How the crystal is called.

    Raises:
        InputError: the text is no cell file, or sites are shared by elements.
    """
    blocks, single = _parts(text)
    atoms = Atoms(cell=_lattice(blocks), pbc=True)
    fractional = "positions_frac" in blocks
    if fractional == ("positions_abs" in blocks):
        raise InputError("The cell file needs one block of positions, POSITIONS_FRAC or POSITIONS_ABS.")
    unit, rows = (1.0, blocks["positions_frac"]) if fractional else _unit(blocks["positions_abs"])
    if len(rows) > MAX_ATOMS:
        raise too_many_atoms(len(rows))
    places = np.array([vector(words[1:], line) for line, words in rows]).reshape(-1, 3)
    atoms += Atoms(
        [element(words[0].split(":")[0], f"Line {line}") for line, words in rows],
        places @ atoms.cell if fractional else places * unit,
        magmoms=[_moment(words[4:], line) for line, words in rows],
    )
    atoms.info = {"charge": number(single["charge"][1][0], single["charge"][0])} if "charge" in single else {}
    return Reading(Crystal.from_ase(atoms, name), "cell file of CASTEP")


def _parts(text: str) -> tuple[dict[str, Rows], dict[str, tuple[int, list[str]]]]:
    """The rows of each block, and the words behind each keyword without one, with lines; names are in small letters."""
    blocks: dict[str, Rows] = {}
    single: dict[str, tuple[int, list[str]]] = {}
    block = None
    for line, content in enumerate(lines_of(text), 1):
        words = words_of(re.split("[!#;]|COMMENT", content)[0])
        if not words:
            continue
        if words[0].lower() == "%endblock":
            block = None
        elif words[0].lower() == "%block" and len(words) > 1:
            block = words[1].lower()
            if block in blocks:
                raise InputError(f"Line {line}: the block {shown(block)} is there for the second time.")
            blocks[block] = []
        elif block is not None:
            blocks[block].append((line, words))
        elif len(behind := [word for word in re.split("[ =:\t]+", " ".join(words)) if word]) > 1:
            single[behind[0].lower()] = (line, behind[1:])
    return blocks, single


def _lattice(blocks: dict[str, Rows]) -> NDArray[np.float64]:
    """The lattice vectors as rows, angstrom."""
    if ("lattice_cart" in blocks) == ("lattice_abc" in blocks):
        raise InputError("The cell file needs one block of the lattice, LATTICE_CART or LATTICE_ABC.")
    cartesian = "lattice_cart" in blocks
    unit, rows = _unit(blocks["lattice_cart" if cartesian else "lattice_abc"])
    if len(rows) != (3 if cartesian else 2):
        raise InputError(f"The block of the lattice has {len(rows)} lines of numbers.")
    numbers = [vector(words, line) for line, words in rows]
    return np.array(numbers) * unit if cartesian else np.asarray(cellpar_to_cell([*numbers[0] * unit, *numbers[1]]))


def _unit(rows: Rows) -> tuple[float, Rows]:
    """The unit of a block, angstrom, and its rows without the one that names it."""
    if not rows or len(rows[0][1]) != 1:
        return 1.0, rows
    line, (name,) = rows[0]
    if name.lower() not in _UNITS_ANG:
        raise InputError(f"Line {line}: the unit '{shown(name)}' is none of {', '.join(_UNITS_ANG)}.")
    return _UNITS_ANG[name.lower()], rows[1:]


def _moment(words: list[str], line: int) -> float:
    """The moment behind a position, Bohr magneton."""
    behind = " ".join(words)
    if "MIXTURE" in behind.upper():
        raise InputError(f"Line {line}: the site is shared by elements; choose one ordered arrangement of them.")
    found = _SPIN.search(behind)
    if found is None:
        return 0.0
    first, *others = [word for word in re.split("[ ,()]+", found[1]) if word] or [""]
    if others and is_number(others[0]):
        raise InputError(f"Line {line}: the moment is a vector; give collinear moments.")
    return number(first, line)
