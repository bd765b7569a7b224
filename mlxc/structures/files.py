"""Reading a crystal out of the content of a file, whatever its format.

Every failure is one sentence that names the file, and what was chosen on the way is told; nothing here imports torch.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Literal

from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError, MlxcWarning
from mlxc.structures.formats.castep import read_castep
from mlxc.structures.formats.cif import read_cif
from mlxc.structures.formats.cube import read_cube
from mlxc.structures.formats.espresso import read_espresso
from mlxc.structures.formats.extxyz import read_extxyz
from mlxc.structures.formats.poscar import read_poscar
from mlxc.structures.formats.text import is_number, text_of, words_of
from mlxc.structures.formats.with_ase import is_binary, read_with_ase
from mlxc.structures.plausibility import distance_note
from mlxc.structures.reading import Reading

MAX_FILE_BYTES = 10 * 1024 * 1024
FORMATS = (
    "CIF, POSCAR, extended XYZ, cube, inputs of Quantum ESPRESSO, FHI-aims and CASTEP, XSF, gen, res, PDB, and ASE's "
    "JSON and trajectories"
)

Format = Literal["CIF", "POSCAR", "extended XYZ", "cube", "Quantum ESPRESSO input", "CASTEP", "another"]
_READERS: dict[Format, Callable[[str, str], Reading]] = {
    "extended XYZ": read_extxyz,
    "cube": read_cube,
    "Quantum ESPRESSO input": read_espresso,
    "CASTEP": read_castep,
}


def too_large(filename: str) -> InputError:
    """The error for a file that nobody meant to be a structure."""
    return InputError(f"{filename}: the file is larger than {MAX_FILE_BYTES // 1024**2} MB, too large for a structure.")


def read_structure(content: str | bytes, filename: str) -> Crystal:
    """The crystal in the content of a file; the last one, where the file holds several.

    What was chosen or left out on the way is told in warnings, :class:`~mlxc.errors.MlxcWarning`.

    Args:
        content: what is in the file.
        filename: its name, which helps to find the format and appears in messages.

    Raises:
        InputError: the file cannot be read as a crystal; one sentence names it and says what is wrong with it.
    """
    return told(read(content, filename))


def told(reading: Reading) -> Crystal:
    """The crystal of a reading, whose notes become warnings."""
    for note in reading.notes:
        warnings.warn(note, MlxcWarning, stacklevel=3)
    return reading.crystal


def read(content: str | bytes, filename: str, part: str | None = None, species: Sequence[str] = ()) -> Reading:
    """What is understood of the content of a file; see :func:`read_structure`.

    Args:
        content: what is in the file.
        filename: its name.
        part: the name of the block to take, for a CIF; the species with commas between them, for a POSCAR.
        species: the elements in the order of their counts, for a POSCAR that does not say them.

    Raises:
        InputError: the file cannot be read as a crystal.
    """
    filename = PurePath(filename).name
    data = content.encode(errors="surrogatepass") if isinstance(content, str) else bytes(content)
    if len(data) > MAX_FILE_BYTES:
        raise too_large(filename)
    if not data.strip():
        raise InputError(f"{filename}: the file is empty.")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            reading = _read(data, filename, part, species)
    except InputError as error:
        raise InputError(f"{filename}: {uncapitalised(str(error))}") from None
    notes = [str(warning.message) for warning in caught if issubclass(warning.category, MlxcWarning)]
    # Images are counted, and blocks have names.
    named = "block " if reading.form == "CIF" else ""
    block = f", {named}{reading.block}" if reading.block else ""
    crystal = replace(reading.crystal, origin=f"{filename}{block} ({reading.form})")
    notes += [note] if (note := distance_note(crystal)) else []
    return replace(reading, crystal=crystal, notes=(*reading.notes, *notes))


def _read(data: bytes, filename: str, part: str | None, species: Sequence[str]) -> Reading:
    form: Format = "another"
    name = PurePath(filename).stem
    try:
        text = "" if is_binary(data) else text_of(data)
        form = _sniff(text, filename)
        if part is not None and form not in ("CIF", "POSCAR"):
            raise InputError(f"'#{part}' names a block of a CIF or the species of a POSCAR, and the file is neither.")
        if species and form != "POSCAR":
            raise InputError("species: a POSCAR alone may leave its species to be named, and the file is none.")
        if form == "POSCAR":
            return read_poscar(text, species or (part.split(",") if part else ()))
        if form == "CIF":
            return read_cif(text, name, part)
        if form == "another":
            return read_with_ase(data, filename, name, FORMATS)
        return _READERS[form](text, name)
    except InputError:
        raise
    except Exception as error:  # the parsers of two dozen formats raise whatever comes to them
        raise InputError(_sentence(error, form)) from None


def _sniff(text: str, filename: str) -> Format:
    """The format by the name of the file, else by its content (a POSCAR has no extension)."""
    name, suffix = filename.upper(), PurePath(filename).suffix.lower()
    lines = [words_of(line) for line in text.split("\n", 6)[:6]]
    if suffix in (".cif", ".mcif") or re.search(r"^[ \t]*_cell[_.]length_a\s", text, re.MULTILINE | re.IGNORECASE):
        return "CIF"
    if suffix in (".xyz", ".extxyz") or re.search(r"\bLattice\s*=", "".join(text.split("\n", 2)[1:2])):
        return "extended XYZ"
    if suffix in (".cube", ".cub") or _is_cube(lines):
        return "cube"
    if suffix == ".pwi" or re.search(r"^[ \t]*&system\b", text, re.MULTILINE | re.IGNORECASE):
        return "Quantum ESPRESSO input"
    if suffix == ".cell" or re.search(r"^[ \t]*%block[ \t]+lattice_", text, re.MULTILINE | re.IGNORECASE):
        return "CASTEP"
    if name.startswith("XDATCAR"):
        return "another"
    if name.startswith(("POSCAR", "CONTCAR")) or suffix in (".vasp", ".poscar", ".contcar") or _is_poscar(lines):
        return "POSCAR"
    return "another"


def _is_cube(lines: list[list[str]]) -> bool:
    """Whether the third to the sixth line are a number of atoms or voxels and a vector each."""
    return len(lines) == 6 and all(_numbers(line) == 4 and line[0].lstrip("+-").isdigit() for line in lines[2:])


def _is_poscar(lines: list[list[str]]) -> bool:
    """Whether one scale or three are above three vectors."""
    return len(lines) == 6 and all(_numbers(line) == 3 for line in lines[2:5]) and _numbers(lines[1]) in (1, 3)


def _numbers(words: list[str]) -> int:
    """How many numbers a line consists of; 0 if there is anything else in it."""
    return len(words) if all(is_number(word) for word in words) else 0


def _sentence(error: Exception, form: Format) -> str:
    argument = error.args[0] if error.args else ""
    if isinstance(error, KeyError) and isinstance(argument, str) and re.fullmatch(r"[A-Z][a-z]{0,2}", argument):
        return f"'{argument}' is not a chemical element."
    if form == "CIF":
        return (
            "The file cannot be read as a CIF: it needs a cell, a space group that fits it, and atom sites with "
            "fractional coordinates."
        )
    return f"The file cannot be read as a structure; a structure is read from {FORMATS}."


def uncapitalised(sentence: str) -> str:
    """A sentence that goes on after a colon; a name of several capitals stays as it is."""
    return sentence if sentence[1:2].isupper() else sentence[:1].lower() + sentence[1:]
