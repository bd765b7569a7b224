"""The atom sites of a CIF: an element and a position each, fully occupied. Imports no torch."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.crystal import MAX_ATOMS, too_many_atoms
from mlxc.errors import InputError
from mlxc.structures.cif.document import Block, number, shortened
from mlxc.structures.cif.elements import DEUTERIUM, TYPE_TAG, element_of_label, element_of_type

# Sites closer than this are written for the same place, angstrom.
SAME_PLACE_ANG = 0.01
# How far an occupancy may be from 1, which is 3 * 0.333.
FULL = 0.005
# What sites of no atom are called where they are given at all.
_DUMMY = "dum"
_AXES = "xyz"
_PREFIX = "_atom_site_"
# What a block with atoms has, one or the other.
POSITIONS = ("_atom_site_fract_", "_atom_site_Cartn_")
# Labels of oxygen and nitrogen to which hydrogen belongs: OH1, Oh, O1W, Wat2, H2O, NH4.
_WITH_HYDROGEN = re.compile(r"(?:O-?[HW]\d*|O\d+[HW]|Wat.*|H2O.*|NH[34].*)", re.IGNORECASE)


@dataclass(frozen=True)
class Site:
    """A fully occupied site.

    Attributes:
        label: What it is called in the file.
        element: The element on it.
        position: Its fractional coordinates, shape ``(3,)``.
        multiplicity: How many such sites are in the cell, if the file says.
    """

    label: str
    element: str
    position: NDArray[np.float64]
    multiplicity: int | None


@dataclass(frozen=True)
class _Row:
    """One row of the list of atoms, before occupancies are added up."""

    site: Site
    occupancy: float


def sites_of(
    block: Block, lattice: NDArray[np.float64], formula: Collection[str] | None
) -> tuple[list[Site], tuple[str, ...]]:
    """The sites that a block lists, and what to tell of them.

    Args:
        block: the block of the CIF.
        lattice: the lattice vectors in rows, angstrom.
        formula: the elements of the file's formula, if it has one, which decide between those that a label may mean.

    Raises:
        InputError: there are none, an atom is not located or not known, or a site is not fully occupied by one element.
    """
    labels = block.column(_PREFIX + "label", TYPE_TAG, _PREFIX + "fract_x", _PREFIX + "Cartn_x") or ()
    if not labels:
        raise InputError("The CIF lists no atoms.")
    if len(labels) > MAX_ATOMS:
        raise too_many_atoms(len(labels))
    fields = ("label", "type_symbol", "occupancy", "calc_flag", "symmetry_multiplicity", "attached_hydrogens")
    table = block.rows([_PREFIX + field for field in fields], len(labels))
    places = _places(block, len(labels))
    _refuse_alternatives(block, len(labels))
    notes: list[str] = []
    deuterium: list[str] = []
    rows: list[_Row] = []
    for index, (name, symbol, occupancy, flag, multiplicity, hydrogens) in enumerate(table):
        label = name or symbol or str(index + 1)
        filling = 1.0 if occupancy is None else number(occupancy, f"The occupancy of {label}")
        if (flag or "").lower() == _DUMMY or filling == 0:
            notes.append(
                f"{label} is no atom but a {'dummy' if filling else 'site with occupancy 0'}, and is left out."
            )
            continue
        if hydrogens is not None and number(hydrogens, f"The number of hydrogens at {label}") > 0:
            raise InputError(f"The CIF attaches {hydrogens} hydrogen atoms to {label} and does not say where they are.")
        element = _element(name, symbol, formula)
        if (symbol or label).startswith(DEUTERIUM) and element == "H":
            deuterium.append(label)
        position = _position(block, places[index], label, lattice)
        rows.append(_Row(Site(label, element, position, _whole(multiplicity)), filling))
    if not rows:
        raise InputError("The CIF lists no atoms.")
    if deuterium:
        notes.append(f"Deuterium is computed as hydrogen: {shortened(', '.join(deuterium))}.")
    sites, told = _occupied(rows, lattice)
    if formula is None:
        _refuse_missing_hydrogen(sites)
    return sites, (*notes, *told)


def _element(label: str | None, symbol: str | None, formula: Collection[str] | None) -> str:
    if symbol is not None:
        return element_of_type(symbol, formula)
    if label is None:
        raise InputError(f"A site of the CIF has neither a label nor {TYPE_TAG}.")
    return element_of_label(label, formula)


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch("[0-9]{1,4}", text) else None


def _places(block: Block, size: int) -> list[tuple[str | None, ...]]:
    """The coordinates of each row as they stand in the file: three fractional, then three Cartesian ones."""
    tags = [_PREFIX + kind + axis for kind in ("fract_", "Cartn_") for axis in _AXES]
    return block.rows(tags, size)


def _position(
    block: Block, place: tuple[str | None, ...], label: str, lattice: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The fractional coordinates of a site."""
    for kind, texts in (("fract_", place[:3]), ("Cartn_", place[3:])):
        known = [text for text in texts if text is not None]
        if len(known) == 3:
            values = [
                number(text, f"{_PREFIX}{kind}{axis} of {label}") for text, axis in zip(known, _AXES, strict=True)
            ]
            if max(map(abs, values)) > 1e4:
                raise InputError(f"The coordinates of {label} in the CIF are too large: {', '.join(known)}.")
            return np.array(values) if kind == "fract_" else _from_cartesian(block, np.array(values), lattice)
        if known:
            break
    raise InputError(f"The atom {label} is not located: the CIF gives no three coordinates for it.")


