"""The places that a crystal is loaded from: shipped structures, files, and databases. Imports no torch."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError, MlxcWarning
from mlxc.structures.files import MAX_FILE_BYTES, read, told, too_large
from mlxc.structures.optimade import fetch_structure as fetch_structure
from mlxc.structures.shipped import shipped_crystal, shipped_names
from mlxc.utils.spelling import did_you_mean


def load_structure(source: str | Path, species: Sequence[str] = ()) -> Crystal:
    """A shipped structure by its name, else the crystal in a file.

    Behind the name of a file may stand ``#`` and a part: the block of a CIF, or the species of a POSCAR. A path is
    always the one of a file, if there is one, and a text that names a shipped structure is never one.

    Args:
        source: the name of the structure or of the file.
        species: the elements of a POSCAR that does not say them, in the order of its counts.

    Raises:
        InputError: the crystal cannot be loaded; one sentence names the source and what is wrong with it.
    """
    name = str(source)
    if name.lower() in shipped_names() and not (isinstance(source, Path) and source.is_file()):
        return _shipped(name, species)
    try:
        path, part = _file_and_part(name)
        if path.is_dir():
            raise InputError(f"'{name}' is a folder; give a file that holds a structure.")
        if not path.exists():
            raise InputError(_nothing_called(name))
        if path.stat().st_size > MAX_FILE_BYTES:
            raise too_large(path.name)
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"'{name}' cannot be opened: {(error.strerror or str(error)).lower()}.") from None
    return told(read(content, path.name, part, species))


def _shipped(name: str, species: Sequence[str]) -> Crystal:
    if species:
        raise InputError(f"species: '{name}' is a shipped structure, whose species are known.")
    if Path(name).is_file():
        warnings.warn(
            f"'{name}' is taken for the shipped structure, not for the file of this name; './{name}' means the file.",
            MlxcWarning,
            stacklevel=3,
        )
    return shipped_crystal(name.lower())


def _file_and_part(name: str) -> tuple[Path, str | None]:
    """The file that a name means, and the part of it behind ``#``; the name of a file may have that sign itself."""
    for file, part in _splits(name):
        if file.exists():
            return file, part
    return Path(name), None


def _splits(name: str) -> Iterator[tuple[Path, str | None]]:
    yield Path(name), None
    file = name
    while "#" in file:
        file = file.rpartition("#")[0]
        yield Path(file), name[len(file) + 1 :]


def _nothing_called(source: str) -> str:
    hint = did_you_mean(source.lower(), shipped_names(), similarity=0.5)
    names = ", ".join(shipped_names())
    return f"There is no file and no shipped structure called '{source}'{hint}; shipped are {names}."
