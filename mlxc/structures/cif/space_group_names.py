"""The settings of space groups that a name or a number stands for, out of gemmi's table of all settings.

Imports no torch.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import gemmi

# The only origin of groups that have one is their first.
FIRST = "1"
# What stands behind a name in the ICSD, in FINDSYM and elsewhere, and what it says.
_SUFFIXES = (
    (r"\s*:\s*o?([12])$", r"\1"),
    (r"\s*:\s*([hr])$", r"\1"),
    (r"\s*\(?origin(?: choice)? ([12])\)?$", r"\1"),
    (r"\s*\(?(h)exagonal axes\)?$", r"\1"),
    (r"\s*\(?(r)hombohedral axes\)?$", r"\1"),
    (r"(?<=\d|[mc ])\s*h[rs]?$", "H"),
    (r"(?<=\d|[mc ])\s*rs?$", "R"),
    (r"\s*s$", "1"),
    (r"\s*z$", "2"),
)


def settings_of_name(name: str) -> list[list[gemmi.SpaceGroup]]:
    """The settings that a Hermann-Mauguin name may mean, those that are meant by convention first.

    The name may be short, full or old, with or without blanks, underscores and parentheses, and end with its origin or
    axes: ``F d -3 m :2``, ``Fd-3mZ``, ``R -3 m (hexagonal axes)``. A name that leaves origin or axes open has them all.
    A short monoclinic name means the unique axis b, or one of the other two where b does not fit the cell.

    Returns:
        Groups of settings; one is taken from the first group that has any that fit the cell. Empty where nothing
        has such a name.
    """
    plain = re.sub(r"(?<=\d)_(?=\d)", "", re.sub(r"\((\d)\)", r"\1", name))
    plain = " ".join(plain.replace("_", " ").split())
    if groups := _rows(name, "") or _rows(plain, ""):
        return groups
    for pattern, replacement in _SUFFIXES:
        if match := re.search(pattern, plain, re.IGNORECASE):
            code = match.expand(replacement).upper()
            if groups := _rows(plain[: match.start()], code):
                return groups
    return []


def settings_of_number(number: int) -> list[list[gemmi.SpaceGroup]]:
    """The standard setting of a space group, with each of its origins or axes; empty if there is no such number."""
    import gemmi

    reference = [row for row in gemmi.spacegroup_table() if row.number == number and row.is_reference_setting()]
    return [_with_each_origin(row) for row in reference]


def _rows(name: str, code: str) -> list[list[gemmi.SpaceGroup]]:
    """The groups of settings for a name without its origin, kept to the origin or axes with a code if one is given."""
    groups: list[list[gemmi.SpaceGroup]] = []
    for candidate in _spellings(name):
        row = _found(candidate)
        if row is not None:
            is_open = ":" not in candidate and candidate[0] not in "Hh" and candidate[-1] not in "HRhr"
            groups.append(_with_each_origin(row) if is_open else [row])
    if code:
        groups = [[row for row in group if (row.ext.strip("\0") or FIRST) == code] for group in groups]
    return [group for group in groups if group]


def _spellings(name: str) -> list[str]:
    """A name, its short form if it is a full one, and its full monoclinic forms if it is a short one."""
    words = name.split()
    spellings = [name, _short(name)]
    if len(words) == 1 and re.fullmatch(r"[A-Za-z]2?1?(/?[a-z])?", words[0]) and len(words[0]) > 1:
        words = [words[0][0], words[0][1:]]
    if len(words) == 2:
        lattice, axis = words
        spellings += [f"{lattice} 1 {axis} 1", f"{lattice} 1 1 {axis}", f"{lattice} {axis} 1 1"]
    return list(dict.fromkeys(spellings))


def _short(name: str) -> str:
    """``F 41/d -3 2/m`` as ``F d -3 m``, ``P 63/m 2/m 2/c`` as ``P 63/m m c``: axes that planes imply are left out."""
    words = name.split()
    if len(words) < 3 or ("1" in words[1:] and words[1] != "-3"):  # short already, or monoclinic
        return name
    if words[2] in ("3", "-3"):
        words[1] = re.sub(r"^[24][123]?/", "", words[1])
    return " ".join(re.sub(r"^21?/", "", word) for word in words)


def _found(name: str) -> gemmi.SpaceGroup | None:
    import gemmi

    try:
        return gemmi.find_spacegroup_by_name(name)
    except (ValueError, RuntimeError):
        return None


def _with_each_origin(row: gemmi.SpaceGroup) -> list[gemmi.SpaceGroup]:
    """The settings that differ from one in nothing but origin or axes."""
    import gemmi

    return [other for other in gemmi.spacegroup_table() if (other.number, other.hm) == (row.number, row.hm)]
