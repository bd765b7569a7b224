"""The element of an atom site, by its type symbol or its label. Imports no torch.

A label is a name and not an element: OH, Wat1 and T1 begin like elements and are none. A label counts where nothing
else can be meant, or where the formula of the file leaves no other choice.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from mlxc.crystal.elements import atomic_number
from mlxc.errors import InputError
from mlxc.structures.cif.document import shortened

DEUTERIUM = ("D",)

# Fe, Fe3+, Fe+3, Fe2.5+, O-2, O2-, Na1+, Si0, FE, fe, 57Fe, Fe(III)
_TYPE = re.compile(
    r"\d{0,3}([A-Z][a-z]?|[A-Z]{2}|[a-z]{1,2})"
    r"(?:\d*\.?\d*[+-]|[+-]\d+\.?\d*|0[+-]?|\d*\.\d+|\d+|\((?:0|I{1,3}|I?V|VI{1,2})\))?"
)
# Groups of atoms that read like an element in capitals.
_GROUPS = ("CO", "NO", "CN", "HO", "NH")
# What may stand behind the element in a label: no letter, then anything.
_CLEAN_END = re.compile(r"(?:[^A-Za-z].*)?")
TYPE_TAG = "_atom_site_type_symbol"


def is_element(symbol: str) -> bool:
    """Whether this is the symbol of an element."""
    try:
        atomic_number(symbol)
    except InputError:
        return False
    return True


def element_of_type(symbol: str, formula: Collection[str] | None) -> str:
    """The element of a type symbol such as ``Fe``, ``Fe3+``, ``O-2``, ``SI`` or ``D``, which is hydrogen.

    Args:
        symbol: the type symbol.
        formula: the elements of the file's formula, if it has one.

    Raises:
        InputError: it is none, or may be a group of atoms.
    """
    match = _TYPE.fullmatch(symbol.replace("'", ""))
    element = match[1].capitalize() if match else ""
    if element in DEUTERIUM:
        return "H"
    is_group = match is not None and match[1] in _GROUPS and element not in (formula or ())
    if is_group or not is_element(element):
        raise InputError(f"'{shortened(symbol)}' is not a chemical element; {TYPE_TAG} of the CIF must be one.")
    return element


def element_of_label(label: str, formula: Collection[str] | None) -> str:
    """The element that the label of a site begins with.

    Args:
        label: such as ``Ca1``, ``CA1``, ``O1W``, ``Hg(1)``.
        formula: the elements of the file's formula, if it has one.

    Raises:
        InputError: it begins with none, or several elements may be meant.
    """
    possible = _possible(label, formula)
    if len(possible) == 1:
        return possible[0]
    if not possible:
        raise InputError(f"The label '{shortened(label)}' of a site names no element for sure; give {TYPE_TAG}.")
    raise InputError(
        f"The label '{shortened(label)}' of a site may mean {' or '.join(possible)}; say which in {TYPE_TAG}."
    )


def _possible(label: str, formula: Collection[str] | None) -> list[str]:
    """The elements that a label may mean."""
    letters = re.match(r"[A-Za-z]*", label)
    first = letters[0] if letters else ""
    two, one = first[:2].capitalize(), first[:1].upper()
    rest = label[len(first) :]
    if formula is not None:
        found = [element for element in dict.fromkeys((two, one)) if _as_hydrogen(element) in formula]
        if len(found) == 2 and first[1].islower():  # Co1 is cobalt, also where there are carbon and oxygen
            found = found[:1]
        return [_as_hydrogen(element) for element in found]
    if not _CLEAN_END.fullmatch(rest):
        return []
    if len(first) > 2:  # CaM2 is calcium on a site M2; Wat is no tungsten
        return [two] if re.fullmatch(r"[A-Z][a-z][A-Z]+", first) and is_element(two) else []
    candidates = (one,) if len(first) == 1 else (two,) if first[:1].isupper() and first[1:].islower() else (two, one)
    found = [_as_hydrogen(element) for element in candidates if is_element(_as_hydrogen(element))]
    if len(first) == 2 and found == [one]:  # OH and OW are groups, OA may be one
        return []
    return found


def _as_hydrogen(element: str) -> str:
    return "H" if element in DEUTERIUM else element