def _from_cartesian(block: Block, position: NDArray[np.float64], lattice: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fractional coordinates of Cartesian ones, by the matrix in the file, or along the edges of a right-angled cell.

    Raises:
        InputError: there is no matrix, and the cell is not right-angled.
    """
    matrix = _matrix(block, "_atom_sites_fract_tran_matrix_")
    if matrix is not None:
        offset = _vector(block, "_atom_sites_fract_tran_vector_")
        return np.asarray(matrix @ position + offset)
    matrix = _matrix(block, "_atom_sites_Cartn_tran_matrix_")
    if matrix is not None and abs(np.linalg.det(matrix)) > 1e-6:
        return np.asarray(np.linalg.solve(matrix, position - _vector(block, "_atom_sites_Cartn_tran_vector_")))
    if np.abs(lattice - np.diag(np.diag(lattice))).max() > 1e-6:
        raise InputError(
            "The CIF gives Cartesian coordinates in an oblique cell and not how their axes lie; give fractional ones."
        )
    return position / np.diag(lattice)


def _matrix(block: Block, tag: str) -> NDArray[np.float64] | None:
    values = [block.number(f"{tag}{row}{column}") for row in "123" for column in "123"]
    return None if None in values else np.array(values, dtype=np.float64).reshape(3, 3)


def _vector(block: Block, tag: str) -> NDArray[np.float64]:
    return np.array([block.number(f"{tag}{row}") or 0.0 for row in "123"])


def _refuse_alternatives(block: Block, size: int) -> None:
    """Refuse sites of which one or another is occupied.

    Raises:
        InputError: an assembly of sites has several disorder groups.
    """
    tags = [_PREFIX + field for field in ("disorder_assembly", "disorder_group")]
    groups: dict[str | None, set[str]] = {}
    for assembly, group in block.rows(tags, size):
        if group not in (None, "0"):
            groups.setdefault(assembly, set()).add(str(group))
    for found in groups.values():
        if len(found) > 1:
            raise InputError(
                f"The CIF has disordered sites, groups {' and '.join(sorted(found))}; choose one ordered arrangement."
            )


def _occupied(rows: list[_Row], lattice: NDArray[np.float64]) -> tuple[list[Site], list[str]]:
    """One site for each place, and what to tell of places that are written twice.

    Raises:
        InputError: a place is not occupied by exactly one atom of one element.
    """
    places: list[list[_Row]] = []
    firsts: NDArray[np.float64] = np.zeros((0, 3))
    for row in rows:
        difference = firsts - row.site.position
        apart = np.linalg.norm((difference - np.round(difference)) @ lattice, axis=1)
        same = np.flatnonzero(apart < SAME_PLACE_ANG)
        if same.size:
            places[same[0]].append(row)
        else:
            places.append([row])
            firsts = np.vstack([firsts, row.site.position])
    notes: list[str] = []
    for place in places:
        _check_place(place, notes)
    return [place[0].site for place in places], notes


def _check_place(place: list[_Row], notes: list[str]) -> None:
    """See that one place has one atom; what is told about it goes to ``notes``."""
    labels = " and ".join(row.site.label for row in place)
    filling: dict[str, float] = {}
    for row in place:
        filling[row.site.element] = filling.get(row.site.element, 0.0) + row.occupancy
    total = sum(filling.values())
    if min(row.occupancy for row in place) < 0 or max(row.occupancy for row in place) > 1 + FULL:
        raise InputError(f"The occupancy of {labels} in the CIF must be between 0 and 1.")
    if len(filling) == 1 and abs(total - 1) <= FULL:
        return
    if total <= 1 + FULL:
        shares = " and ".join(f"{share:g} {element}" for element, share in filling.items())
        raise InputError(
            f"The site of {labels} in the CIF is partially occupied ({shares}); choose one ordered arrangement."
        )
    if len(filling) == 1 and total == len(place) and _lattice_copies(place):
        notes.append(f"{labels} are the same atom, a lattice vector apart, and are counted once.")
        return
    raise InputError(f"The atoms {labels} of the CIF are on top of each other, on one site.")


def _refuse_missing_hydrogen(sites: list[Site]) -> None:
    """Refuse labels that speak of hydrogen where none is listed and no formula says what there is.

    Raises:
        InputError: there is such a label.
    """
    if any(site.element == "H" for site in sites):
        return
    for site in sites:
        if _WITH_HYDROGEN.fullmatch(site.label):
            raise InputError(f"The label {site.label} of the CIF speaks of hydrogen, and no hydrogen atoms are listed.")


def _lattice_copies(place: list[_Row]) -> bool:
    """Whether the rows of a place differ by lattice vectors, as where a corner of the cell is listed with each of its
    eight copies."""
    vectors = {tuple(int(n) for n in np.round(row.site.position - place[0].site.position)) for row in place}
    return len(vectors) == len(place)
