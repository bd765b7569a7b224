"""Reading a file that holds a pseudopotential, in whichever format that is known. Imports no torch."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from mlxc.errors import InputError
from mlxc.pseudo.files.psp8 import element_of_psp8, is_psp8, parse_psp8
from mlxc.pseudo.files.radial import BrokenFileError, RadialPseudopotential
from mlxc.pseudo.files.upf import element_of_upf, is_upf, parse_upf

MAX_FILE_BYTES = 20_000_000


def read_pseudopotential(path: Path, symbol: str) -> RadialPseudopotential:
    """Read a file in UPF or psp8, which may be compressed with gzip.

    Args:
        path: The file.
        symbol: Element that it must be of.

    Raises:
        InputError: the file cannot be read, is in no known format, is broken, of another element, or of a kind that
            plane waves here do not know: ultrasoft, PAW, fully relativistic, bare Coulomb.
    """
    return _read_cached(path, symbol, _changed(path))


def parse_pseudopotential(content: bytes, name: str, symbol: str) -> RadialPseudopotential:
    """Parse what a file holds, decompressed.

    Args:
        content: The content of the file.
        name: The name that messages give the file.
        symbol: Element that it must be of.

    Raises:
        InputError: see :func:`read_pseudopotential`.
    """
    text = content.decode("utf-8", errors="replace")
    parse: Callable[[str, str, str, str], RadialPseudopotential] = parse_upf
    if is_psp8(text) and not is_upf(text):
        parse = parse_psp8
    try:
        return parse(text, name, symbol, hashlib.sha256(content).hexdigest())
    except BrokenFileError as error:
        raise _refusal(name, str(error)) from None


def file_content(path: Path) -> bytes:
    """The content of a file, decompressed.

    Raises:
        InputError: it cannot be read, or is too large for a pseudopotential.
    """
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise _refusal(path.name, f"cannot be read: {str(error).lower()}") from None
    if len(content) > MAX_FILE_BYTES:
        raise _refusal(path.name, f"is larger than {MAX_FILE_BYTES // 1_000_000} MB, too large for a pseudopotential")
    return content


def element_of_file(path: Path) -> str | None:
    """The element that a file is for by its own words; None where it does not say or cannot be read."""
    try:
        return _element_cached(path, _changed(path))
    except InputError:
        return None


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError as error:
        raise _refusal(path.name, f"cannot be opened: {(error.strerror or str(error)).lower()}") from None


@lru_cache(maxsize=128)
def _read_cached(path: Path, symbol: str, changed: int) -> RadialPseudopotential:
    """One object per state of a file on the disk (``changed``), so that what is derived from it can be kept."""
    return parse_pseudopotential(file_content(path), path.name, symbol)


@lru_cache(maxsize=4096)
def _element_cached(path: Path, changed: int) -> str | None:
    text = file_content(path).decode("utf-8", errors="replace")
    return element_of_upf(text) if is_upf(text) else element_of_psp8(text) if is_psp8(text) else None


def _refusal(name: str, reason: str) -> InputError:
    return InputError(f"pseudo: the pseudopotential file {name} {reason}.")
