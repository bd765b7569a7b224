"""What is to be computed: crystal, functional, basis, k mesh, smearing and spin, and whether that can be run."""

from __future__ import annotations

from contextlib import suppress
from math import ceil, isfinite
from typing import Any

from traitlets import Bool, Dict, Float, Int, Tuple, Unicode, observe

from mlxc.basis.kind import BasisKind
from mlxc.basis.kinds import BASES, DEFAULT_BASIS
from mlxc.calculation.calculation import Calculation
from mlxc.calculation.feasibility import check_calculation
from mlxc.calculation.notes import basis_note, cell_note, spin_note
from mlxc.calculation.presets import PRESETS
from mlxc.calculation.settings import GIVEN_CELL, GivenCell
from mlxc.crystal.cell_edits import CellEdit
from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError, MlxcError
from mlxc.export.settings import shipped_structure
from mlxc.pseudo.library import families_with
from mlxc.pseudo.made_for import made_for
from mlxc.runs.limits import Limits
from mlxc.structures.default_settings import flat_along_vacuum, mesh_with_spacing, spacing_of_mesh
from mlxc.tasks.kinds import required_calculation, settings_of_its_kind
from mlxc.tasks.task import AnyTask
from mlxc_app.choose.labels import SETTINGS, field_of, in_words_of_the_page
from mlxc_app.choose.setup_difference import differences
from mlxc_app.choose.structure_model import StructureModel
from mlxc_app.choose.words import estimate_sentence, functional_in_words, size_sentence, without_folders

BALANCED, CUSTOM = "balanced", ""
USUAL_FUNCTIONAL = "pbe"


