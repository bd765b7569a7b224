"""The symmetry of a CIF: its operations, its Hall symbol, its Hermann-Mauguin name and its number, held together.

Operations that are listed win over a Hall symbol, this over a name, and a name over a number. Imports no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlxc.errors import InputError
from mlxc.structures.cif.document import Block, shortened
from mlxc.structures.cif.operations import Operations, as_group, from_gemmi, from_texts, translations_only
from mlxc.structures.cif.space_group_names import settings_of_name, settings_of_number

if TYPE_CHECKING:
    import gemmi

LISTED = (
    "_space_group_symop_operation_xyz",
    "_symmetry_equiv_pos_as_xyz",
    "_space_group_symop_xyz",
    "_symmetry_equiv_as_xyz",
)
HALL = ("_space_group_name_Hall", "_symmetry_space_group_name_Hall")
NAMES = (
    "_space_group_name_H-M_alt",
    "_symmetry_space_group_name_H-M",
    "_space_group_name_H-M_full",
    "_space_group_name_H-M",
    "_space_group_name_H-M_ref",
)
NUMBERS = ("_space_group_IT_number", "_symmetry_Int_Tables_number")
CODES = ("_space_group_IT_coordinate_system_code", "_space_group_IT_setting")
GROUPS = 230
_SPEAK_OF_SYMMETRY, _MAGNETIC = ("_symmetry_", "_space_group_"), "_space_group_magn"


@dataclass(frozen=True)
class Setting:
    """A space group in one setting.

    Attributes:
        operations: All its operations.
        title: What it is called in sentences.
    """

    operations: Operations
    title: str


@dataclass(frozen=True)
class Symmetry:
    """What a CIF says about its symmetry.

    Attributes:
        settings: The settings that it may mean: one, or several where origin or axes are left open.
        notes: What to tell.
        number: The number of the space group that is named, where operations of another one are listed.
    """

    settings: tuple[Setting, ...]
    notes: tuple[str, ...] = ()
    number: int | None = None


def symmetry_of(block: Block, lattice: NDArray[np.float64]) -> Symmetry:
    """What a block of a CIF says about its symmetry.

    Args:
        block: the block.
        lattice: the lattice vectors in rows, angstrom.

    Raises:
        InputError: operations, name, number and cell contradict each other, or one of them is not understood.
    """
    listed = block.column(*LISTED)
    if listed is None or listed == (None,):
        return _by_name(block, lattice)
    tag = next(tag for tag in LISTED if block.column(tag) is not None)
    operations = as_group(from_texts(listed, tag), tag)
    if (operations.reversals < 0).any():
        raise InputError(f"{tag} of the CIF reverses time, which operations of a magnetic group alone do.")
    if not operations.keep(lattice):
        raise InputError(f"The operations of the CIF in {tag} do not fit its cell, which has another symmetry.")
    return _beside_names(block, lattice, Setting(operations, "the operations listed"))


def number_of(operations: Operations, lattice: NDArray[np.float64]) -> int | None:
    """The number of the space group that operations are, 1 to 230, whatever their setting; None if none is found."""
    import spglib

    found = spglib.get_spacegroup_type_from_symmetry(
        operations.rotations, operations.translations, np.ascontiguousarray(lattice), symprec=1e-3
    )
    return None if found is None else int(found.number)


def _by_name(block: Block, lattice: NDArray[np.float64]) -> Symmetry:
    """The symmetry where no operations are listed."""
    named = _named_settings(block)
    if named is None:
        if any(tag.startswith(_SPEAK_OF_SYMMETRY) and not tag.startswith(_MAGNETIC) for tag in block.columns):
            raise InputError("The symmetry of the CIF is not known; give operations, or _space_group_name_H-M_alt.")
        note = "No symmetry is given, and the atoms listed are taken for all atoms in the cell."
        return Symmetry((Setting(translations_only(), "P 1"),), notes=(note,))
    title, groups, notes = named
    for group in groups:
        if fitting := tuple(setting for setting in group if setting.operations.keep(lattice)):
            return Symmetry(fitting, notes=notes)
    raise InputError(f"The space group {title} of the CIF does not fit its cell, which has another symmetry.")


def _beside_names(block: Block, lattice: NDArray[np.float64], listed: Setting) -> Symmetry:
    """The symmetry of operations that are listed, held against name, Hall symbol and number."""
    try:
        named = _named_settings(block)
    except _UnknownNameError as error:
        return Symmetry((listed,), notes=(f"{error} The operations listed are taken.",))
    number = number_of(listed.operations, lattice)
    if named is None or number is None:
        return Symmetry((listed,))
    title, groups, _ = named
    everything = [setting for group in groups for setting in group]
    numbers = [number_of(setting.operations, lattice) for setting in everything]
    if number not in numbers:
        return Symmetry((listed,), number=numbers[0])
    if any(setting.operations.same_as(listed.operations) for setting in everything):
        return Symmetry((listed,))
    return Symmetry((listed,), (f"The operations listed are taken, which are of another setting than {title}.",))


class _UnknownNameError(InputError):
    """Nobody knows a space group of this name."""


_Named = tuple[str, list[list[Setting]], tuple[str, ...]]


def _named_settings(block: Block) -> _Named | None:
    """What Hall symbol, name and number say together: a title, groups of settings as for a name, and notes."""
    hall, name, number = block.text(*HALL), _name(block), _number(block)
    rows: list[list[gemmi.SpaceGroup]] = []
    if name is not None:
        rows = settings_of_name(name)
        if not rows and hall is None:
            raise _UnknownNameError(f"Nothing is known of a space group '{shortened(name)}'.")
        if rows and number is not None and all(row.number != number for group in rows for row in group):
            raise InputError(
                f"The CIF names the space group {shortened(name)}, number {rows[0][0].number}, and the number {number}."
            )
    elif number is not None:
        rows = settings_of_number(number)
    if hall is not None:
        return _of_hall(hall, rows, name)
    if not rows:
        return None
    notes = () if name else (f"The setting is the standard one of space group {number}, since no other is named.",)
    title = f"{shortened(name)} ({rows[0][0].number})" if name else f"number {number}"
    groups = [[_setting(row) for row in group] for group in _with_code(block, rows)]
    return title, groups, notes


def _of_hall(hall: str, rows: list[list[gemmi.SpaceGroup]], name: str | None) -> _Named:
    """The one setting of a Hall symbol, which must be that of the name or the number beside it, if there is one."""
    import gemmi

    try:
        group = gemmi.symops_from_hall(hall)
    except (ValueError, RuntimeError):
        raise _UnknownNameError(f"Nothing is known of a Hall symbol '{shortened(hall)}'.") from None
    setting = Setting(from_gemmi(group), hall)
    number = number_of(setting.operations, np.eye(3))
    beside = [row for group in rows for row in group]
    if beside and number is not None and all(row.number != number for row in beside):
        named = name or beside[0].number
        raise InputError(f"The Hall symbol {hall} of the CIF is of space group {number}, but it says {named}.")
    if name and beside and not any(_setting(row).operations.same_as(setting.operations) for row in beside):
        raise InputError(f"The Hall symbol {hall} of the CIF is of another setting than the name {shortened(name)}.")
    return hall, [[setting]], ()


def _name(block: Block) -> str | None:
    """The Hermann-Mauguin name, if one is given.

    Raises:
        InputError: several are, of different groups.
    """
    names = [name for tag in NAMES if (name := block.text(tag)) is not None]
    known = {rows[0][0].number: name for name in names if (rows := settings_of_name(name))}
    if len(known) > 1:
        raise InputError(f"The CIF gives several names of its space group, {' and '.join(known.values())}.")
    return names[0] if names else None


def _number(block: Block) -> int | None:
    """The number of the space group, if one is given.

    Raises:
        InputError: there is no such number, or two tags give different ones.
    """
    given = {value for tag in NUMBERS if (value := block.number(tag)) is not None}
    if not given:
        return None
    if len(given) > 1:
        raise InputError(f"The CIF gives two numbers of its space group, {' and '.join(f'{v:g}' for v in given)}.")
    value = given.pop()
    if value not in range(1, GROUPS + 1):
        raise InputError(f"The number of the CIF's space group must be from 1 to {GROUPS}, not {value:g}.")
    return int(value)


def _with_code(block: Block, groups: list[list[gemmi.SpaceGroup]]) -> list[list[gemmi.SpaceGroup]]:
    """The settings that the code of origin, axes or cell in the file leaves, such as ``2``, ``h`` or ``b1``."""
    code = (block.text(*CODES) or "").lower()
    kept = [[row for row in group if code in (row.ext.lower(), row.qualifier.lower())] for group in groups]
    return [group for group in kept if group] or groups if code else groups


def _setting(row: gemmi.SpaceGroup) -> Setting:
    return Setting(from_gemmi(row.operations()), row.xhm())
