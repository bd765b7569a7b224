"""What is to be computed: crystal, functional, cutoff, k mesh and smearing, and whether that can be run."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from traitlets import Dict, Float, HasTraits, Int, Tuple, Unicode, observe

from mlxc.calculation import Calculation
from mlxc.crystal import Crystal
from mlxc.errors import InputError, MlxcError
from mlxc.export.settings import shipped_structure
from mlxc.feasibility import Size, check_calculation
from mlxc.runs.limits import Limits
from mlxc.structures import read_structure, shipped_record
from mlxc.xc.checkpoint_record import SUFFIX
from mlxc_app.setup_difference import setup_differences

LABELS = {
    "ecut_ha": "Cutoff (Ha)",
    "kmesh": "k mesh",
    "width_ha": "Width (Ha)",
    "smearing": "Smearing",
    "xc": "XC",
    "structure": "Crystal",
}
SETTINGS = ("structure", "xc", "ecut_ha", "kmesh", "smearing", "width_ha")


class ChooseModel(HasTraits):
    """The choices of a person, and the sentence that stands in the way of running them.

    Attributes:
        shipped_name: name of the shipped structure, empty for one from a file.
        structure: the crystal as plain lists, see ``Crystal.to_dict``.
        title: how the crystal is called on the page.
        blocker: why a run cannot start, in one sentence; empty if it can.
        size: how large the run is, in one sentence; empty if it cannot start.
    """

    shipped_name = Unicode()
    structure = Dict()
    title = Unicode()
    xc = Unicode("pbe")
    ecut_ha = Float()
    kmesh = Tuple(Int(), Int(), Int(), default_value=(1, 1, 1))
    smearing = Unicode("fermi-dirac")
    width_ha = Float(0.01)
    blocker = Unicode()
    size = Unicode()

    def __init__(self, shipped_name: str = "al") -> None:
        super().__init__()
        self._filling = False
        self.take_shipped(shipped_name)

    def take_shipped(self, name: str) -> None:
        """Choose a shipped structure and the settings that suit it."""
        record = shipped_record(name)
        structure = Crystal.load(name).to_dict()
        self._take(structure, name, record["title"])

    def take_file(self, file_name: str, content: bytes) -> None:
        """Choose the structure in an uploaded file (CIF, POSCAR, extxyz) and settings that suit it.

        Raises:
            InputError: the file holds no crystal that can be computed; the former choice stays.
        """
        crystal = read_structure(content, file_name)
        self._take(crystal.to_dict(), "", f"{crystal.formula} from {PurePath(file_name).name}")

    def take_calculation(self, calculation: Calculation) -> None:
        """Choose what a calculation says; settings that the page does not offer keep their defaults.

        Raises:
            InputError: the calculation has a setting that the page does not offer.
        """
        crystal, name = calculation.crystal, calculation.structure["name"]
        shipped = shipped_record(name)["title"] if shipped_structure(calculation) else ""
        self._take(calculation.structure, name if shipped else "", shipped or f"{crystal.formula} ({name})")
        for setting in SETTINGS:
            if (value := getattr(calculation, setting)) is not None:
                setattr(self, setting, value)
        if phrases := setup_differences(calculation, self.calculation()):
            raise InputError(f"The page cannot be set to all of it; what differs: {'; '.join(phrases)}.")

    def calculation(self) -> Calculation:
        """The calculation as chosen.

        Raises:
            InputError: something is not allowed.
        """
        values: dict[str, Any] = {name: getattr(self, name) for name in SETTINGS}
        if self.smearing == "none":
            values["width_ha"] = None
        return Calculation.from_dict(values)

    def run_title(self) -> str:
        """A short name for a run of these choices."""
        mesh = "×".join(str(n) for n in self.kmesh)
        # The functional may be a file, whose folder says nothing to a person.
        functional = PurePath(self.xc).stem if self.xc.endswith(SUFFIX) else self.xc
        return f"{self.title}, {functional}, {self.ecut_ha:g} Ha, k mesh {mesh}"

    def _take(self, structure: dict[str, Any], shipped_name: str, title: str) -> None:
        defaults = Calculation.from_dict({"structure": structure})
        self._filling = True
        try:
            self.shipped_name, self.title = shipped_name, title
            self.ecut_ha = defaults.ecut_ha
            self.kmesh = defaults.kmesh
            self.smearing = defaults.smearing
            self.width_ha = defaults.width_ha or 0.01
            self.structure = structure
        finally:
            self._filling = False
        self._find_blocker()

    @observe(*SETTINGS)
    def _find_blocker(self, change: Any = None) -> None:
        if self._filling:
            return
        try:
            calculation = self.calculation()
            Limits.from_environment().check(calculation)
            size = check_calculation(calculation)
        except MlxcError as error:
            self.blocker, self.size = _in_words_of_the_page(str(error)), ""
        else:
            self.blocker, self.size = "", _size_sentence(size)


def _in_words_of_the_page(sentence: str) -> str:
    """A sentence about a field, such as ``kmesh.0: ...``, with the label that the field has on the page."""
    field, colon, rest = sentence.partition(":")
    label = LABELS.get(field.split(".")[0])
    return f"{label}{colon}{rest}" if label else sentence


def _size_sentence(size: Size) -> str:
    return (
        f"{size.electrons} valence electrons in the cell, {size.irreducible_kpoints} k points after symmetry, "
        f"about {size.functions} plane waves for each."
    )
