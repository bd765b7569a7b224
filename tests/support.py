"""Small structure files, and what a command leaves behind."""

from __future__ import annotations

from dataclasses import dataclass

_CIF_HEAD = """data_test
_cell_length_a 4.05
_cell_length_b 4.05
_cell_length_c 4.05
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
"""


def cif(*atoms: str) -> str:
    """A CIF of a cube of 4.05 angstrom; each atom is ``"Al 0 0 0"``, or ``"Al 0 0 0 0.5"`` with its occupancy."""
    rows = [f"{atom.split()[0]}{i} {atom}{'' if len(atom.split()) == 5 else ' 1'}" for i, atom in enumerate(atoms, 1)]
    return _CIF_HEAD + "\n".join(rows) + "\n"


def poscar(symbol: str = "Al", head: str = "fcc") -> str:
    """A POSCAR of a primitive fcc cell with a lattice constant of 4 angstrom."""
    return f"{head}\n1.0\n0 2 2\n2 0 2\n2 2 0\n{symbol}\n1\nDirect\n0 0 0\n"


def extxyz(symbol: str = "Al", lattice: str | None = "0 2 2 2 0 2 2 2 0") -> str:
    """One atom in extended XYZ, in a primitive fcc cell or without a cell."""
    comment = "a molecule" if lattice is None else f'Lattice="{lattice}" Properties=species:S:1:pos:R:3 pbc="T T T"'
    return f"1\n{comment}\n{symbol} 0 0 0\n"


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    stdout: str
    stderr: str
