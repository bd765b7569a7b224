"""Finding pseudopotentials by family and name. Imports no torch, so that a page can check a choice at once."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from mlxc.crystal.elements import atomic_number
from mlxc.errors import InputError
from mlxc.pseudo.files.folder import file_in_folder
from mlxc.pseudo.files.radial import RadialPseudopotential
from mlxc.pseudo.files.reading import file_content, read_pseudopotential
from mlxc.pseudo.gth_table import GTH_FAMILIES, GTH_TABLES, GTHParameters, find_gth, gth_elements, gth_table
from mlxc.pseudo.pseudodojo import (
    PSEUDODOJO,
    PSEUDODOJO_FAMILIES,
    TABLES,
    pseudodojo_content,
    pseudodojo_elements,
    pseudodojo_in_words,
    pseudodojo_table,
    read_pseudodojo,
)

# The families by name, and what a person reads of each.
FAMILIES = {family: pseudodojo_in_words(family) for family in PSEUDODOJO_FAMILIES} | {
    "gth": "GTH, as the functional wants",
    "gth-pbe": "GTH for PBE",
    "gth-pade": "GTH for LDA (Padé)",
    "gth-uzh": "GTH of Zurich (UZH)",
}
DEFAULT_FALLBACK = "gth"
# Names a folder with the user's own files.
FOLDER_VARIABLE = "MLXC_PSEUDO_DIR"

PseudopotentialData = GTHParameters | RadialPseudopotential


def users_folder() -> Path | None:
    """The folder with the user's own files that ``MLXC_PSEUDO_DIR`` names; None if there is none."""
    value = os.environ.get(FOLDER_VARIABLE)
    return Path(value).expanduser() if value else None


def default_family(species: tuple[str, ...]) -> str:
    """The family for a crystal when nobody has chosen one.

    The user's folder (environment variable ``MLXC_PSEUDO_DIR``) if it has all elements; else PseudoDojo, if all its
    files are shipped or in that folder; else the GTH tables, which know most elements but are hard for many.
    """
    folder = users_folder()
    if folder is not None and all(file_in_folder(folder, symbol) is not None for symbol in set(species)):
        return str(folder)
    return DEFAULT_FALLBACK if without_pseudodojo(species) else PSEUDODOJO


def without_pseudodojo(species: tuple[str, ...]) -> list[str]:
    """The elements of which neither PseudoDojo nor the user's folder has a pseudopotential, in their order."""
    folder, known = users_folder(), pseudodojo_elements(pseudodojo_table(PSEUDODOJO, (), "pbe"))
    missing = [symbol for symbol in dict.fromkeys(species) if symbol not in known]
    return [symbol for symbol in missing if folder is None or file_in_folder(folder, symbol) is None]


def families_with(species: tuple[str, ...]) -> list[str]:
    """The families that have a pseudopotential for each of these elements, the user's folder among them."""
    folder = users_folder()
    families = list(FAMILIES) if folder is None else [str(folder), *FAMILIES]
    return [family for family in families if all(_has(family, symbol) for symbol in set(species))]


def _has(family: str, symbol: str) -> bool:
    if family in PSEUDODOJO_FAMILIES and symbol in pseudodojo_elements(pseudodojo_table(family, (symbol,), "pbe")):
        return True
    if family in GTH_FAMILIES:
        return symbol in gth_elements(gth_table(family, "pbe"))
    try:
        find_pseudopotential(symbol, family, "pbe")
    except InputError:
        return False
    return True


def named_family(family: str, species: tuple[str, ...], xc: str) -> str:
    """The table that a family means for a crystal and a functional; a folder is itself.

    Args:
        family: One of ``FAMILIES``, or a folder.
        species: The elements of the crystal.
        xc: The name of the functional.
    """
    if family in PSEUDODOJO_FAMILIES:
        return pseudodojo_table(family, tuple(s for s in species if s not in without_pseudodojo(species)), xc)
    return gth_table(family, xc) if family in GTH_FAMILIES else family


def find_pseudopotentials(
    species: tuple[str, ...], family: str, xc: str, names: dict[str, str]
) -> dict[str, PseudopotentialData]:
    """Pseudopotential of each element of a crystal.

    Args:
        species: Chemical symbols.
        family: One of ``FAMILIES``, or a folder of UPF or psp8 files.
        xc: Name of the functional, which decides which table ``pseudodojo`` and ``gth`` mean.
        names: By element, the names in the GTH table or of files in the folder, where the default is not wanted.

    Raises:
        InputError: a pseudopotential is missing or unusable, or ``names`` speaks of an element that is not there.
    """
    for symbol in names:
        if symbol not in species:
            raise InputError(
                f"pseudo_names: the structure has no {symbol}; it has {', '.join(dict.fromkeys(species))}."
            )
    table = named_family(family, species, xc)
    return {symbol: find_pseudopotential(symbol, table, xc, names.get(symbol)) for symbol in dict.fromkeys(species)}


