"""The collinear magnetic orders of a crystal that symmetry tells apart. Imports no torch.

An order gives each magnetic atom of a supercell a moment up or down. Two orders are the same if an operation of the
space group of the crystal without moments, a translation among them, takes one to the other, or turns all spins over.

Atoms that this group makes equivalent are equal, and so are their moments in size. Listed are orders in which the
moments of equal atoms are all parallel, or add up to zero. If all magnetic atoms are parallel, the crystal is a
ferromagnet; if the moments of all sets of equal atoms add up to zero, an antiferromagnet. What is left has parallel
moments in some sets which are opposed to others or beside compensated ones: a ferrimagnet, which takes magnetic atoms
that are not equal, such as two elements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.magnetic_layers import layers_in_words
from mlxc.crystal.superlattices import Superlattice, cell_index, cells_of, distinct_superlattices, is_contained
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.crystal.vacuum import vacuum_directions
from mlxc.errors import InputError

OrderKind: TypeAlias = Literal["non-magnetic", "ferromagnetic", "antiferromagnetic", "ferrimagnetic"]
# Magnetic atoms in a supercell whose patterns can be looked at one by one, half of 2^16 of them.
MOST_MAGNETIC_ATOMS = 16


@dataclass(frozen=True, eq=False)
class MagneticOrder:
    """Up or down for each atom of a supercell.

    Attributes:
        kind: What the moments add up to.
        layers: The planes in which all moments are parallel, see :mod:`mlxc.crystal.magnetic_layers`; may be empty.
        superlattice: The translations with which the order repeats, see :mod:`mlxc.crystal.superlattices`.
        signs: The sign of each moment, 1 or -1, and 0 for atoms without one, shape ``(natom, index)``: for each atom of
            the crystal, in each of the cells of the supercell.
        multiplicity: How many orders are equivalent to this one, itself included, all spins turned over not counted.
        number: The number among the orders of its kind, from 1; None where it is the only one.
    """

    kind: OrderKind
    layers: str
    superlattice: Superlattice
    signs: NDArray[np.int64]
    multiplicity: int
    number: int | None = None

    @property
    def name(self) -> str:
        """The kind, the number and the layers, such as ``antiferromagnetic 2 (layers along 111)``."""
        numbered = self.kind if self.number is None else f"{self.kind} {self.number}"
        return f"{numbered} ({self.layers})" if self.layers else numbered

    @property
    def cells(self) -> int:
        """The number of the crystal's cells in the supercell."""
        return self.signs.shape[1]

    def in_supercell(self, crystal: Crystal, basis: Superlattice, sizes: Sequence[float]) -> Crystal:
        """The order as a crystal with moments.

        Args:
            crystal: The crystal whose order it is.
            basis: The lattice vectors of the supercell, a basis of the superlattice.
            sizes: The size of the moment of each atom of the crystal, Bohr magneton.
        """
        places = crystal.positions[:, None] + cells_of(self.superlattice)
        species = np.repeat(crystal.species, self.cells).tolist()
        positions = (places @ np.linalg.inv(basis)).reshape(-1, 3)
        within = positions if self.cells == 1 else (positions + 1e-9) % 1.0 - 1e-9
        moments = (self.signs * np.array(sizes)[:, None]).ravel()
        return Crystal(basis @ crystal.lattice, species, within, moments, crystal.name, crystal.origin)


