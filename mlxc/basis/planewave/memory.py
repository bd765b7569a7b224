"""The memory of orbitals and projectors: in what form and in what parts they are kept. Imports no torch.

Projectors are kept as they are where there are few of them. The factors of many, a phase of each ion and the projectors
of each element at the origin, take a small part of the memory; their products in single precision are held for the
k points whose orbitals are being improved.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

# Plane waves, over all its k points, that make a block worth a thread's while: small operations wait for Python.
BLOCK_PLANE_WAVES = 8000
# A cell with more projectors than this keeps their factors. There are many bands then, and what the products take is
# little beside their overlaps with all of these.
MANY_PROJECTORS = 200
# The products that are made at the same time have about this many bytes.
WORKSPACE_BYTES = 3.2e7
# In single precision H is applied to few bands at a time, and its products are held if they have less bytes than this.
HELD_BYTES = 4e8
# Arrays of the size of the orbitals: those of all k points, from the guess to what comes out, and those with which the
# eigensolver works on some of them.
ORBITAL_COPIES, WORK_COPIES = 4.5, 9.5


def orbital_bytes(nspin: int, nkpoints: int, plane_waves: float, nband: float, as_real: bool) -> float:
    """Estimate the bytes that orbitals take.

    Args:
        nspin: One, or two for collinear spin.
        nkpoints: The number of k points.
        plane_waves: The number of plane waves at each of them.
        nband: The number of bands.
        as_real: Whether orbitals are real functions.
    """
    copies = ORBITAL_COPIES * nspin * nkpoints + WORK_COPIES * _together(nspin * nkpoints, plane_waves)
    return 16 * plane_waves * nband * copies / (2 if as_real else 1)


def projector_bytes(
    nkpoints: int, plane_waves: float, species: Sequence[str], counts: Mapping[str, int], as_real: bool
) -> float:
    """Estimate the bytes that projectors take.

    Args:
        nkpoints: The number of k points.
        plane_waves: The number of plane waves at each of them.
        species: The element of each ion.
        counts: The number of projectors of an ion of each element.
        as_real: Whether orbitals are real functions.
    """
    total = sum(counts[symbol] for symbol in species)
    if total <= MANY_PROJECTORS:
        return 16 * nkpoints * plane_waves * total
    factors = 16 * nkpoints * plane_waves * (len(species) + sum(counts[symbol] for symbol in set(species)))
    products = 8 * plane_waves * total / (2 if as_real else 1)
    return factors + _together(nkpoints, plane_waves) * (products if products < HELD_BYTES else WORKSPACE_BYTES)


def _together(nkpoints: int, plane_waves: float) -> float:
    """The k points whose orbitals are improved at the same time: a block of them for each core."""
    return min(nkpoints, (os.cpu_count() or 1) * max(1, BLOCK_PLANE_WAVES / plane_waves))
