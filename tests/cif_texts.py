"""Texts of CIFs for tests, made of a cell, a symmetry and rows of atoms."""

from __future__ import annotations

from collections import Counter

from mlxc.structures.formats.cif import read_cif
from mlxc.structures.reading import Reading

CUBIC = "90 90 90"
SITE = "label type_symbol fract_x fract_y fract_z"


def cif_text(cell: str, symmetry: str, *atoms: str, columns: str = SITE, more: str = "", block: str = "test") -> str:
    """A CIF with a cell ``a b c alpha beta gamma``, lines of symmetry, further lines, and a row for each atom."""
    tags = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    lines = [f"data_{block}", *(f"_cell_{tag} {value}" for tag, value in zip(tags, cell.split(), strict=True))]
    lines += [symmetry, more, "loop_", *(f"_atom_site_{column}" for column in columns.split()), *atoms]
    return "\n".join(lines) + "\n"


def cube(length: float) -> str:
    """The cell of a cube."""
    return f"{length} {length} {length} {CUBIC}"


def name(symbol: str) -> str:
    """A Hermann-Mauguin name as a line of a CIF."""
    return f"_space_group_name_H-M_alt '{symbol}'"


def formula(text: str, units: int | None = None) -> str:
    """A sum formula as a line of a CIF, and one for the number of formula units."""
    return f"_chemical_formula_sum '{text}'" + (f"\n_cell_formula_units_Z {units}" if units else "")


def operations(*texts: str, tag: str = "_space_group_symop_operation_xyz") -> str:
    """A list of operations as lines of a CIF."""
    return "\n".join(["loop_", tag, *(f"'{text}'" for text in texts)])


def read(text: str, block: str | None = None) -> Reading:
    """What is read of a text."""
    return read_cif(text, "test", block)


def atoms(text: str) -> dict[str, int]:
    """How many atoms of each element are read of a text."""
    return dict(Counter(read(text).crystal.species))