def magnetic_orders(
    crystal: Crystal, magnetic: Sequence[str], max_cells: int = 2, max_atoms: int | None = None
) -> list[MagneticOrder]:
    """All collinear orders: the non-magnetic state, the ferromagnet, then the others, from small to large supercells.

    Supercells do not grow along a vacuum, across which moments do not know of each other.

    Args:
        crystal: The crystal, whose own moments do not count.
        magnetic: The elements with moments; all other atoms have none.
        max_cells: The largest number of cells in a supercell.
        max_atoms: The largest number of atoms in a supercell; None for any number.

    Raises:
        InputError: no atom is magnetic, or supercells hold more magnetic atoms than can be listed.
    """
    plain = Crystal(crystal.lattice, crystal.species, crystal.positions, None, crystal.name)
    atoms = [index for index, symbol in enumerate(plain.species) if symbol in magnetic]
    if not atoms:
        raise InputError(f"magnetic: {crystal.name} has no atom of {', '.join(magnetic) or 'a magnetic element'}.")
    patterns = _Patterns(plain, atoms)
    found = [_uniform(plain, [], "non-magnetic"), _uniform(plain, atoms, "ferromagnetic")]
    most = max_cells if max_atoms is None else min(max_cells, max_atoms // len(plain.species))
    if most * len(atoms) > MOST_MAGNETIC_ATOMS:
        raise InputError(
            f"max_cells: {most} cells hold {most * len(atoms)} magnetic atoms, and orders of at most "
            f"{MOST_MAGNETIC_ATOMS} can be listed; take fewer cells or fewer magnetic elements."
        )
    for cells in range(1, most + 1):
        found += patterns.of_supercells(cells)
    return _numbered(found)


class _Patterns:
    """The patterns of signs on the supercells of a crystal without moments, some of whose atoms are magnetic."""

    def __init__(self, crystal: Crystal, atoms: Sequence[int]) -> None:
        self._crystal, self._atoms = crystal, list(atoms)
        self._group = SpaceGroup.of(crystal)
        group_images = self._group.atom_images(crystal)
        # The number of each magnetic atom's image among the magnetic atoms.
        self._images = np.searchsorted(self._atoms, group_images[:, self._atoms])
        turned = np.einsum("sij,aj->sai", self._group.rotations, crystal.positions) + self._group.translations[:, None]
        shifts = turned - crystal.positions[group_images]
        # The lattice translations between where an operation takes an atom and the image within the cell.
        self._shifts = shifts.round().astype(np.int64)[:, self._atoms]
        self._equal = [set(row) for row in np.unique(np.sort(self._images.T, axis=1), axis=0)]

    def of_supercells(self, cells: int) -> list[MagneticOrder]:
        """The orders that take a supercell of so many cells, but for the ferromagnet."""
        empty = np.eye(3, dtype=np.int64)[list(vacuum_directions(self._crystal))]
        found = []
        for superlattice, count in distinct_superlattices(cells, self._group):
            if all(is_contained(vector, superlattice) for vector in empty):
                found += self._of_superlattice(superlattice, count)
        return found

    def _of_superlattice(self, superlattice: Superlattice, count: int) -> list[MagneticOrder]:
        translations = self._translations(superlattice)
        signs = self._candidates(len(translations))
        repeats = [(signs[:, moved] == signs).all(axis=1) for moved in translations[1:]]
        signs = signs[~np.any(repeats, axis=0)] if repeats else signs
        if not len(signs):
            return []
        codes, smallest = _code(signs), _code(signs)
        operations = self._operations(superlattice)
        moves = np.unique((translations[:, operations]).reshape(-1, operations.shape[1]), axis=0)
        for moved in moves:
            smallest = np.minimum(smallest, _code(signs[:, moved]))
        found = []
        for code in np.unique(smallest):
            row = signs[codes == code][0]
            found.append(self._order(superlattice, row, count * int((smallest == code).sum())))
        return found

    def _candidates(self, cells: int) -> NDArray[np.int64]:
        """Patterns ``(npattern, nmagnetic * cells)`` whose first sign is 1, but for the ferromagnetic one.

        The signs of equal atoms are the same or add up to zero.
        """
        size = len(self._atoms) * cells
        numbers = np.arange(1, 2 ** (size - 1))
        bits = (numbers[:, None] >> np.arange(size - 2, -1, -1)) & 1
        signs = np.hstack([np.ones((len(numbers), 1), dtype=np.int64), 1 - 2 * bits])
        kept = np.ones(len(signs), dtype=bool)
        for sums, number in self._sums(signs, cells):
            kept &= (sums == 0) | (np.abs(sums) == number)
        return signs[kept]

    def _sums(self, signs: NDArray[np.int64], cells: int) -> list[tuple[NDArray[np.int64], int]]:
        """The sum of the signs of each set of equal atoms in each pattern, and how many atoms are in the set."""
        by_atom = signs.reshape(len(signs), len(self._atoms), cells)
        return [(by_atom[:, sorted(equal)].sum(axis=(1, 2)), cells * len(equal)) for equal in self._equal]

    def _translations(self, superlattice: Superlattice) -> NDArray[np.int64]:
        """Where each lattice translation of a supercell takes each of its magnetic atoms, shape ``(index, nsite)``."""
        cells = cells_of(superlattice)
        moved = cell_index(cells[:, None] + cells, superlattice)
        offsets = len(cells) * np.arange(len(self._atoms))
        return (offsets[None, :, None] + moved[:, None, :]).reshape(len(cells), -1)

    def _operations(self, superlattice: Superlattice) -> NDArray[np.int64]:
        """Where the operations that keep a superlattice take its magnetic atoms, shape ``(nop, nsite)``."""
        cells = cells_of(superlattice)
        found = []
        for rotation, atom_images, shifts in zip(self._group.rotations, self._images, self._shifts, strict=True):
            if is_contained(superlattice @ rotation.T, superlattice):
                moved = cell_index((cells @ rotation.T)[None] + shifts[:, None], superlattice)
                found.append((len(cells) * atom_images[:, None] + moved).ravel())
        return np.unique(found, axis=0)

    def _order(self, superlattice: Superlattice, signs: NDArray[np.int64], multiplicity: int) -> MagneticOrder:
        cells = cells_of(superlattice)
        places = (self._crystal.positions[self._atoms][:, None] + cells).reshape(-1, 3)
        layers = layers_in_words(self._crystal, self._group, superlattice, places, signs.tolist())
        compensated = all(int(sums[0]) == 0 for sums, _ in self._sums(signs[None], len(cells)))
        of_all = np.zeros((len(self._crystal.species), len(cells)), dtype=np.int64)
        of_all[self._atoms] = signs.reshape(len(self._atoms), -1)
        kind: OrderKind = "antiferromagnetic" if compensated else "ferrimagnetic"
        return MagneticOrder(kind, layers, superlattice, of_all, multiplicity)


def _code(signs: NDArray[np.int64]) -> NDArray[np.int64]:
    """A number for each pattern ``(npattern, nsite)``, the same when all its spins are turned over."""
    down = signs != signs[:, :1]
    return np.asarray(down @ (1 << np.arange(signs.shape[1], dtype=np.int64)))


def _uniform(crystal: Crystal, atoms: Sequence[int], kind: OrderKind) -> MagneticOrder:
    """The order of the crystal's own cell in which these atoms are up and the others have no moment."""
    signs = np.zeros((len(crystal.species), 1), dtype=np.int64)
    signs[list(atoms)] = 1
    return MagneticOrder(kind, "", np.eye(3, dtype=np.int64), signs, 1)


def _numbered(orders: list[MagneticOrder]) -> list[MagneticOrder]:
    """The same orders, those of a kind numbered where there are several."""
    kinds = [order.kind for order in orders]
    return [
        replace(order, number=kinds[: index + 1].count(order.kind)) if kinds.count(order.kind) > 1 else order
        for index, order in enumerate(orders)
    ]
