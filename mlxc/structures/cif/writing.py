"""A crystal as a CIF, the inverse of reading one. Imports no torch."""

from __future__ import annotations

import numpy as np

from mlxc.crystal.crystal import Crystal

DIGITS = 10


def cif_of(crystal: Crystal, comment: str = "") -> str:
    """A crystal as a CIF in P 1, so that it keeps its cell; moments, if any, point along the third lattice vector.

    Args:
        crystal: The crystal.
        comment: One line about it, with which the file begins; empty for none.
    """
    from pymatgen.io.cif import CifWriter

    structure = crystal.to_pymatgen()
    third = crystal.lattice[2] / np.linalg.norm(crystal.lattice[2])
    structure.add_site_property("magmom", [list(moment * third) for moment in crystal.moments])
    text = str(CifWriter(structure, significant_figures=DIGITS, write_magmoms=bool(crystal.moments.any())))
    return f"# {comment}\n{text}" if comment else text
