"""A folder of pseudopotential files of the user's. Imports no torch."""

from __future__ import annotations

import re
from pathlib import Path

from mlxc.errors import InputError
from mlxc.pseudo.files.reading import element_of_file

SUFFIXES = (".upf", ".upf.gz", ".psp8", ".psp8.gz")
SHOWN_FILES = 4


def file_in_folder(folder: Path, symbol: str, name: str | None = None) -> Path | None:
    """The file of an element in a folder, None if there is none.

    A file says for itself which element it is for, whatever it is called; one that does not is told by its name, which
    then begins with the element's symbol (``Al.upf``, ``al_pbe_v1.upf``).

    Args:
        folder: The folder to look in.
        symbol: Chemical symbol.
        name: The name of the file, where a folder has several for the element.

    Raises:
        InputError: the folder has no file ``name``, has several files for the element, or cannot be read.
    """
    try:
        files = sorted(path for path in folder.iterdir() if path.name.lower().endswith(SUFFIXES) and path.is_file())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"pseudo: the folder '{folder}' cannot be read: {reason}.") from None
    if name is not None:
        files = [path for path in files if path.name == name]
        if not files:
            raise InputError(f"pseudo_names: the folder '{folder}' has no file '{name}' for {symbol}.")
        return files[0]
    files = [path for path in files if _is_for(path, symbol)]
    if len(files) > 1:
        shown = ", ".join(path.name for path in files[:SHOWN_FILES])
        raise InputError(
            f"pseudo: the folder '{folder}' has several files for {symbol} ({shown}); choose one with "
            f"--pseudo-name {symbol}={files[0].name}."
        )
    return files[0] if files else None


def _is_for(path: Path, symbol: str) -> bool:
    element = element_of_file(path)
    if element is None:
        return re.match(rf"{symbol}(?![a-z])", path.name, re.IGNORECASE) is not None
    return element == symbol
