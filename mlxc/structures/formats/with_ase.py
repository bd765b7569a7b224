"""Reading what ASE reads rightly. Imports no torch.

ASE knows a hundred formats, and not all of its readers tell what they leave out or guess. So a format is read with ASE
only where it is one of ``READ``, with a check of what its reader passes over; all others are refused.
"""

from __future__ import annotations

import tempfile
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mlxc.crystal.crystal import MAX_ATOMS, Crystal, too_many_atoms
from mlxc.errors import InputError
from mlxc.structures.formats.ase_checks import check_aims, check_pdb, check_res, check_vasprun
from mlxc.structures.formats.text import text_of
from mlxc.structures.reading import Reading

if TYPE_CHECKING:
    from ase import Atoms

# Unicode's kinds of spaces, digits, dashes, signs and invisible letters, some of which ASE takes for others.
_STRANGE = {"Zs", "Zl", "Zp", "Nd", "Pd", "Sm", "Cf"}
# How binary files of ASE begin.
_BINARY = (b"- of Ulm", b"AFFormat")
_LONGEST_LINE = 10_000
_OUTPUTS = {
    "espresso-out": "an output of pw.x does not tell all of a structure; give the input",
    "vasp-out": "an OUTCAR does not tell all of a structure; give the CONTCAR",
}


class _Format(NamedTuple):
    """How a format is called, and what its reader passes over."""

    title: str
    check: Callable[[str, Atoms], tuple[str, ...]] | None = None


READ = {
    "aims": _Format("geometry of FHI-aims", check_aims),
    "gen": _Format("gen of DFTB+"),
    "json": _Format("JSON of ASE"),
    "proteindatabank": _Format("PDB", check_pdb),
    "res": _Format("res of SHELX or AIRSS", check_res),
    "traj": _Format("trajectory of ASE"),
    "vasp-xdatcar": _Format("XDATCAR"),
    "vasp-xml": _Format("vasprun.xml", check_vasprun),
    "xsf": _Format("XSF"),
}


def is_binary(data: bytes) -> bool:
    """Whether these are the bytes of a binary file that ASE has written."""
    return data.startswith(_BINARY)


def read_with_ase(data: bytes, filename: str, name: str, formats: str) -> Reading:
    """The crystal in a file of which ASE finds the format; of several images the last.

    Args:
        data: What is in the file.
        filename: Its name, without a folder.
        name: How the crystal is called.
        formats: The formats that are read, for the sentence about one that is not.

    Raises:
        InputError: the format is not read, or the file asks for what no crystal here has.
    """
    text = "" if is_binary(data) else text_of(data)
    _check_letters(text)
    _check_lengths(text, filename)
    form, images = _images(text.encode() or data, filename, formats)
    atoms = images[-1]
    if len(atoms) > MAX_ATOMS:
        raise too_many_atoms(len(atoms))
    _take_computed_moments(atoms)
    notes = form.check(text, atoms) if form.check else ()
    several = len(images) > 1
    if several:
        notes += (f"The file has {len(images)} images, and the last one was taken.",)
    return Reading(Crystal.from_ase(atoms, name), form.title, f"image {len(images)}" if several else "", notes)


def _check_letters(text: str) -> None:
    for line, content in enumerate(text.split("\n"), 1):
        for letter in "" if content.isascii() else content:
            if not letter.isascii() and unicodedata.category(letter) in _STRANGE:
                called = unicodedata.name(letter, "a character without a name").lower()
                raise InputError(f"Line {line} holds the character U+{ord(letter):04X}, {called}; write plain letters.")


def _check_lengths(text: str, filename: str) -> None:
    """Refuse lines with which readers would be busy for hours; JSON is one line."""
    if not filename.endswith(".json") and max(map(len, text.split("\n"))) > _LONGEST_LINE:
        raise InputError(f"The file has a line of more than {_LONGEST_LINE} letters, too long for a structure.")


def _images(data: bytes, filename: str, formats: str) -> tuple[_Format, list[Atoms]]:
    """Many readers want a real file, and the format is found by the name that it has."""
    from ase.io import read
    from ase.io.formats import filetype

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, filename.replace("@", "-"))  # ASE takes what is behind @ for an index
        path.write_bytes(data)
        form = filetype(str(path))
        if form in _OUTPUTS:
            raise InputError(f"The file is not read: {_OUTPUTS[form]}.")
        if form not in READ:
            raise InputError(f"The file cannot be read as a structure; a structure is read from {formats}.")
        try:
            images = read(path, index=":", format=form)
        except Exception:  # what readers raise speaks of their insides
            raise InputError(f"The file is damaged, or it is no {READ[form].title}.") from None
    return READ[form], images if isinstance(images, list) else [images]


def _take_computed_moments(atoms: Atoms) -> None:
    """Let moments that a calculation has found be those to start with, where there are no others."""
    moments = atoms.calc.results.get("magmoms") if atoms.calc else None
    if moments is not None and not atoms.get_initial_magnetic_moments().any():
        atoms.set_initial_magnetic_moments(moments)
