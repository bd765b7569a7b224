"""The shortest vectors that span a lattice, however skewed the ones are that were given. Imports no torch."""

from __future__ import annotations

from itertools import combinations, permutations, product

import numpy as np
from numpy.typing import NDArray

# Volume over the product of the lengths. What is below has no volume beyond rounding. What is above has reduced
# vectors of seven digits or more, since no term of a combination is longer than its sum over this number.
SMALLEST_VOLUME = 1e-8
# Relative: files round their lattice vectors.
_SAME_LENGTH = 1e-5


def spans_volume(lattice: NDArray[np.float64]) -> bool:
    """Whether three vectors, in rows, are linearly independent as far as their digits tell."""
    return bool(abs(np.linalg.det(lattice)) > SMALLEST_VOLUME * np.prod(np.linalg.norm(lattice, axis=1)))


def minkowski_reduced(lattice: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The Minkowski-reduced vectors of a lattice, the shortest first, and how they are combined of those given.

    The lattice is not turned, and its handedness stays. P. Q. Nguyen, D. Stehlé, ACM Trans. Algorithms 5, 46 (2009), as
    ASE gives them.

    Args:
        lattice: The lattice vectors in rows, which must span a volume, see :func:`spans_volume`.

    Returns:
        the reduced vectors in rows, and the integer matrix of determinant 1 that makes them by multiplying ``lattice``
        from the left.
    """
    from ase.geometry import minkowski_reduce

    _, combination = minkowski_reduce(lattice)
    combination = np.asarray(combination, dtype=np.int64)
    return combination @ lattice, combination


def shortest_basis(lattice: NDArray[np.float64], like: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """The shortest vectors that span a lattice, in the order and the directions that are most like those given.

    Where there is a choice, the reciprocal vectors are the shortest, then the angles as equal as possible, then obtuse:
    three times 60 degrees of an fcc crystal, 120 degrees of a hexagonal one.

    Args:
        lattice: The lattice vectors in rows, see :func:`minkowski_reduced`.
        like: The vectors, of a superlattice perhaps, that say order and handedness; by default ``lattice``.

    Returns:
        the shortest vectors in rows.
    """
    bases = _shortest_bases(minkowski_reduced(lattice)[0])
    reciprocal = np.linalg.norm(np.linalg.inv(bases), axis=1).sum(axis=1)
    products = np.einsum("nij,nkj->nik", bases, bases)[:, [0, 1, 2], [1, 2, 0]] / np.linalg.norm(bases[0]) ** 2
    # Rounding decides nothing: among what is alike, the directions do.
    merits = np.stack([reciprocal / reciprocal.min(), np.ptp(products, axis=1), products.sum(axis=1)], axis=1).round(4)
    return _most_along(bases[(merits == min(merits.tolist())).all(axis=1)], lattice if like is None else like)


def _shortest_bases(reduced: NDArray[np.float64]) -> NDArray[np.float64]:
    """All bases of a lattice, shape ``(nbasis, 3, 3)``, that are as short as its reduced one; none is the inverse of
    another one.
    """
    sums = np.array([c for c in product((-1, 0, 1), repeat=3) if c > (0, 0, 0)])
    triples = sums[np.array(list(combinations(range(len(sums)), 3)))]
    signs = np.array([[1, 1, 1], [-1, 1, 1], [1, -1, 1], [1, 1, -1]])
    bases = (triples * signs[:, None, :, None]).reshape(-1, 3, 3)
    bases = bases[np.abs(np.linalg.det(bases)).round() == 1] @ reduced
    longest = np.linalg.norm(reduced, axis=1) * (1 + _SAME_LENGTH)
    return np.asarray(bases[(np.sort(np.linalg.norm(bases, axis=2), axis=1) <= longest).all(axis=1)])


def _most_along(bases: NDArray[np.float64], like: NDArray[np.float64]) -> NDArray[np.float64]:
    """The basis, of some of shape ``(nbasis, 3, 3)``, whose vectors are in some order, and all turned round where the
    handedness wants it, the most along those of another one.
    """
    ordered = bases[:, list(permutations(range(3)))].reshape(-1, 3, 3)
    ordered *= np.sign(np.linalg.det(ordered) * np.linalg.det(like))[:, None, None]
    cosines = (ordered * like).sum(axis=2) / np.linalg.norm(ordered, axis=2) / np.linalg.norm(like, axis=1)
    return np.asarray(ordered[cosines.sum(axis=1).round(6).argmax()])
