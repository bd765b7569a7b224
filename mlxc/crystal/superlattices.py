"""Superlattices, with which supercells repeat, and the k points that they share with their crystal. Imports no torch.

A superlattice of index n consists of one in n of a crystal's translations. It is given by an integer matrix H, shape
``(3, 3)``, whose rows are basis vectors in units of the crystal's lattice vectors. Each has one basis in Hermite normal
form: upper triangular, with entries above a diagonal one between zero and it.
G. L. W. Hart, R. W. Forcade, Phys. Rev. B 77, 224115 (2008).

The k points of a Gamma-centred mesh N are those whose waves repeat with the translations N_i a_i. A supercell with
lattice vectors b_i and a mesh M has the very same waves if the M_i b_i generate the same translations: then energies of
both differ by no error of the mesh.
"""

from __future__ import annotations

from itertools import combinations, permutations, product
from math import ceil, gcd, lcm, prod

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.lattice_reduction import minkowski_reduced
from mlxc.crystal.symmetry import SpaceGroup

Superlattice = NDArray[np.int64]
Mesh = tuple[int, int, int]
# How many times short vectors are added up in the search of a basis: nearly always the first are enough.
REACHES = (2, 3)


def superlattices_of_index(index: int) -> list[Superlattice]:
    """All superlattices of an index, in Hermite normal form."""
    found = []
    for first, second in product(range(1, index + 1), repeat=2):
        if index % (first * second):
            continue
        third = index // (first * second)
        for x, y, z in product(range(second), range(third), range(third)):
            found.append(np.array([[first, x, y], [0, second, z], [0, 0, third]], dtype=np.int64))
    return found


def distinct_superlattices(index: int, group: SpaceGroup) -> list[tuple[Superlattice, int]]:
    """One of each set of superlattices that a space group maps onto each other, and how many are in the set."""
    left = superlattices_of_index(index)
    found = []
    while left:
        rotated = images(left[0], group)
        equivalent = [any(is_contained(image, other) for image in rotated) for other in left]
        found.append((left[0], sum(equivalent)))
        left = [other for other, same in zip(left, equivalent, strict=True) if not same]
    return found


def images(superlattice: Superlattice, group: SpaceGroup) -> list[Superlattice]:
    """What the rotations of a space group make of a superlattice, each given by some basis."""
    return [superlattice @ rotation.T for rotation in np.unique(group.rotations, axis=0)]


def is_contained(translations: NDArray[np.int64], superlattice: Superlattice) -> bool:
    """Whether translations, rows in units of the crystal's lattice vectors, belong to a superlattice."""
    coordinates = translations @ np.linalg.inv(superlattice)
    return bool(np.abs(coordinates - coordinates.round()).max() < 1e-6)


def cells_of(superlattice: Superlattice) -> NDArray[np.int64]:
    """The translations to the cells of a supercell, shape ``(index, 3)``; the basis is in Hermite normal form."""
    return np.array(list(product(*(range(n) for n in superlattice.diagonal()))), dtype=np.int64)