def find_pseudopotential(symbol: str, family: str, xc: str, name: str | None = None) -> PseudopotentialData:
    """The pseudopotential of an element; see :func:`find_pseudopotentials`."""
    atomic_number(symbol)
    table = named_family(family, (symbol,), xc)
    if table in GTH_FAMILIES:
        return find_gth(symbol, table, xc, name)
    path = _file(table, symbol, name)
    return read_pseudodojo(table, symbol) if path is None else read_pseudopotential(path, symbol)


def pseudopotential_file(symbol: str, family: str, xc: str, name: str | None = None) -> bytes:
    """The file, decompressed, that :func:`find_pseudopotential` reads, for other codes to read.

    Raises:
        InputError: there is no such file, as for the tables of Goedecker, Teter and Hutter.
    """
    table = named_family(family, (symbol,), xc)
    if table in GTH_FAMILIES:
        raise InputError(f"pseudo: the family {table} has no files.")
    path = _file(table, symbol, name)
    return pseudodojo_content(table, symbol) if path is None else file_content(path)


def sources(family: str, xc: str, entries: dict[str, PseudopotentialData]) -> dict[str, dict[str, str]]:
    """Where the pseudopotential of each element comes from, as plain data.

    Args:
        family: The family that was asked for, one of ``FAMILIES`` or a folder.
        xc: The name of the functional.
        entries: What :func:`find_pseudopotentials` has found.

    Returns:
        by element the ``table`` (a family that names one, or the folder), the ``file``, its ``sha256`` where there is a
        file, else that of the parameters, and for GTH the ``name`` in the table.
    """
    table = named_family(family, tuple(entries), xc)
    return {symbol: _source(table, entry) for symbol, entry in entries.items()}


def _source(table: str, entry: PseudopotentialData) -> dict[str, str]:
    if isinstance(entry, GTHParameters):
        return {"table": table, "file": GTH_TABLES[table], "name": entry.name, "sha256": fingerprint(entry)}
    in_table = table not in TABLES or entry.symbol in pseudodojo_elements(table)
    return {"table": table if in_table else str(users_folder()), "file": entry.name, "sha256": entry.sha256}


def fingerprint(data: PseudopotentialData) -> str:
    """A hash of what a pseudopotential does to electrons, whatever its file is called."""
    if isinstance(data, GTHParameters):
        content = repr((data.electrons, data.local_radius, data.local_coefficients, data.channels)).encode()
    else:
        core = [] if data.core_density is None else [data.core_density]
        arrays = [data.radius, data.local, data.coupling, *(p.values for p in data.projectors), *core]
        content = b"".join(array.tobytes() for array in arrays)
    return hashlib.sha256(content).hexdigest()


def _file(table: str, symbol: str, name: str | None) -> Path | None:
    """The file of an element, None where it is in a shipped table."""
    return _file_beside_table(table, symbol, name) if table in TABLES else _file_of_folder(table, symbol, name)


def _file_beside_table(table: str, symbol: str, name: str | None) -> Path | None:
    """The file of an element that a table has not, in the user's folder."""
    if symbol in pseudodojo_elements(table) and name in (None, f"{symbol}.upf"):
        return None
    folder = users_folder()
    found = None if folder is None else file_in_folder(folder, symbol, name)
    if found is None and name is not None:
        raise InputError(
            f"pseudo_names: PseudoDojo has one file per element, so '{name}' cannot be chosen for {symbol}."
        )
    if found is None:
        raise InputError(
            f"pseudo: the table {table} has no {symbol}; name a folder that has a file of it with --pseudo or in the "
            f"environment variable {FOLDER_VARIABLE}, or take the family gth."
        )
    return found


def _file_of_folder(family: str, symbol: str, name: str | None) -> Path:
    folder = Path(family).expanduser()
    if not folder.is_dir():
        raise InputError(
            f"pseudo: '{family}' is neither a family of pseudopotentials ({', '.join(FAMILIES)}) nor a folder."
        )
    found = file_in_folder(folder, symbol, name)
    if found is None:
        raise InputError(f"pseudo: the folder '{family}' has no UPF file for {symbol}, nor one in psp8.")
    return found
