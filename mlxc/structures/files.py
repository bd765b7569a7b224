"""Reading a crystal out of the content of a file, whatever its format.

Every failure is one sentence that names the file; nothing here imports torch.
"""

from __future__ import annotations

import io
import re
import tempfile
import warnings
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Literal

from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError, MlxcWarning
from mlxc.structures.formats.cif import read_cif

if TYPE_CHECKING:
    from ase import Atoms

MAX_FILE_BYTES = 10 * 1024 * 1024
FORMATS = "CIF, POSCAR, extended XYZ, or another format that ASE reads"

Format = Literal["cif", "vasp", "extxyz", "other", "binary"]

# What the parsers raise speaks of their insides, not of the file.
_CANNOT_BE_READ: dict[Format, str] = {
    "cif": "as a CIF: it needs a cell, a space group that fits it, and atom sites with fractional coordinates",
    "vasp": "as a POSCAR: it needs a scale, three lattice vectors, the elements, their counts, and positions",
    "extxyz": "as extended XYZ: it needs the number of atoms, a line with Lattice=, and a line per atom",
    "other": f"as a structure; a structure is read from {FORMATS}",
    "binary": f"as a structure: it is binary; a structure is read from {FORMATS}",
}


def too_large(filename: str) -> InputError:
    """The error for a file that nobody meant to be a structure."""
    return InputError(f"{filename}: the file is larger than {MAX_FILE_BYTES // 1024**2} MB, too large for a structure.")


def read_structure(content: str | bytes, filename: str) -> Crystal:
    """The crystal in the content of a file; the last one, where the file holds several.

    Args:
        content: what is in the file.
        filename: its name, which helps to find the format and appears in messages.

    Raises:
        InputError: the file cannot be read as a crystal; one sentence names it and says what is wrong with it.
    """
    filename = PurePath(filename).name
    data = content.encode() if isinstance(content, str) else bytes(content)
    if len(data) > MAX_FILE_BYTES:
        raise too_large(filename)
    if not data.strip():
        raise InputError(f"{filename}: the file is empty.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("default", MlxcWarning)
            return _read(data, filename)
    except InputError as error:
        raise InputError(f"{filename}: {uncapitalised(str(error))}") from None


def _read(data: bytes, filename: str) -> Crystal:
    text = None if b"\0" in data else data.decode("utf-8", errors="replace")
    form: Format = "binary" if text is None else _sniff(text, filename)
    name = None if form == "vasp" else PurePath(filename).stem
    try:
        if text is None or form == "other":
            return Crystal.from_ase(_read_as_named(data, filename), name)
        if form == "cif":
            return read_cif(text, PurePath(filename).stem).crystal
        return Crystal.from_ase(_read_with_ase(text, form), name)
    except InputError:
        raise
    except Exception as error:  # the parsers of two dozen formats raise whatever comes to them
        raise InputError(_sentence(error, form)) from None


def _sniff(text: str, filename: str) -> Format:
    """The format by the name of the file, else by its content (a POSCAR has no extension)."""
    name, suffix = filename.upper(), PurePath(filename).suffix.lower()
    lines = text.splitlines()
    if suffix in (".cif", ".mcif") or re.search(r"^\s*_cell_length_a\s", text, re.MULTILINE | re.IGNORECASE):
        return "cif"
    if suffix in (".xyz", ".extxyz") or re.search(r"\bLattice\s*=", "\n".join(lines[1:2])):
        return "extxyz"
    if name.startswith(("POSCAR", "CONTCAR")) or suffix in (".vasp", ".poscar"):
        return "vasp"
    if len(lines) > 5 and all(_numbers(line) == 3 for line in lines[2:5]) and _numbers(lines[1]) in (1, 3):
        return "vasp"
    return "other"


def _numbers(line: str) -> int:
    """How many numbers a line consists of; 0 if there is anything else in it."""
    try:
        return len([float(word) for word in line.split()])
    except ValueError:
        return 0


def _read_with_ase(text: str, form: Format) -> Atoms:
    from ase.io import read

    return _last(read(io.StringIO(text), format=form))


def _read_as_named(data: bytes, filename: str) -> Atoms:
    """Let ASE find the format; many of its readers want a real file with the right name."""
    from ase.io import read

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, filename)
        path.write_bytes(data)
        return _last(read(path))


def _last(images: Atoms | list[Atoms]) -> Atoms:
    return images[-1] if isinstance(images, list) else images


def _sentence(error: Exception, form: Format) -> str:
    argument = error.args[0] if error.args else ""
    if isinstance(error, KeyError) and isinstance(argument, str) and re.fullmatch(r"[A-Z][a-z]{0,2}", argument):
        return f"'{argument}' is not a chemical element."
    return f"The file cannot be read {_CANNOT_BE_READ[form]}."


def uncapitalised(sentence: str) -> str:
    """A sentence that goes on after a colon."""
    return sentence[:1].lower() + sentence[1:]
