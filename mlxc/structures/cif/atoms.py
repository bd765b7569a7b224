"""All atoms in the cell, out of the sites that a CIF lists and its symmetry operations. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.crystal import MAX_ATOMS, too_many_atoms
from mlxc.crystal.elements import atomic_number
from mlxc.errors import InputError
from mlxc.structures.cif.operations import Operations
from mlxc.structures.cif.sites import Site

# No two atoms are so close: a site that an operation moves less, angstrom, lies on a special position that is rounded.
COINCIDE_ANG = 0.1
# A site that is moved farther than this to its special position is told, angstrom.
TOLD_ANG = 0.01
# The shortest bonds, triple ones, beside the sum of two covalent radii: 0.77 in N2.
SHORTEST_BOND = 0.7
# Positions of the same atom by different operations, angstrom.
EXACT_ANG = 1e-4


@dataclass(frozen=True)
class Atoms:
    """The atoms in the cell.

    Attributes:
        elements: The chemical symbols.
        positions: The fractional coordinates, from 0 to 1, shape ``(natom, 3)``.
        sites: The index of the site that each atom is a copy of.
        operations: The index of an operation that makes it of this site.
        notes: What to tell.
    """

    elements: tuple[str, ...]
    positions: NDArray[np.float64]
    sites: tuple[int, ...]
    operations: tuple[int, ...]
    notes: tuple[str, ...]

    def same_as(self, other: Atoms, lattice: NDArray[np.float64]) -> bool:
        """Whether these are the same atoms on the same places, in whatever order; the lattice is in angstrom."""
        if sorted(self.elements) != sorted(other.elements):
            return False
        for element, position in zip(self.elements, self.positions, strict=True):
            apart = distances(other.positions, position, lattice)
            if other.elements[int(np.argmin(apart))] != element or apart.min() > COINCIDE_ANG:
                return False
        return True

    def number(self, lattice: NDArray[np.float64]) -> int | None:
        """The number of the space group that these atoms have, whatever the file says; None if none is found."""
        import spglib

        numbers = [atomic_number(element) for element in self.elements]
        found = spglib.get_symmetry_dataset((lattice.tolist(), self.positions.tolist(), numbers), symprec=TOLD_ANG)
        return None if found is None else int(found.number)

    def overlap(self, lattice: NDArray[np.float64]) -> bool:
        """Whether two atoms are closer than any bond, measured by their covalent radii."""
        from ase.data import covalent_radii

        radii = np.array([covalent_radii[atomic_number(element)] for element in self.elements])
        shifts = np.array(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij")).reshape(3, -1).T
        for index, position in enumerate(self.positions):
            difference = self.positions[index:] - position
            vectors = (difference - np.round(difference))[:, None, :] + shifts
            apart = np.linalg.norm(vectors @ lattice, axis=2)
            apart[0, len(shifts) // 2] = np.inf  # the atom itself
            if (apart.min(axis=1) < SHORTEST_BOND * (radii[index:] + radii[index])).any():
                return True
        return False

    def multiplicities(self) -> list[int]:
        """How many atoms each site has become, in the order of the sites that any atom is of."""
        return [self.sites.count(site) for site in dict.fromkeys(self.sites)]


def atoms_of(sites: list[Site], operations: Operations, lattice: NDArray[np.float64]) -> Atoms:
    """Every copy of every site, once.

    Sites on special positions whose coordinates are rounded are put where the symmetry has them. A site that is listed
    although it is the copy of another one is left out and told.

    Args:
        sites: the sites that are listed.
        operations: all operations of the space group.
        lattice: the lattice vectors in rows, angstrom.

    Raises:
        InputError: atoms are on top of each other, or there are too many.
    """
    elements: list[str] = []
    copies_of: list[int] = []
    made_by: list[int] = []
    positions: NDArray[np.float64] = np.zeros((0, 3))
    notes: list[str] = []
    repeated: list[str] = []
    for index, site in enumerate(sites):
        position, moved = _special_position(site, operations, lattice)
        if moved > TOLD_ANG:
            notes.append(f"{site.label} is moved by {moved:.3f} angstrom onto its special position.")
        copies, indices = _orbit(site, position, operations, lattice)
        apart = distances(positions, copies[0], lattice)
        if apart.size and apart.min() < COINCIDE_ANG:
            _require_same_element(site, sites[copies_of[int(np.argmin(apart))]])
            repeated.append(site.label)
            continue
        positions = np.vstack([positions, copies])
        elements += [site.element] * len(copies)
        copies_of += [index] * len(copies)
        made_by += indices
        if len(elements) > MAX_ATOMS:
            raise too_many_atoms(len(elements))
    if repeated:
        notes.append(f"Sites that are copies of others by symmetry are counted once: {', '.join(repeated)}.")
    return Atoms(tuple(elements), positions, tuple(copies_of), tuple(made_by), tuple(notes))


def distances(
    positions: NDArray[np.float64], position: NDArray[np.float64], lattice: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How far positions are from one, modulo lattice vectors, angstrom; exact where they almost coincide."""
    difference = positions - position
    return np.asarray(np.linalg.norm((difference - np.round(difference)) @ lattice, axis=1))


def stabiliser(
    position: NDArray[np.float64], operations: Operations, lattice: NDArray[np.float64]
) -> NDArray[np.int64]:
    """The indices of the operations that leave a position where it is, up to rounding."""
    return np.flatnonzero(distances(_images(position, operations), position, lattice) < COINCIDE_ANG)


def _images(position: NDArray[np.float64], operations: Operations) -> NDArray[np.float64]:
    return np.asarray(operations.rotations @ position + operations.translations)


def _special_position(
    site: Site, operations: Operations, lattice: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """The mean of a site's images that almost coincide with it, and how far it is from the site, angstrom."""
    position = site.position
    for _ in range(4):  # once, unless the mean comes close to further images
        near = _images(position, operations)[stabiliser(position, operations, lattice)] - position
        step = (near - np.round(near)).mean(axis=0)
        position = position + step
        if np.linalg.norm(step @ lattice) < EXACT_ANG / 100:
            break
    return position, float(np.linalg.norm((position - site.position) @ lattice))


def _orbit(
    site: Site, position: NDArray[np.float64], operations: Operations, lattice: NDArray[np.float64]
) -> tuple[NDArray[np.float64], list[int]]:
    """The different images of a position in the cell, and the first operation that makes each."""
    images = _images(position, operations) % 1
    images[images > 1 - 1e-9] = 0
    kept: list[int] = []
    for index, image in enumerate(images):
        if not kept or distances(images[kept], image, lattice).min() > COINCIDE_ANG:
            kept.append(index)
    if len(kept) * len(stabiliser(position, operations, lattice)) != len(operations):
        raise InputError(
            f"Copies of {site.label} by the symmetry of the CIF are on top of each other, "
            f"within {COINCIDE_ANG:g} angstrom and on no special position."
        )
    return images[kept], kept


def _require_same_element(site: Site, first: Site) -> None:
    """Let a site be the copy of another one where it is the same element.

    Raises:
        InputError: it is a different one.
    """
    if site.element != first.element:
        raise InputError(
            f"{site.label} ({site.element}) and {first.label} ({first.element}) of the CIF are on top of each other "
            "by its symmetry."
        )
