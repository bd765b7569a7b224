"""Whether the distances in a structure are those of a crystal, for a file whose units are others. Imports no torch."""

from __future__ import annotations

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.distances import closest_pair
from mlxc.crystal.elements import atomic_number
from mlxc.units import BOHR_ANG

# The shortest bonds, beside the sum of two covalent radii: 0.69 in the molecule BaO, 0.77 in N2.
SHORTEST_BOND = 0.65
# No atoms of a crystal or a molecule are so far from all others, angstrom.
FARTHEST_ANG = 8.0


def distance_note(crystal: Crystal) -> str:
    """A sentence about the closest atoms where these are closer than any bond, or far apart; else nothing.

    The radii are the covalent ones of Cordero et al., Dalton Trans. 2008, 2832, as ASE has them.
    """
    from ase.data import covalent_radii

    distance, first, second = closest_pair(crystal.lattice, crystal.positions)
    bond = sum(float(covalent_radii[atomic_number(crystal.species[atom])]) for atom in (first, second))
    apart = distance * BOHR_ANG
    pair = f"{crystal.species[first]} and {crystal.species[second]}"
    if apart < SHORTEST_BOND * bond:
        return f"{pair} are {apart:.3f} angstrom apart, closer than any bond of theirs; look at the units of the file."
    if len(crystal.species) > 1 and apart > FARTHEST_ANG:
        return f"No two atoms are closer than {apart:.1f} angstrom; look at the units of the file."
    return ""
