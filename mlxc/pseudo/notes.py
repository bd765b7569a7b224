"""What a person should know of the pseudopotentials that a calculation takes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mlxc.pseudo.files.radial import has_noisy_tail
from mlxc.pseudo.gth_table import GTH_FAMILIES, MADE_FOR, GTHParameters
from mlxc.pseudo.library import PseudopotentialData, find_pseudopotentials, named_family, without_pseudodojo
from mlxc.pseudo.made_for import IN_WORDS, LDA, PBE, made_for, made_for_in_file
from mlxc.pseudo.pseudodojo import PSEUDODOJO_FAMILIES, TABLES, pseudodojo_elements


def pseudopotential_note(species: Iterable[str], family: str, names: Mapping[str, str], xc: str) -> str:
    """Say that other pseudopotentials are taken than one would expect, that they are made for another functional, or
    that there is noise in a file.

    Args:
        species: The elements of the crystal.
        family: The family of the pseudopotentials, or a folder.
        names: Their names in the family by element, where the default is not wanted.
        xc: The name of the functional.

    Returns:
        one or two sentences; empty where there is nothing to say.

    Raises:
        InputError: there is no such pseudopotential.
    """
    elements = tuple(dict.fromkeys(species))
    other = _fallback(elements, family, xc) or _other_functional(elements, family, names, xc)
    return " ".join(filter(None, [other, _noise(elements, family, names, xc)]))


def _fallback(elements: tuple[str, ...], family: str, xc: str) -> str:
    table = named_family(family, elements, xc)
    if family in GTH_FAMILIES and (missing := without_pseudodojo(elements)):
        return (
            f"PseudoDojo has no pseudopotential of {' and '.join(missing)}; "
            f"those of Goedecker, Teter and Hutter ({table}) are taken for all elements."
        )
    if family in PSEUDODOJO_FAMILIES and family not in TABLES and TABLES[table][0] != made_for(xc):
        wanted = made_for(xc)
        own = pseudodojo_elements(table.replace(TABLES[table][0], wanted))
        missing = [symbol for symbol in elements if symbol not in own]
        return (
            f"PseudoDojo's table for {IN_WORDS[wanted]} has no {' and '.join(missing)}; "
            f"the pseudopotentials of all elements are those for {IN_WORDS[TABLES[table][0]]}."
        )
    return ""


def _other_functional(elements: tuple[str, ...], family: str, names: Mapping[str, str], xc: str) -> str:
    found = find_pseudopotentials(elements, family, xc, dict(names))
    table, wanted = named_family(family, elements, xc), made_for(xc)
    others = {symbol: other for symbol, entry in found.items() if (other := _made_for_another(entry, table, xc))}
    if not others:
        return ""
    first = next(iter(others.values()))
    alike = " and ".join(symbol for symbol, other in others.items() if other == first)
    one = len([other for other in others.values() if other == first]) == 1
    return (
        f"The pseudopotential{'' if one else 's'} of {alike} {'is' if one else 'are'} made for {first}, "
        f"while those that suit {xc} are made for {IN_WORDS[wanted]}."
    )


def _noise(elements: tuple[str, ...], family: str, names: Mapping[str, str], xc: str) -> str:
    found = find_pseudopotentials(elements, family, xc, dict(names))
    files = {symbol: entry for symbol, entry in found.items() if not isinstance(entry, GTHParameters)}
    noisy = " and ".join(symbol for symbol, file in files.items() if has_noisy_tail(file))
    if not noisy:
        return ""
    return (
        f"Far from the ion there is noise in the local potential that the file of {noisy} holds: volumes may be off by "
        "up to two percent."
    )


def _made_for_another(entry: PseudopotentialData, table: str, xc: str) -> str:
    """The functional that a pseudopotential is made for, if it is not the one that is wanted."""
    if isinstance(entry, GTHParameters):
        # There is none for PBEsol.
        suitable = LDA if made_for(xc) == LDA else PBE
        return "" if MADE_FOR[table] == suitable else IN_WORDS[MADE_FOR[table]]
    kind = made_for_in_file(entry.functional)
    if not entry.functional or kind == made_for(xc) or entry.functional.lower() == xc.lower():
        return ""
    return entry.functional if kind is None else IN_WORDS[kind]
