"""The places that a crystal is loaded from: shipped structures, files, and databases. Imports no torch."""

from __future__ import annotations

from pathlib import Path

from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.structures.files import MAX_FILE_BYTES, read_structure, too_large
from mlxc.structures.optimade import fetch_structure as fetch_structure
from mlxc.structures.shipped import shipped_names, shipped_record
from mlxc.utils.spelling import did_you_mean


def load_structure(source: str) -> Crystal:
    """A shipped structure by its name, else the crystal in a file (CIF, POSCAR, extxyz, or what else ASE reads).

    Raises:
        InputError: the crystal cannot be loaded; one sentence names the source and what is wrong with it.
    """
    if source.lower() in shipped_names():
        return Crystal.from_dict(shipped_record(source.lower())["structure"])
    path = Path(source)
    try:
        if path.is_dir():
            raise InputError(f"'{source}' is a folder; give a file that holds a structure.")
        if not path.exists():
            raise InputError(_nothing_called(source))
        if path.stat().st_size > MAX_FILE_BYTES:
            raise too_large(path.name)
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"'{source}' cannot be opened: {(error.strerror or str(error)).lower()}.") from None
    return read_structure(content, path.name)


def _nothing_called(source: str) -> str:
    hint = did_you_mean(source.lower(), shipped_names(), similarity=0.5)
    names = ", ".join(shipped_names())
    return f"There is no file and no shipped structure called '{source}'{hint}; shipped are {names}."
