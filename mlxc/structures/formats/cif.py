"""Reading a CIF. Imports no torch."""

from __future__ import annotations

import warnings

from mlxc.crystal.crystal import MAX_ATOMS, Crystal, too_many_atoms
from mlxc.errors import InputError
from mlxc.structures.reading import Reading


def read_cif(text: str, name: str, block: str | None = None) -> Reading:
    """The crystal in the text of a CIF.

    Args:
        text: The content of the file.
        name: How the crystal is called.
        block: The name of the data block; by default the last one that holds a structure.

    Raises:
        InputError: the text is no CIF, or what it says contradicts itself.
    """
    # pymatgen keeps partial occupancies apart from full ones; ASE drops the difference silently.
    from pymatgen.io.cif import CifParser

    try:
        parser = CifParser.from_str(text)
    except ZeroDivisionError:  # a loop with a head and no rows
        raise InputError("The CIF lists no atoms.") from None
    atoms = max((len(data.get("_atom_site_fract_x", ())) for data in parser.as_dict().values()), default=0)
    if atoms > MAX_ATOMS:  # the parser would look at them pair by pair
        raise too_many_atoms(atoms)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            structures = parser.parse_structures(primitive=False)
    except ValueError:
        if any("sum to > 1" in str(warning.message) for warning in caught):
            raise InputError("Several atoms of the CIF are on top of each other on one site.") from None
        raise
    return Reading(Crystal.from_pymatgen(structures[-1], name), "CIF")
