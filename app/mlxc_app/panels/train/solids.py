"""Which solids a functional learns from, which validate and which test: three lists, each solid in one at most."""

from __future__ import annotations

from dataclasses import dataclass

from traitlets import Dict, HasTraits, Unicode

from mlxc.references.tables import measured_solids
from mlxc.training.config import MOVED

TRAINING, VALIDATION, TEST = "training", "validation", "test"
LISTS = (TRAINING, VALIDATION, TEST)


@dataclass(frozen=True)
class Tile:
    """A solid in the picture of the set.

    Attributes:
        name: Its name in the table of solids.
        label: Its formula.
        row: The row of its tile, counted from 1.
        column: The column of its tile.
        meaning: What it is, and what is known of it.
    """

    name: str
    label: str
    row: int
    column: int
    meaning: str


# As in the periodic table, without the columns in which there is nothing; compounds stand beside it.
_ELEMENTS = (
    "Li_bcc - - - - - - C_diamond",
    "Na_bcc - - - - - Al_fcc Si_diamond",
    "K_bcc Ca_fcc V_bcc - Ni_fcc Cu_fcc - Ge_diamond",
    "- Sr_fcc Nb_bcc - Pd_fcc Ag_fcc - -",
    "- - - W_bcc - - - -",
)
_COMPOUNDS = (
    "LiF_b1 LiCl_b1 NaCl_b1",
    "MgO_b1 TiC_b1 FeAl_b2",
    "BN_b3 SiC_b3 AlP_b3",
    "AlAs_b3 GaP_b3 GaAs_b3",
)
_STRUCTURES = {
    "fcc": "fcc metal", "bcc": "bcc metal", "diamond": "diamond structure", "b1": "rock salt", "b2": "CsCl structure",
    "b3": "zinc blende",
}  # fmt: skip
_WITH_TWO_ATOMS = ("diamond", "b1", "b2", "b3")

PRESETS: dict[str, dict[str, tuple[str, ...]]] = {
    "four solids": {
        TRAINING: ("Si_diamond", "Al_fcc", "V_bcc", "NaCl_b1"),
        TEST: ("Cu_fcc", "C_diamond", "MgO_b1", "GaAs_b3"),
    },
    "three metals": {TRAINING: ("Al_fcc", "Cu_fcc", "Na_bcc"), TEST: ("Ag_fcc", "Li_bcc", "Ca_fcc", "Si_diamond")},
    "eight solids": {
        TRAINING: ("K_bcc", "Ca_fcc", "Al_fcc", "V_bcc", "Pd_fcc", "Si_diamond", "NaCl_b1", "GaAs_b3"),
        VALIDATION: ("Na_bcc", "W_bcc", "MgO_b1", "C_diamond", "AlP_b3", "Cu_fcc"),
        TEST: ("Li_bcc", "Ag_fcc", "LiF_b1", "SiC_b3", "Ge_diamond"),
    },
}
FIRST_PRESET = "four solids"


def tiles() -> list[Tile]:
    """All solids, where they stand in the picture."""
    known = measured_solids()
    rows = ((_ELEMENTS, 1), (_COMPOUNDS, 10))
    return [
        Tile(name, formula_of(name), row, column, _meaning(name, known[name]))
        for lines, first in rows
        for row, line in enumerate(lines, start=1)
        for column, name in enumerate(line.split(), start=first)
        if name != "-"
    ]


def formula_of(name: str) -> str:
    """The formula of a solid, which is there in one structure only, and whether an atom is out of its place."""
    formula = name.split("_")[0]
    return f"{formula}, moved" if name.endswith(MOVED) else formula


def can_have_forces(name: str) -> bool:
    """Whether a solid of the picture has two atoms in its cell, one of which can be moved."""
    return name.split("_")[1] in _WITH_TWO_ATOMS


def _meaning(name: str, known: dict[str, float]) -> str:
    told = [f"a₀ = {known['lattice_constant_ang']:g} Å"]
    if "bulk_modulus_gpa" in known:
        told.append(f"B₀ = {known['bulk_modulus_gpa']:g} GPa")
    if "cohesive_energy_ev" in known:
        told.append(f"cohesive energy {known['cohesive_energy_ev']:.3g} eV per atom")
    if "gap_ev" in known:
        told.append(f"gap {known['gap_ev']:g} eV")
    if "magnetisation_bohr_magneton" in known:
        told.append(f"moment {known['magnetisation_bohr_magneton']:g} μB")
    return f"{formula_of(name)}, {_STRUCTURES[name.split('_')[1]]}: measured {', '.join(told)}"


class SolidLists(HasTraits):
    """Three lists that a person fills by clicking.

    Attributes:
        filled: The list that a click fills.
        lists: The list of each solid that is in one.
    """

    filled = Unicode(TRAINING)
    lists = Dict()

    def __init__(self) -> None:
        super().__init__()
        self.take(PRESETS[FIRST_PRESET])

    def names(self, which: str) -> list[str]:
        """The solids of a list, in the order in which they came."""
        return [name for name, its in self.lists.items() if its == which]

    def click(self, name: str) -> None:
        """Put a solid into the list that is being filled; take it out if it is there."""
        others = {other: its for other, its in self.lists.items() if other != name}
        self.lists = others if self.lists.get(name) == self.filled else {**others, name: self.filled}

    def take(self, preset: dict[str, tuple[str, ...]]) -> None:
        """Take the lists of a preset, or of a training."""
        self.lists = {name: which for which, names in preset.items() for name in names}
