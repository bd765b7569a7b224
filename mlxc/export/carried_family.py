"""A folder of pseudopotentials as a link carries it: its name and what is in its files, never where it lies.

Whoever opens the link finds the same files in a folder or a family of his own, or is told that they are not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from mlxc.calculation.calculation import Calculation
from mlxc.errors import InputError
from mlxc.pseudo.library import FAMILIES, find_pseudopotentials, sources, users_folder

LONGEST_NAME = 60
SHA256_DIGITS = 64


def carried_family(calculation: Calculation) -> dict[str, Any]:
    """``{"name": ..., "sha256": {element: ...}}`` of the folder that a calculation names.

    Raises:
        InputError: its files cannot be read.
    """
    name = PurePath(calculation.pseudo).name[:LONGEST_NAME]
    hashes = _hashes(calculation.crystal.species, calculation.pseudo, calculation.xc, calculation.pseudo_names)
    if hashes is None:
        raise InputError(f"A link cannot hold the pseudopotentials of the folder {name}: they cannot be read any more.")
    return {"name": name, "sha256": hashes}


def is_carried_family(value: Any) -> bool:
    """Whether this is what :func:`carried_family` returns."""
    if not isinstance(value, dict) or value.keys() != {"name", "sha256"}:
        return False
    name, hashes = value["name"], value["sha256"]
    if not isinstance(name, str) or len(name) > LONGEST_NAME or not isinstance(hashes, dict):
        return False
    return all(isinstance(text, str) and len(text) == SHA256_DIGITS for text in hashes.values())


def family_here(carried: Mapping[str, Any], species: tuple[str, ...], xc: str, pseudo_names: dict[str, str]) -> str:
    """The folder or the family that has the same files here.

    Args:
        carried: What :func:`carried_family` returns.
        species: The elements of the crystal.
        xc: The name of the functional.
        pseudo_names: By element, the names of files where a folder has several.

    Raises:
        InputError: none has them.
    """
    folder = users_folder()
    for family in (*(() if folder is None else (str(folder),)), *FAMILIES):
        if _hashes(species, family, xc, pseudo_names) == carried["sha256"]:
            return family
    raise InputError(
        f"The link asks for the pseudopotentials of a folder “{carried['name']}” that are not on this server: "
        "MLXC_PSEUDO_DIR names no folder with the same files."
    )


def _hashes(species: tuple[str, ...], family: str, xc: str, names: dict[str, str]) -> dict[str, str] | None:
    """The hash of the file of each element; None where a family has not all of them."""
    try:
        entries = find_pseudopotentials(species, family, xc, names)
    except InputError:
        return None
    return {symbol: source["sha256"] for symbol, source in sources(family, xc, entries).items()}
