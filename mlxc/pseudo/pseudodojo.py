"""PseudoDojo's tables of norm-conserving pseudopotentials, version 0.4, as they are shipped. Imports no torch.

Each table is a zip archive of UPF files, one for each element, of which one is read at a time. The tables: M. J. van
Setten et al., Comput. Phys. Commun. 226, 39 (2018); ``assets/pseudopotentials/README.md`` says where they come from.
"""

from __future__ import annotations

import json
import zipfile
from functools import cache, lru_cache

from mlxc.pseudo.files.radial import RadialPseudopotential
from mlxc.pseudo.files.reading import parse_pseudopotential
from mlxc.pseudo.made_for import IN_WORDS, LDA, PBE, PBESOL, made_for
from mlxc.utils.assets import asset_path

PSEUDODOJO, STRINGENT = "pseudodojo", "-stringent"
VERSION = "0.4"
# The table of each family that names one, with what it is made for and how accurate it is.
TABLES = {
    f"{PSEUDODOJO}-{functional}{suffix}": (functional, accuracy)
    for functional in (PBE, LDA, PBESOL)
    for suffix, accuracy in (("", "standard"), (STRINGENT, "stringent"))
}
# Families that leave it to the functional which table is meant come first.
PSEUDODOJO_FAMILIES = (PSEUDODOJO, PSEUDODOJO + STRINGENT, *TABLES)


def pseudodojo_table(family: str, species: tuple[str, ...], xc: str) -> str:
    """The family that names the table which another one means for a crystal and a functional.

    Without a name of its own it is the table that is made for the functional, if that has all elements of the crystal,
    and else PBE's, which has the most.

    Args:
        family: One of ``PSEUDODOJO_FAMILIES``.
        species: The elements of the crystal.
        xc: The name of the functional.
    """
    if family in TABLES:
        return family
    suffix = family.removeprefix(PSEUDODOJO)
    own = f"{PSEUDODOJO}-{made_for(xc)}{suffix}"
    return own if set(species) <= pseudodojo_elements(own) else f"{PSEUDODOJO}-{PBE}{suffix}"


@cache
def pseudodojo_elements(table: str) -> frozenset[str]:
    """The elements of a table."""
    with _archive(table) as archive:
        return frozenset(name.removesuffix(".upf") for name in archive.namelist())


def pseudodojo_content(table: str, symbol: str) -> bytes:
    """The UPF file of an element that the table has."""
    with _archive(table) as archive:
        return archive.read(f"{symbol}.upf")


@lru_cache(maxsize=128)
def read_pseudodojo(table: str, symbol: str) -> RadialPseudopotential:
    """The pseudopotential of an element that the table has; one object, so that what is derived from it can be kept."""
    return parse_pseudopotential(pseudodojo_content(table, symbol), f"{symbol}.upf", symbol)


def pseudodojo_cutoffs(table: str) -> dict[str, dict[str, float]]:
    """Plane-wave cutoffs that PseudoDojo recommends, hartree, by element: ``low``, ``normal`` and ``high``."""
    functional, accuracy = TABLES[table]
    return _cutoffs()[f"{functional}-{accuracy}"]


def pseudodojo_in_words(family: str) -> str:
    """What a person reads of a family."""
    if family in TABLES:
        functional, accuracy = TABLES[family]
        return f"PseudoDojo {VERSION} for {IN_WORDS[functional]}, {accuracy}"
    return f"PseudoDojo {VERSION}, as the functional wants" + (", stringent" if family.endswith(STRINGENT) else "")


@cache
def _cutoffs() -> dict[str, dict[str, dict[str, float]]]:
    path = asset_path("pseudopotentials", "pseudodojo", "cutoffs.json")
    cutoffs: dict[str, dict[str, dict[str, float]]] = json.loads(path.read_text(encoding="utf-8"))["cutoffs"]
    return cutoffs


def _archive(table: str) -> zipfile.ZipFile:
    functional, accuracy = TABLES[table]
    return zipfile.ZipFile(asset_path("pseudopotentials", "pseudodojo", f"{functional}-{accuracy}.zip"))
