"""Which crystal is to be computed: a shipped one, one from a file or pasted, and what becomes of it by edits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from math import isfinite
from pathlib import PurePath
from typing import Any

import numpy as np
from traitlets import Dict, HasTraits, Instance, Tuple, Unicode

from mlxc.crystal.cell_edits import CellEdit, lattice_constant_ang
from mlxc.crystal.crystal import Crystal
from mlxc.crystal.magnetism import moments_by_element
from mlxc.crystal.resizing import height_ang
from mlxc.crystal.summary import CrystalSummary
from mlxc.crystal.vacuum import vacuum_directions
from mlxc.errors import InputError, MlxcError
from mlxc.structures.files import read
from mlxc.structures.shipped import shipped_crystal, shipped_record
from mlxc_app.choose.own.structures import (
    OwnStructure,
    delete_structure,
    keep_structure,
    own_structure,
    own_structure_like,
)

# A pasted text comes as a single message; a larger structure is a file's business.
MAX_PASTE_BYTES = 200_000
LARGEST_MOMENT = 20.0


class StructureModel(HasTraits):
    """The chosen crystal. Edits always start from the crystal as it was chosen, so that they can be taken back.

    Attributes:
        owner: The visitor, whose own structures and functionals these are; empty if he is not known.
        shipped_name: The name of the shipped structure, empty for one from a file.
        own_name: The name of the structure among a person's own, empty for others.
        structure: The edited crystal as plain lists, see ``Crystal.to_dict``; the last one that could be made.
        title: How the crystal is called on the page.
        edit: What is to become of the chosen crystal.
        moments: The starting moment by element, Bohr magneton, where it is not that of the chosen crystal.
        atom_moments: The starting moment of each atom of the chosen crystal, Bohr magneton, where a person has given
            them one by one; empty where not.
        repeats: The repetitions of the cell along each lattice vector in ``structure``.
        remarks: What a person should know of how the chosen crystal was read, a sentence each.
        problem: Why no crystal can be made of edit and moments, in one sentence; empty if there is one.
    """

    owner = Unicode()
    shipped_name = Unicode()
    own_name = Unicode()
    structure = Dict()
    title = Unicode()
    edit = Instance(CellEdit, args=())
    moments = Dict()
    atom_moments = Tuple()
    problem = Unicode()
    remarks = Tuple()

    def __init__(self) -> None:
        super().__init__()
        self._filling = False
        self._original_title = ""
        self.repeats = (1, 1, 1)
        self.original = shipped_crystal("al")

    def take_shipped(self, name: str) -> None:
        """Choose a shipped structure and the settings that suit it."""
        record = shipped_record(name)
        self._take(shipped_crystal(name), name, record["title"])

    def take_own(self, name: str) -> None:
        """Choose one of a person's own structures and the settings that suit it.

        Raises:
            InputError: it is not there any more, or cannot be computed; the former choice stays.
        """
        own = own_structure(name, self.owner)
        with self._several_changes():
            self._take(own.crystal, "", own.title)
            self.own_name, self.remarks = name, own.remarks

    def delete_own(self, name: str) -> None:
        """Take a structure off the list of a person's own; if it is chosen, it stays so.

        Raises:
            InputError: it is not there any more.
        """
        delete_structure(name, self.owner)
        if self.own_name == name:
            self.own_name = ""

    def take_file(self, file_name: str, content: bytes) -> None:
        """Choose the structure in an uploaded file (CIF, POSCAR, extxyz, cube) and settings that suit it.

        Raises:
            InputError: the file holds no crystal that can be computed; the former choice stays.
        """
        self._take_read(content, file_name, f" from {PurePath(file_name).name}")

    def take_crystal(self, crystal: Crystal, title: str) -> None:
        """Choose a crystal from elsewhere and settings that suit it."""
        self._take_and_keep(OwnStructure(f"{crystal.formula}, {title}", crystal, ()), title)

    def take_text(self, text: str) -> None:
        """Choose the structure in a pasted text and settings that suit it.

        Raises:
            InputError: the text holds no crystal that can be computed; the former choice stays.
        """
        if not text.strip():
            raise InputError("There is nothing to use yet: paste the content of a CIF, POSCAR or extended XYZ file.")
        if len(text.encode()) > MAX_PASTE_BYTES:
            raise InputError(
                f"The pasted text is larger than {MAX_PASTE_BYTES // 1000} kB: upload it as a file instead."
            )
        self._take_read(text, "pasted text", ", pasted")

    def take_primitive(self) -> None:
        """Choose the primitive cell of the chosen crystal and settings that suit it."""
        self._take(self.original.primitive(), "", f"{self._original_title}, primitive cell")

    def take_atom_moments(self, text: str) -> None:
        """Start from a moment of each atom of the chosen crystal.

        Args:
            text: The moments, Bohr magneton, in the order of the atoms, with commas or spaces between; empty for those
                of the elements.

        Raises:
            InputError: they are not as many numbers as there are atoms.
        """
        words, count = text.replace(",", " ").replace("−", "-").split(), len(self.original.species)
        try:
            moments = tuple(float(word) for word in words)
        except ValueError:
            raise InputError(
                f"moments: {text[:60]!r} are not numbers; give one for each atom, such as 2, -2."
            ) from None
        if moments and len(moments) != count:
            raise InputError(f"moments: there are {len(moments)} numbers for {count} atoms; give one for each.")
        with self._several_changes():
            self.moments = {}
        self.atom_moments = moments

    def reset(self) -> None:
        """Take all edits of the cell back."""
        self.edit = CellEdit()

    def change(self, **fields: Any) -> None:
        """Change some fields of the edit, see :class:`~mlxc.crystal.cell_edits.CellEdit`."""
        self.edit = replace(self.edit, **fields)

    @property
    def summary(self) -> CrystalSummary:
        """What is understood of the edited crystal."""
        return CrystalSummary.of(Crystal.from_dict(self.structure))

    @property
    def lattice_constant_ang(self) -> float | None:
        """The lattice constant of the chosen crystal before any edit, angstrom; None if it has none."""
        return lattice_constant_ang(self.original)

    @property
    def height_ang(self) -> float | None:
        """The height of the cell of a sheet before any edit, angstrom; None for other crystals."""
        return height_ang(self.original) if len(vacuum_directions(self.original)) == 1 else None

    @property
    def elements(self) -> tuple[str, ...]:
        """Each element of the crystal once."""
        return tuple(dict.fromkeys(self.original.species))

    def starting_moment(self, element: str) -> float | None:
        """The starting moment of an element's atoms, Bohr magneton; None where they differ, as a file may say."""
        pairs = zip(self.original.species, self.starting_moments, strict=True)
        of_element = list({moment for symbol, moment in pairs if symbol == element})
        return of_element[0] if len(of_element) == 1 else None

    @property
    def starting_moments(self) -> list[float]:
        """The starting moment of each atom of the chosen crystal, Bohr magneton."""
        given = self._given_moments(self._with_atom_moments(self.original))
        return given if any(given) else moments_by_element(self.original.species).tolist()

    def _take_read(self, content: str | bytes, file_name: str, where: str) -> None:
        """Choose what is read and keep it; what was chosen or left out on the way is told beside the picture."""
        reading = read(content, file_name)
        own = OwnStructure(f"{reading.crystal.formula}{where}", reading.crystal, reading.notes)
        self._take_and_keep(own, PurePath(file_name).name)

    def _take_and_keep(self, own: OwnStructure, name: str) -> None:
        """Choose a structure that a person brings; what cannot be computed is not kept."""
        with self._several_changes():
            self._take(own.crystal, "", own.title)
            self.own_name, self.remarks = keep_structure(own, name, self.owner), own.remarks

    def _take_known(self, crystal: Crystal, shipped_name: str) -> None:
        """Choose a crystal under the name that it has here, if it is known."""
        if shipped_name:
            self._take(crystal, shipped_name, shipped_record(shipped_name)["title"])
        elif own_name := own_structure_like(crystal, self.owner):
            self.take_own(own_name)
        else:
            self._take(crystal, "", f"{crystal.formula} ({crystal.name})")

    def _take(self, crystal: Crystal, shipped_name: str, title: str) -> None:
        """Choose a crystal; nothing of the former one stays."""
        with self._several_changes():
            self.original, self._original_title = crystal, title
            self.edit, self.moments, self.atom_moments, self.remarks = CellEdit(), {}, (), ()
            self.shipped_name, self.own_name = shipped_name, ""
            self._build()

    def _build(self) -> None:
        """Make the structure from the chosen crystal, the edit and the moments."""
        try:
            crystal = self._with_moments(self.edit.apply(self._with_atom_moments(self.original)))
        except MlxcError as error:
            self.problem = str(error)
            return
        words = edit_in_words(self.edit)
        self.problem, self.repeats = "", self.edit.repeats
        self.title = ", ".join([self._original_title, *words])
        self.structure = crystal.to_dict()

    def _with_atom_moments(self, crystal: Crystal) -> Crystal:
        if not self.atom_moments:
            return crystal
        moments = np.array(self.atom_moments)
        return Crystal(crystal.lattice, crystal.species, crystal.positions, moments, crystal.name, crystal.origin)

    def _with_moments(self, crystal: Crystal) -> Crystal:
        moments = self._given_moments(crystal)
        for element, moment in [*self.moments.items(), *zip(crystal.species, moments, strict=True)]:
            if not (isfinite(moment) and abs(moment) <= LARGEST_MOMENT):
                raise InputError(
                    f"moments: {moment:g} for {element} is not allowed: give a number between "
                    f"{-LARGEST_MOMENT:g} and {LARGEST_MOMENT:g} Bohr magneton."
                )
        # What is strained is not what the references of its name are about.
        name = f"{crystal.name}, strained" if self.edit.deforms else crystal.name
        return Crystal(crystal.lattice, crystal.species, crystal.positions, moments, name, crystal.origin)

    def _given_moments(self, crystal: Crystal) -> list[float]:
        own = zip(crystal.species, crystal.moments.tolist(), strict=True)
        return [self.moments.get(symbol, moment) for symbol, moment in own]

    @contextmanager
    def _several_changes(self) -> Iterator[None]:
        """Changes that belong together: nobody is told of them before they are complete."""
        before, self._filling = self._filling, True
        try:
            with self.hold_trait_notifications():
                yield
        finally:
            self._filling = before


def edit_in_words(edit: CellEdit) -> list[str]:
    """What an edit does, in a few words each."""
    words = []
    if edit.lattice_constant_ang is not None:
        words.append(f"a = {edit.lattice_constant_ang:g} Å")
    if edit.scale_percent != 100:
        words.append(f"{edit.scale_percent:g} % of its size")
    if edit.deforms:
        words.append(f"strain {' / '.join(f'{strain:g}' for strain in edit.strain_percent)} %")
    if edit.height_ang is not None:
        words.append(f"height {edit.height_ang:g} Å")
    if edit.repeats != (1, 1, 1):
        words.append(f"{'×'.join(str(n) for n in edit.repeats)} cells")
    return words