def cell_index(translations: NDArray[np.int64], superlattice: Superlattice) -> NDArray[np.int64]:
    """Which of :func:`cells_of` translations ``(..., 3)`` lead to, modulo the superlattice."""
    rest = np.array(translations)
    for axis, vector in enumerate(superlattice):
        rest -= (rest[..., axis] // vector[axis])[..., None] * vector
    return np.asarray(np.ravel_multi_index(tuple(np.moveaxis(rest, -1, 0)), tuple(superlattice.diagonal())))


def common_mesh(mesh: Mesh, superlattices: list[Superlattice], group: SpaceGroup) -> Mesh:
    """The coarsest k mesh, not coarser than a given one, whose points supercells of all superlattices can have.

    Args:
        mesh: The given mesh.
        superlattices: The superlattices; whatever a rotation makes of them counts as well, so that the mesh keeps the
            symmetry that it has.
        group: The space group of the crystal.
    """
    factors = [1, 1, 1]
    for superlattice in superlattices:
        for image in images(superlattice, group):
            index = round(abs(np.linalg.det(image)))
            multiples = (index * np.linalg.inv(image)).round().astype(np.int64)
            # The smallest multiple of each lattice vector that belongs to the superlattice.
            orders = [index // gcd(index, *row) for row in multiples.tolist()]
            factors = [lcm(factor, order) for factor, order in zip(factors, orders, strict=True)]
    first, second, third = (ceil(n / factor) * factor for n, factor in zip(mesh, factors, strict=True))
    return first, second, third


def supercell_with_mesh(
    lattice: NDArray[np.float64], superlattice: Superlattice, mesh: Mesh
) -> tuple[Superlattice, Mesh]:
    """A compact supercell that has the k points of a mesh of the crystal on a mesh of its own.

    Args:
        lattice: The lattice vectors of the crystal, rows, bohr.
        superlattice: The superlattice.
        mesh: A mesh of the crystal, such as :func:`common_mesh` gives.

    Returns:
        the basis of the superlattice, and the mesh that belongs to it.
    """
    if round(abs(np.linalg.det(superlattice))) == 1:
        return np.eye(3, dtype=np.int64), mesh
    return _compact(lattice, superlattice, mesh)


def compact_cell_with_mesh(lattice: NDArray[np.float64], mesh: Mesh) -> tuple[Superlattice, Mesh]:
    """The most compact cell of a lattice that has the k points of a mesh of the given cell on a mesh of its own.

    Args:
        lattice: The lattice vectors of the given cell, rows, bohr.
        mesh: The mesh of the given cell.

    Returns:
        the vectors in units of those given, and the mesh that belongs to them.
    """
    return _compact(lattice, np.eye(3, dtype=np.int64), mesh)


def _compact(lattice: NDArray[np.float64], superlattice: Superlattice, mesh: Mesh) -> tuple[Superlattice, Mesh]:
    index = round(abs(np.linalg.det(superlattice)))
    for reach in REACHES:
        vectors = _short_vectors(lattice, superlattice, reach)
        periods = np.array([_period(vector, mesh) for vector in vectors.tolist()])
        triples = np.array(list(combinations(range(len(vectors)), 3)))
        fits = (periods[triples].prod(axis=1) * index) == prod(mesh)
        fits &= np.abs(np.linalg.det(vectors[triples])).round() == index
        if fits.any():
            lengths = np.linalg.norm(vectors @ lattice, axis=1)
            best = triples[fits][(lengths[triples[fits]] ** 2).sum(axis=1).round(6).argmin()]
            best = max(permutations(best), key=lambda order: np.abs(vectors[list(order)].diagonal()).sum())
            first, second, third = periods[list(best)].tolist()
            return _oriented(vectors[list(best)]), (first, second, third)
    return _adapted(superlattice, mesh)


def _adapted(superlattice: Superlattice, mesh: Mesh) -> tuple[Superlattice, Mesh]:
    """The supercell and the mesh of Smith's normal form, which always exists, however long the cell may be.

    The translations with which all waves of the mesh repeat, as rows in units of the superlattice's vectors, become
    diagonal by operations on rows and columns; those on columns change the basis of the superlattice.
    """
    basis = superlattice.copy()
    periods = (np.diag(mesh) @ np.linalg.inv(superlattice)).round().astype(np.int64)
    for pivot in range(3):
        while np.count_nonzero(periods[pivot:, pivot]) + np.count_nonzero(periods[pivot, pivot:]) != 2:
            rest = np.abs(periods[pivot:, pivot:])
            smallest = int(np.where(rest == 0, rest.max() + 1, rest).argmin())
            row, column = divmod(smallest, rest.shape[1])
            periods[[pivot, pivot + row]] = periods[[pivot + row, pivot]]
            periods[:, [pivot, pivot + column]] = periods[:, [pivot + column, pivot]]
            basis[[pivot, pivot + column]] = basis[[pivot + column, pivot]]
            for other in range(pivot + 1, 3):
                periods[other] -= periods[other, pivot] // periods[pivot, pivot] * periods[pivot]
                factor = periods[pivot, other] // periods[pivot, pivot]
                periods[:, other] -= factor * periods[:, pivot]
                basis[pivot] += factor * basis[other]
    first, second, third = np.abs(periods.diagonal()).tolist()
    return _oriented(basis), (first, second, third)


def _short_vectors(lattice: NDArray[np.float64], superlattice: Superlattice, reach: int) -> NDArray[np.int64]:
    """Sums of a few of the shortest basis vectors, one of each pair of opposite ones."""
    _, combination = minkowski_reduced(superlattice @ lattice)
    sums = [c for c in product(range(-reach, reach + 1), repeat=3) if c > (0, 0, 0)]
    return np.array(sums, dtype=np.int64) @ combination @ superlattice


def _oriented(basis: Superlattice) -> Superlattice:
    """The same vectors along those of the crystal rather than against them, in the handedness of the crystal."""
    basis = basis * np.where(basis.diagonal() < 0, -1, 1)[:, None]
    return basis if np.linalg.det(basis) > 0 else -basis


def _period(vector: list[int], mesh: Mesh) -> int:
    """The smallest multiple of a translation with which all waves of a mesh repeat."""
    return lcm(*(points // gcd(points, step) for points, step in zip(mesh, vector, strict=True)))
