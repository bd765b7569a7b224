"""Finding pseudopotentials by family and name. Imports no torch, so that a page can check a choice at once."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from mlxc.crystal.elements import atomic_number
from mlxc.errors import InputError
from mlxc.pseudo.folder import file_in_folder, shipped_file
from mlxc.pseudo.gth_table import GTH_FAMILIES, GTHParameters, find_gth
from mlxc.pseudo.upf import UPFPseudopotential, read_upf

PSEUDODOJO = "pseudodojo"
FAMILIES = (PSEUDODOJO, *GTH_FAMILIES)
# Names a folder with the user's own UPF files.
FOLDER_VARIABLE = "MLXC_PSEUDO_DIR"

PseudopotentialData = GTHParameters | UPFPseudopotential


def default_family(species: tuple[str, ...]) -> str:
    """The family for a crystal when nobody has chosen one.

    The user's folder (environment variable ``MLXC_PSEUDO_DIR``) if it has all elements; else PseudoDojo, if all its
    files are shipped or in that folder; else the GTH tables, which know most elements but are hard for many.
    """
    folder = _users_folder()
    in_folder = {symbol for symbol in species if folder is not None and file_in_folder(folder, symbol) is not None}
    if folder is not None and in_folder == set(species):
        return str(folder)
    return PSEUDODOJO if all(s in in_folder or shipped_file(s) is not None for s in species) else "gth"


def families_with(species: tuple[str, ...]) -> list[str]:
    """The families that have a pseudopotential for each of these elements, the user's folder among them."""
    folder = _users_folder()
    families = list(FAMILIES) if folder is None else [str(folder), *FAMILIES]
    return [family for family in families if all(_has(family, symbol) for symbol in set(species))]


def _has(family: str, symbol: str) -> bool:
    try:
        find_pseudopotential(symbol, family, "pbe")
    except InputError:
        return False
    return True


def find_pseudopotentials(
    species: tuple[str, ...], family: str, xc: str, names: dict[str, str]
) -> dict[str, PseudopotentialData]:
    """Pseudopotential of each element of a crystal.

    Args:
        species: Chemical symbols.
        family: One of ``FAMILIES``, or a folder of UPF files.
        xc: Name of the functional, which decides what ``gth`` means.
        names: By element, the names in the GTH table or of files in the folder, where the default is not wanted.

    Raises:
        InputError: a pseudopotential is missing or unusable, or ``names`` speaks of an element that is not there.
    """
    for symbol in names:
        if symbol not in species:
            raise InputError(
                f"pseudo_names: the structure has no {symbol}; it has {', '.join(dict.fromkeys(species))}."
            )
    return {symbol: find_pseudopotential(symbol, family, xc, names.get(symbol)) for symbol in dict.fromkeys(species)}


def find_pseudopotential(symbol: str, family: str, xc: str, name: str | None = None) -> PseudopotentialData:
    """The pseudopotential of an element; see :func:`find_pseudopotentials`."""
    atomic_number(symbol)
    if family in GTH_FAMILIES:
        return find_gth(symbol, family, xc, name)
    return read_upf(_pseudodojo_file(symbol, name) if family == PSEUDODOJO else _file(family, symbol, name), symbol)


def fingerprint(data: PseudopotentialData) -> str:
    """A hash of what a pseudopotential does to electrons, whatever its file is called."""
    if isinstance(data, GTHParameters):
        content = repr((data.electrons, data.local_radius, data.local_coefficients, data.channels)).encode()
    else:
        core = [] if data.core_density is None else [data.core_density]
        arrays = [data.radius, data.local, data.coupling, *(p.values for p in data.projectors), *core]
        content = b"".join(array.tobytes() for array in arrays)
    return hashlib.sha256(content).hexdigest()


def _users_folder() -> Path | None:
    value = os.environ.get(FOLDER_VARIABLE)
    return Path(value).expanduser() if value else None


def _pseudodojo_file(symbol: str, name: str | None) -> Path:
    folder = _users_folder()
    found = shipped_file(symbol) if name is None else None
    if found is None and folder is not None:
        found = file_in_folder(folder, symbol, name)
    if found is None and name is not None:
        raise InputError(
            f"pseudo_names: PseudoDojo has one file per element, so '{name}' cannot be chosen for {symbol}."
        )
    if found is None:
        raise InputError(
            f"pseudo: no PseudoDojo file for {symbol} is shipped; name a folder that has one with --pseudo or in the "
            f"environment variable {FOLDER_VARIABLE}, or take the family gth."
        )
    return found


def _file(family: str, symbol: str, name: str | None) -> Path:
    folder = Path(family).expanduser()
    if not folder.is_dir():
        raise InputError(
            f"pseudo: '{family}' is neither a family of pseudopotentials ({', '.join(FAMILIES)}) nor a folder."
        )
    found = file_in_folder(folder, symbol, name)
    if found is None:
        raise InputError(f"pseudo: the folder '{family}' has no UPF file for {symbol}.")
    return found
