"""What a CIF says beside its atoms and must agree with them: multiplicities and the density. Imports no torch.

Neither decides anything, since programs have written other things under both names; what disagrees is told.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.elements import atomic_number
from mlxc.structures.cif.atoms import Atoms
from mlxc.structures.cif.document import Block
from mlxc.structures.cif.operations import Operations
from mlxc.structures.cif.sites import Site

DENSITIES = ("_exptl_crystal_density_diffrn", "_exptl_crystal_density_meas")
# Densities that differ by more are those of other atoms; deuterium weighs twice what is computed for it.
OTHER_DENSITY = 0.15
# An atomic mass unit per cubic angstrom, g/cm^3 (CODATA 2018).
UNIT_DENSITY = 1.66053906660


def multiplicity_note(sites: list[Site], atoms: Atoms, operations: Operations) -> str | None:
    """A sentence where the multiplicities in the file are not those that the symmetry gives; None where they are.

    Some programs write the order of a site's own symmetry instead, count in the primitive cell, or list all atoms of
    the cell with the multiplicities that they had before.
    """
    made = Counter(atoms.sites)
    stated = [(site, site.multiplicity, made[index]) for index, site in enumerate(sites) if made[index]]
    known = [(site, count, copies) for site, count, copies in stated if count is not None]
    elements = Counter(atoms.elements)
    identity = (operations.rotations == np.eye(3, dtype=np.int64)).all(axis=(1, 2)) & (operations.reversals == 1)
    meanings = (
        all(count == copies for _, count, copies in known),
        all(count * copies == len(operations) for _, count, copies in known),
        all(count * int(identity.sum()) == copies for _, count, copies in known),
        len(operations) == 1 and all(count <= elements[site.element] for site, count, _ in known),
    )
    if any(meanings):
        return None
    site, count, copies = next(entry for entry in known if entry[1] != entry[2])
    return f"The CIF says that {site.label} is {count} times in the cell, and its symmetry makes {copies} of it."


def density_note(block: Block, atoms: Atoms, lattice: NDArray[np.float64]) -> str | None:
    """A sentence where the density in the file is not that of the atoms; None where it is, or where none is given."""
    from ase.data import atomic_masses

    written = block.number(*DENSITIES)
    if not written:
        return None
    mass = sum(float(atomic_masses[atomic_number(element)]) for element in atoms.elements)
    density = UNIT_DENSITY * mass / abs(float(np.linalg.det(lattice)))
    if abs(written / density - 1) < OTHER_DENSITY:
        return None
    return f"The density in the CIF is {written:g} g/cm3, and that of the atoms that were read is {density:.3g}."
