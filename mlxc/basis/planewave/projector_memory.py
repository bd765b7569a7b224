"""In which form projectors are kept, and how much memory that takes. Imports no torch.

They are kept as they are where there are few of them. The factors of many, a phase of each ion and the projectors of
each element at the origin, take a small part of the memory; their products in single precision are held for the k
points whose orbitals are being improved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# A cell with more projectors than this keeps their factors. There are many bands then, and what the products take is
# little beside their overlaps with all of these.
MANY_PROJECTORS = 200
# The products that are made at the same time have about this many bytes.
WORKSPACE_BYTES = 3.2e7
# In single precision H is applied to few bands at a time, and its products are held if they have less bytes than this.
HELD_BYTES = 4e8
# The k points whose orbitals are improved at the same time, on two cores.
TOGETHER = 2


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
    return factors + min(nkpoints, TOGETHER) * (products if products < HELD_BYTES else WORKSPACE_BYTES)
