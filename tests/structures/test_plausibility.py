"""Distances that no crystal has are told, since the units of a file may be others than those that it is read with."""

from __future__ import annotations

import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.collections import g2

from mlxc.crystal.crystal import Crystal
from mlxc.structures.files import read
from mlxc.structures.plausibility import distance_note

CELL = "%BLOCK LATTICE_CART\n0 2.1 2.1\n2.1 0 2.1\n2.1 2.1 0\n%ENDBLOCK LATTICE_CART\n%BLOCK POSITIONS_ABS\n"


def boxed(name: str) -> Atoms:
    atoms = molecule(name)
    atoms.set_cell([12, 12, 12])
    return atoms


def test_no_molecule_and_no_crystal_is_accused() -> None:
    """Every molecule of the G2 set with several atoms, and the elements of ``ase.build.bulk``."""
    several = [name for name in g2.names if len(molecule(name)) > 1]
    assert len(several) > 100
    crystals = [boxed(name) for name in several] + [
        bulk(symbol) for symbol in ("Ne", "Xe", "Cs", "C", "Be", "Fe", "Au")
    ]
    assert not [crystal for crystal in crystals if distance_note(Crystal.from_ase(crystal, "x"))]


@pytest.mark.parametrize(
    ("text", "filename", "words"),
    [
        # Positions in bohr, of which the block says nothing; and a cell in picometre.
        (CELL + "bohr\nMg 0 0 0\nO 1.05 1.05 1.05\n%ENDBLOCK POSITIONS_ABS\n", "x.cell", "closer than any bond"),
        ('2\nLattice="421 0 0 0 421 0 0 0 421"\nCs 0 0 0\nCl 210 210 210\n', "x.xyz", "closer than 363.7 angstrom"),
    ],
)
def test_distances_in_other_units_are_told(text: str, filename: str, words: str) -> None:
    (note,) = read(text, filename).notes
    assert words in note
