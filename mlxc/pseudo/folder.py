"""Pseudopotential files: those shipped, and those in a folder of the user's. Imports no torch."""

from __future__ import annotations

import re
from pathlib import Path

from mlxc.errors import InputError
from mlxc.utils.assets import asset_path

SUFFIXES = (".upf", ".upf.gz")


def shipped_file(symbol: str) -> Path | None:
    """The PseudoDojo file of an element that comes with mlxc, None where none does."""
    path = asset_path("pseudopotentials", "pseudodojo", f"{symbol}.upf.gz")
    return path if path.is_file() else None


def file_in_folder(folder: Path, symbol: str, name: str | None = None) -> Path | None:
    """The UPF file of an element in a folder, None if there is none.

    Files are told by their names, which begin with the element's symbol (``Al.upf``, ``al_pbe_v1.upf``).

    Args:
        folder: The folder to look in.
        symbol: Chemical symbol.
        name: The name of the file, where a folder has several for the element.

    Raises:
        InputError: the folder has no file ``name``, has several files for the element, or cannot be read.
    """
    begins = re.compile(rf"{symbol}(?![a-z])", re.IGNORECASE)
    try:
        files = sorted(p for p in folder.iterdir() if p.name.lower().endswith(SUFFIXES) and begins.match(p.name))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"pseudo: the folder '{folder}' cannot be read: {reason}.") from None
    if name is not None:
        files = [path for path in files if path.name == name]
        if not files:
            raise InputError(f"pseudo_names: the folder '{folder}' has no file '{name}' for {symbol}.")
    if len(files) > 1:
        shown = ", ".join(path.name for path in files[:4])
        raise InputError(
            f"pseudo: the folder '{folder}' has several files for {symbol} ({shown}); choose one with "
            f"--pseudo-name {symbol}={files[0].name}."
        )
    return files[0] if files else None