class ChooseModel(StructureModel):
    """The choices of a person, and the sentence that stands in the way of running them.

    A new crystal brings all settings with it, but the functional and the preset, which stay.

    Attributes:
        basis: One of :data:`mlxc.basis.kinds.BASES`.
        gaussian_basis: The name of the set, empty for a basis without sets.
        gaussian_sets: The names of the sets that have functions for all elements.
        spacing_per_ang: The largest distance between points of the k mesh, 1/angstrom.
        total_moment: The total moment to hold, Bohr magneton; None where it finds its own value.
        preset: The preset whose settings these are, empty if they are a person's own.
        blocker: Why a run cannot start, in one sentence; empty if it can.
        spin_note: What a person should know of the choice of spin, in one sentence; empty if there is nothing.
        cell_note: The sentence about another cell being computed than the one that was given, likewise.
        basis_note: What may be wrong with the basis, likewise.
        blocked_field: The setting that stands in the way; empty if there is none, or it is none of these.
        size: How large the run is, in one sentence; empty if it cannot start.
        estimate: An estimate of time and memory, in one sentence; empty if it cannot start.
    """

    xc = Unicode(USUAL_FUNCTIONAL)
    basis = Unicode(DEFAULT_BASIS)
    gaussian_basis = Unicode()
    gaussian_sets = Tuple()
    ecut_ha = Float()
    kmesh = Tuple(Int(), Int(), Int(), default_value=(1, 1, 1))
    spacing_per_ang = Float()
    smearing = Unicode("fermi-dirac")
    width_ha = Float(0.01)
    spin = Bool(False)
    total_moment = Float(None, allow_none=True)
    pseudo = Unicode()
    pseudo_names = Dict()
    tolerance = Float(1e-6)
    max_iterations = Int(60)
    preset = Unicode(BALANCED)
    blocker = Unicode()
    blocked_field = Unicode()
    spin_note = Unicode()
    cell_note = Unicode()
    basis_note = Unicode()
    size = Unicode()
    estimate = Unicode()

    def __init__(self, shipped_name: str = "al") -> None:
        super().__init__()
        # Of the crystal as it was chosen, whatever the supercell.
        self._mesh_of_original = (1, 1, 1)
        self._given_cell: GivenCell | None = None
        # What a person has chosen last, which the next crystal gets as well.
        self._wanted_preset = BALANCED
        self.take_shipped(shipped_name)

    def calculation(self) -> Calculation:
        """The calculation as chosen.

        Raises:
            InputError: something is not allowed.
        """
        if self.problem:
            raise InputError(self.problem)
        values: dict[str, Any] = {name: getattr(self, name) for name in SETTINGS}
        for setting in {name for kind in BASES.values() for name in kind.own_settings}.intersection(values):
            values[setting] = self._own_setting(setting) if setting in self.kind.own_settings else None
        if self.smearing == "none":
            values["width_ha"] = None
        if not self.spin:
            values["total_moment"] = None
        if self._given_cell is not None and self.edit == CellEdit():
            values["structure"] = self.structure | {GIVEN_CELL: self._given_cell.model_dump(mode="json")}
        return Calculation.from_dict(values)

    def take_calculation(self, task: AnyTask) -> None:
        """Choose what the calculation of a task says, but for what nobody has chosen there.

        Raises:
            InputError: it is about no calculation, has a setting that the page does not offer, or cannot be computed
                here; the page takes over what it can.
        """
        calculation, nobodys = required_calculation(task), settings_of_its_kind(task)
        with self._several_changes():
            self.xc = calculation.xc
            self._take_known(calculation.crystal, shipped_structure(calculation) or "")
            self.basis = calculation.basis
            self._turn_to_basis()
            for setting in (name for name in SETTINGS if name != "structure" and name not in nobodys):
                if (value := getattr(calculation, setting)) is not None:
                    setattr(self, setting, value)
            self.total_moment = calculation.total_moment
            self._given_cell, self.cell_note = calculation.given_cell, cell_note(calculation)
            self._mesh_of_original = calculation.kmesh
            self._look()
        if found := differences(calculation, self.calculation(), but=nobodys):
            phrases = "; ".join(difference.phrase for difference in found)
            raise InputError(f"The page cannot be set to all of it; what differs: {phrases}.")

    def run_title(self) -> str:
        """A short name for a run of these choices."""
        # The functional may be a file, whose folder says nothing to a person.
        return f"{self.title}, {functional_in_words(self.xc)}, {self.settings_in_short()}"

    def settings_in_short(self) -> str:
        """Basis, cutoff, k mesh and spin in a few words."""
        mesh = "×".join(str(n) for n in self.kmesh)
        basis = self.kind.in_short({name: getattr(self, name) for name in SETTINGS})
        return f"{basis}, k mesh {mesh}{', spin' if self.spin else ''}"

    def choose_preset(self, name: str) -> None:
        """Take cutoff, k mesh and tolerance of a preset, see :mod:`mlxc.calculation.presets`."""
        self._wanted_preset = name
        with self._several_changes():
            settings = PRESETS[name].settings(self._recommended)
            self.ecut_ha, self.tolerance = settings["ecut_ha"], settings["tolerance"]
            self._mesh_of_original = settings["kmesh"]
            self.kmesh = self._in_supercell(self._mesh_of_original)
            self._look()

    def choose_spacing(self, spacing_per_ang: float) -> None:
        """Take the smallest k mesh whose points are no farther apart than this.

        Raises:
            InputError: it is no positive number.
        """
        if not (isfinite(spacing_per_ang) and spacing_per_ang > 0):
            raise InputError(f"k spacing: {spacing_per_ang:g} is not allowed: give a positive number, such as 0.3 1/Å.")
        crystal = Crystal.from_dict(self.structure)
        self.kmesh = tuple(flat_along_vacuum(crystal, mesh_with_spacing(crystal, spacing_per_ang)))

    def families(self) -> list[str]:
        """The pseudopotential families that have all elements and suit the basis."""
        return [family for family in families_with(self.elements) if self.kind.suits_pseudopotentials(family)]

    @property
    def kind(self) -> BasisKind:
        """The kind of basis that is chosen."""
        return BASES[self.basis]

    def _own_setting(self, name: str) -> Any:
        """A setting that only the chosen kind of basis has."""
        if name == "gaussian_basis" and not self.gaussian_sets:
            raise InputError(
                f"basis: no set of {self.kind.title} has functions for all of {', '.join(self.elements)}; "
                f"choose {BASES[DEFAULT_BASIS].title}."
            )
        return getattr(self, name)

    def _take(self, crystal: Crystal, shipped_name: str, title: str) -> None:
        # What cannot be computed at all leaves the former choice as it is.
        recommended = Calculation.from_dict({"structure": crystal, "xc": self.xc})
        with self._several_changes():
            # A very skewed cell is computed in its reduced one, and what is edited is what is computed.
            self._given_cell = recommended.given_cell
            super()._take(crystal if self._given_cell is None else recommended.crystal, shipped_name, title)
            self.cell_note = cell_note(recommended)
            self._recommended = recommended
            self.basis, self.gaussian_sets, self.gaussian_basis = DEFAULT_BASIS, (), ""
            self.pseudo, self.pseudo_names = recommended.pseudo, recommended.pseudo_names
            self.smearing = self._recommended.smearing
            self.width_ha = self._recommended.width_ha or 0.01
            self.spin, self.total_moment = self._recommended.spin, None
            self.max_iterations = self._recommended.max_iterations
            self.choose_preset(self._wanted_preset)

    def _recommend(self, recommended: Calculation, is_other_basis: bool) -> None:
        """Take other pseudopotentials, and the cutoff that suits them and the preset where nobody has typed one.

        A cutoff of another kind of basis means something else, whoever has typed it.
        """
        usual = PRESETS[BALANCED] if is_other_basis else None
        cutoffs = {preset.settings(self._recommended)["ecut_ha"]: preset for preset in PRESETS.values()}
        suggesting = PRESETS.get(self.preset, cutoffs.get(self.ecut_ha, usual))
        self._recommended = recommended
        self.pseudo, self.pseudo_names = recommended.pseudo, recommended.pseudo_names
        if suggesting is not None:
            self.ecut_ha = suggesting.settings(recommended)["ecut_ha"]

    @observe("edit", "moments", "atom_moments")
    def _rebuild(self, change: Any) -> None:
        if self._filling:
            return
        with self._several_changes():
            self._build()
            self.kmesh = self._in_supercell(self._mesh_of_original)
            self._look()

    @observe("xc")
    def _renew_table(self, change: Any) -> None:
        """A functional that others of PseudoDojo's or the GTH tables are made for may need another cutoff."""
        if made_for(change["old"]) != made_for(change["new"]):
            self._renew_recommendation(change)

    @observe("basis", "gaussian_basis", "pseudo")
    def _renew_recommendation(self, change: Any) -> None:
        """For another basis or other pseudopotentials another cutoff is recommended."""
        if self._filling:
            return
        with self._several_changes():
            wanted: dict[str, Any] = {"structure": self.original, "basis": self.basis, "xc": self.xc}
            if change["name"] == "basis":
                self._turn_to_basis()
            else:
                wanted["pseudo"] = self.pseudo
            if self.gaussian_basis:
                wanted["gaussian_basis"] = self.gaussian_basis
            with suppress(MlxcError):  # the blocker will say why
                self._recommend(Calculation.from_dict(wanted), change["name"] == "basis")
            self._look()

    def _turn_to_basis(self) -> None:
        usual, names = self.kind.usual_set, self.kind.basis_sets(self.elements)
        self.gaussian_sets = names
        self.gaussian_basis = usual if usual in names else next(iter(names), "")

    @observe("kmesh")
    def _remember_mesh(self, change: Any) -> None:
        if not self._filling and min(self.kmesh) >= 1:
            self._mesh_of_original = tuple(n * repeat for n, repeat in zip(self.kmesh, self.repeats, strict=True))

    def _in_supercell(self, mesh: tuple[int, int, int]) -> tuple[int, ...]:
        """The mesh of the edited crystal that is as dense as this one of the original."""
        return tuple(ceil(n / repeat) for n, repeat in zip(mesh, self.repeats, strict=True))

    @observe(*SETTINGS)
    def _setting_changed(self, change: Any) -> None:
        if not self._filling:
            self._look()

    def _look(self) -> None:
        """See whether this can be run, and what it costs."""
        self.preset = self._matching_preset()
        try:
            calculation = self.calculation()
            Limits.from_environment().check(calculation)
            size = check_calculation(calculation)
        except MlxcError as error:
            sentence = without_folders(str(error), self.xc)
            self.blocker, self.size, self.estimate = in_words_of_the_page(sentence), "", ""
            self.spin_note = self.basis_note = ""
            self.blocked_field = field_of(sentence)
        else:
            self.spacing_per_ang = spacing_of_mesh(calculation.crystal, calculation.kmesh)
            self.blocked_field = ""
            self.blocker, self.size = "", size_sentence(size, calculation)
            self.estimate = estimate_sentence(size, calculation)
            self.spin_note, self.basis_note = spin_note(calculation), basis_note(calculation)

    def _matching_preset(self) -> str:
        for name, preset in PRESETS.items():
            settings = preset.settings(self._recommended)
            mesh = self._in_supercell(settings["kmesh"])
            own = (settings["ecut_ha"], settings["tolerance"], mesh)
            if own == (self.ecut_ha, self.tolerance, self.kmesh):
                return name
        return CUSTOM
