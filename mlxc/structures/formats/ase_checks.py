"""What readers of ASE pass over: other atoms by symmetry, shared sites, cells that are none, charges. Imports no torch.

Each check takes the text of a file and the atoms that ASE has made of it, and returns notes for a person.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlxc.crystal.conversions import check_neutral
from mlxc.errors import InputError
from mlxc.structures.formats.text import is_integer, is_number, number, words_of

if TYPE_CHECKING:
    from ase import Atoms

# Lines of a res file behind SFAC that begin like an atom.
_NO_ATOMS = ("UNIT", "FVAR", "WGHT", "PLAN", "HKLF", "REM")
_SHARED = "some sites are partially occupied; choose one ordered arrangement of them"


def check_aims(text: str, atoms: Atoms) -> tuple[str, ...]:
    """Refuse the sites without nuclei of a geometry of FHI-aims.

    Raises:
        InputError: there are some.
    """
    if re.search(r"^[ \t]*(empty|pseudocore)\b", text, re.MULTILINE):
        raise InputError("The geometry has sites without nuclei, and only atoms can be computed.")
    return ()


def check_res(text: str, atoms: Atoms) -> tuple[str, ...]:
    """Refuse what symmetry would add to a res file, what is occupied partially, and atoms that were not understood.

    Raises:
        InputError: the file has any of these.
    """
    rows = [row for line in text.split("\n") if (row := words_of(line))]
    keywords = [row[0].upper() for row in rows]
    centring = next((row[1] for row in rows if row[0].upper() == "LATT" and len(row) > 1), "1")
    if centring != "-1" or "SYMM" in keywords:
        raise InputError(
            "The res file lists atoms by their symmetry (LATT, SYMM), which is not applied; give all atoms and LATT -1."
        )
    begin = keywords.index("SFAC")
    elements = rows[begin][1:]
    sites = [
        row for row in rows[begin + 1 :] if len(row) >= 5 and is_integer(row[1]) and row[0].upper() not in _NO_ATOMS
    ]
    named = [elements[int(row[1]) - 1] for row in sites if 0 < int(row[1]) <= len(elements)]
    if named != atoms.get_chemical_symbols():
        raise InputError(
            f"The res file has {len(sites)} lines of atoms, of which {len(atoms)} are understood; write the elements "
            "of SFAC as their names, and plain decimal numbers."
        )
    # SHELX adds 10 to what is not refined.
    if any(len(row) > 5 and number(row[5], 1) not in (1.0, 11.0) for row in sites):
        raise InputError(f"In the res file {_SHARED}.")
    if any(len(row) > 6 and is_number(row[6]) and number(row[5], 1) == 1.0 and number(row[6], 1) for row in sites):
        return ("The numbers behind the occupancies, moments or displacements, were left out.",)
    return ()


def check_pdb(text: str, atoms: Atoms) -> tuple[str, ...]:
    """Refuse a PDB without a cell of its own, with symmetry, shared sites, or atoms whose element ASE would guess.

    Raises:
        InputError: the file has any of these.
    """
    cell = next((line for line in text.split("\n") if line.startswith("CRYST1")), "")
    if not cell or words_of(cell[6:33]) in (["1.000"] * 3, ["0.000"] * 3):
        raise InputError("The PDB has no cell (CRYST1 is missing or 1 1 1); give a file with the lattice vectors.")
    if cell[55:66].replace(" ", "") not in ("", "P1"):
        raise InputError("The PDB lists atoms by their symmetry, which is not applied; give all atoms, with P 1.")
    sites = [line for line in text.split("\n") if line.startswith(("ATOM", "HETATM"))]
    if any(not line[76:78].strip() for line in sites):
        raise InputError("The PDB does not say the elements of its atoms in columns 77 and 78.")
    if any(line[16:17].strip() or words_of(line[54:60]) not in ([], ["1.00"]) for line in sites):
        raise InputError(f"In the PDB {_SHARED}.")
    return ()


def check_vasprun(text: str, atoms: Atoms) -> tuple[str, ...]:
    """Refuse charges and moments in several directions, and take the moments that the run began with.

    Raises:
        InputError: the cell is charged, or moments are not collinear.
    """
    electrons = re.search(r'name="NELECT">\s*([\d.]+)', text)
    types = re.findall(r"<rc><c>\s*(\d+)\s*</c><c>[^<]*</c><c>[^<]*</c><c>\s*([\d.]+)\s*</c>", text)
    if electrons and types:
        check_neutral(sum(int(count) * float(valence) for count, valence in types) - float(electrons[1]))
    if re.search(r'name="LNONCOLLINEAR">\s*T', text):
        raise InputError("The moments of the vasprun.xml are not collinear; give collinear ones.")
    given = re.search(r'name="MAGMOM">([^<]*)<', text)
    moments = [number(word, 1) for word in words_of(given[1].replace("\n", " "))] if given else []
    if re.search(r'name="ISPIN">\s*2', text) and len(moments) == len(atoms):
        atoms.set_initial_magnetic_moments(moments)
        return ("The moments are those that the run of VASP began with.",)
    return ()
