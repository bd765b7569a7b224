"""Reading a CIF, the magnetic one included. Imports no torch."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.structures.cif.agreement import density_note, multiplicity_note
from mlxc.structures.cif.atoms import Atoms, atoms_of
from mlxc.structures.cif.cell import check_angles, check_volume, lattice_of
from mlxc.structures.cif.document import Block, blocks_of, shortened
from mlxc.structures.cif.formula import UNITS, Formula, formula_of
from mlxc.structures.cif.moments import (
    has_moments,
    magnetic_operations,
    moments_of,
    refuse_modulated,
    without_magnetic_operations,
)
from mlxc.structures.cif.sites import POSITIONS, Site, sites_of
from mlxc.structures.cif.space_group import Setting, Symmetry, symmetry_of
from mlxc.structures.reading import Reading
from mlxc.units import BOHR_ANG


def read_cif(text: str, name: str, block: str | None = None) -> Reading:
    """The crystal in the text of a CIF.

    Operations that are listed win over a Hall symbol, a Hermann-Mauguin name and a number, and all that the file says
    must agree: operations, name, number and cell; the atoms, the sum formula and the number of formula units.

    Args:
        text: The content of the file.
        name: How the crystal is called.
        block: The name of the data block; by default the last one that holds a structure.

    Raises:
        InputError: the text is no CIF, does not say enough, or what it says contradicts itself.
    """
    blocks = blocks_of(text)
    structures = [one for one in blocks if one.has("_cell_length_") and any(one.has(tag) for tag in POSITIONS)]
    chosen = _chosen(blocks, structures, block)
    crystal, notes = _crystal(chosen, name)
    if len(structures) < 2:
        return Reading(crystal, "CIF", notes=tuple(notes))
    if block is None:
        names = ", ".join(one.name for one in structures)
        notes = [f"The CIF has {len(structures)} structures ({shortened(names)}); {chosen.name} is taken.", *notes]
    return Reading(crystal, "CIF", chosen.name, tuple(notes))


def _chosen(blocks: list[Block], structures: list[Block], name: str | None) -> Block:
    """The block of that name, else the last one with a structure."""
    if name is not None:
        named = [one for one in blocks if one.name.lower() == name.lower()]
        if len(named) != 1:
            names = ", ".join(one.name for one in blocks)
            raise InputError(f"The CIF has {len(named)} data blocks '{name}'; it has the blocks {shortened(names)}.")
        return named[0]
    if structures:
        return structures[-1]
    if not any(one.has("_cell_length_") for one in blocks):
        raise InputError("The file cannot be read as a CIF of a crystal: it gives no cell (_cell_length_a).")
    raise InputError("The CIF lists no atoms.")


def _crystal(block: Block, name: str) -> tuple[Crystal, list[str]]:
    """The crystal of one block, and what to tell of it."""
    refuse_modulated(block)
    lattice = lattice_of(block)
    formula = formula_of(block)
    sites, site_notes = sites_of(block, lattice, None if formula is None else formula.counts.keys())
    magnetic = magnetic_operations(block, lattice)
    if magnetic is None:
        symmetry = symmetry_of(block, lattice)
    else:
        symmetry = Symmetry((Setting(magnetic, "the magnetic operations"),))
        formula = None if formula is None else replace(formula, units=None)  # Z is of the parent's cell
    setting, atoms, setting_notes = _expanded(symmetry, sites, formula, lattice)
    moments = None
    if has_moments(block):
        operations = setting.operations if magnetic is not None else without_magnetic_operations(setting.operations)
        moments = moments_of(block, sites, atoms, operations, lattice)
    told = [
        check_volume(block, lattice),
        *symmetry.notes,
        check_angles(block, setting.operations),
        multiplicity_note(sites, atoms, setting.operations),
        density_note(block, atoms, lattice),
    ]
    notes = [*(note for note in told if note is not None), *setting_notes, *site_notes, *atoms.notes]
    return Crystal(lattice / BOHR_ANG, atoms.elements, atoms.positions, moments, name), notes


def _expanded(
    symmetry: Symmetry, sites: list[Site], formula: Formula | None, lattice: NDArray[np.float64]
) -> tuple[Setting, Atoms, list[str]]:
    """The setting that everything else in the file agrees with, the atoms that it makes of the sites, and what to tell.

    Raises:
        InputError: there is no such setting, or there are several, with different atoms.
    """
    possible: list[tuple[Setting, Atoms]] = []
    failures: list[InputError] = []
    for setting in symmetry.settings:
        try:
            atoms = atoms_of(sites, setting.operations, lattice)
            if formula is not None:
                formula.check(atoms.elements)
        except InputError as error:
            failures.append(error)
        else:
            possible.append((setting, atoms))
    if not possible:
        raise failures[0]
    if symmetry.number is not None:
        _require_symmetry(symmetry.number, possible[0][1], lattice)
    if len(possible) > 1:
        possible = [entry for entry in possible if not entry[1].overlap(lattice)] or possible
        possible = _with_multiplicities(possible, sites)
    if any(not first[1].same_as(second[1], lattice) for first, second in combinations(possible, 2)):
        raise _open_setting(possible)
    setting, atoms = possible[0]
    notes = [f"The space group is taken as {setting.title}."] if len(symmetry.settings) > 1 else []
    return setting, atoms, notes


def _require_symmetry(number: int, atoms: Atoms, lattice: NDArray[np.float64]) -> None:
    """Let operations of another group than the one named pass where the atoms that they make have the symmetry named.

    So it is where a file lists all atoms in the cell, the identity, and what the symmetry of the crystal is.

    Raises:
        InputError: they have another one.
    """
    found = atoms.number(lattice)
    if found != number:
        raise InputError(
            f"The CIF names space group {number}, but the operations that it lists make a crystal of group {found}."
        )


def _with_multiplicities(possible: list[tuple[Setting, Atoms]], sites: list[Site]) -> list[tuple[Setting, Atoms]]:
    """The settings that make as many atoms of each site as the file says, if it says so and there are any."""
    stated = [site.multiplicity for site in sites]
    agreeing = [entry for entry in possible if entry[1].multiplicities() == stated]
    return agreeing or possible


def _open_setting(possible: list[tuple[Setting, Atoms]]) -> InputError:
    choices = " or ".join(f"'{setting.title}' with {len(atoms.elements)} atoms" for setting, atoms in possible)
    return InputError(
        f"The CIF does not say which origin or axes its space group has: {choices}; write its name so, "
        f"or give the operations or {UNITS} with the formula."
    )
