"""Which atoms of a picture a bond is drawn between.

Bonds are a matter of taste; these rules draw what chemists draw. The radii are those of B. Cordero et al., Dalton
Trans. 2832 (2008), as ASE has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from ase.data import covalent_radii
from numpy.typing import NDArray

from mlxc.crystal.elements import NONMETALS, atomic_number

# A bond is at most so much longer than the sum of the radii.
LONGEST = 1.25
# Between atoms of one kind only nearest neighbours have bonds: in bcc metals the next ones are not much farther.
NEAREST = 1.12


def bonds(symbols: Sequence[str], positions: NDArray[np.float64]) -> list[tuple[int, int]]:
    """The pairs of atoms that have a bond.

    They are near each other beside their radii. In a compound of metals with nonmetals, the metals have no bonds with
    each other: those are ions that happen to lie next to each other.

    Args:
        symbols: The chemical symbol of each atom.
        positions: The positions, angstrom, shape ``(natom, 3)``.
    """
    radii = np.array([covalent_radii[atomic_number(symbol)] for symbol in symbols])
    distances = np.linalg.norm(positions[:, None] - positions, axis=-1)
    near = distances < LONGEST * (radii[:, None] + radii)
    np.fill_diagonal(near, False)
    is_metal = np.array([symbol not in NONMETALS for symbol in symbols])
    if not is_metal.all():
        near &= ~(is_metal[:, None] & is_metal)
    alike = np.array(symbols)[:, None] == np.array(symbols)
    shortest = np.where(near, distances, np.inf).min(axis=1, initial=np.inf)
    near &= ~alike | (distances < NEAREST * np.minimum(shortest[:, None], shortest))
    return [(i, j) for i, j in combinations(range(len(symbols)), 2) if near[i, j]]
