"""One serialisable description of a run, shared by the command line, the page, sweeps and saved results.

Nothing here imports torch: a page can describe, check and watch a run without computing it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.resizing import Variation, check_variation, natural_variation, resized
from mlxc.errors import InputError
from mlxc.kohn_sham.spin import check_spin
from mlxc.terms.selectable import selected_terms

if TYPE_CHECKING:
    from mlxc.kohn_sham.monitor import Monitor
    from mlxc.kohn_sham.solved_state import SolvedState
    from mlxc.kohn_sham.state import GroundState
    from mlxc.properties.eos import EquationOfState
    from mlxc.response.adjoint import Adjoint
    from mlxc.response.choice import AdjointName

Smearing = Literal["none", "fermi-dirac", "gaussian", "marzari-vanderbilt"]
Three = tuple[int, int, int]
# For energies at several volumes: a smoothed cutoff makes them smooth functions of the volume, and with this tolerance
# of the density, in whose error that of the energy is of second order, they are accurate to about 1e-9 Ha.
CURVE_DEFAULTS: dict[str, Any] = {"cutoff_smoothing_ha": 0.5, "tolerance": 1e-5}
Model = TypeVar("Model", bound=BaseModel)


def _structure(value: Any) -> dict[str, Any]:
    if isinstance(value, Crystal):
        return value.to_dict()
    if isinstance(value, str):
        return Crystal.load(value).to_dict()
    if isinstance(value, dict):
        return Crystal.from_dict(value).to_dict()
    raise InputError("structure: give a shipped name, a file, or the lattice, species and positions.")


class Calculation(BaseModel):
    """A self-consistent calculation: what to compute and how.

    Build it with :meth:`from_dict`, which fills what is missing with defaults that suit the structure and turns every
    mistake into one sentence.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    structure: Annotated[dict[str, Any], BeforeValidator(_structure)]
    xc: str = "pbe"
    basis: Literal["pw", "gaussian"] = "pw"
    gaussian_basis: str | None = None
    gaussian_basis_names: dict[str, str] = Field(default_factory=dict)
    ecut_ha: float = Field(gt=0, le=1000, allow_inf_nan=False)
    kmesh: tuple[
        Annotated[int, Field(ge=1, le=100)], Annotated[int, Field(ge=1, le=100)], Annotated[int, Field(ge=1, le=100)]
    ]
    smearing: Smearing = "fermi-dirac"
    width_ha: float | None = Field(default=0.01, gt=0, le=1, allow_inf_nan=False)
    spin: bool = False
    total_moment: float | None = Field(default=None, allow_inf_nan=False)
    pseudo: str
    pseudo_names: dict[str, str] = Field(default_factory=dict)
    fft_grid: Three | None = None
    cutoff_smoothing_ha: float = Field(default=0.0, ge=0, le=10, allow_inf_nan=False)
    tolerance: float = Field(default=1e-6, ge=1e-14, le=1e-1, allow_inf_nan=False)
    max_iterations: int = Field(default=60, ge=1, le=10_000)
    device: str = "cpu"
    seed: int = Field(default=0, ge=0)
    terms: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _smearing_has_width(self) -> Calculation:
        if self.smearing != "none" and self.width_ha is None:
            raise ValueError(f"a width is needed for {self.smearing} smearing")
        return self

    @model_validator(mode="after")
    def _names_gaussians_if_it_uses_them(self) -> Calculation:
        if self.basis == "gaussian" and self.gaussian_basis is None:
            raise ValueError("a basis of Gaussian orbitals needs the name of a basis set")
        if self.basis == "pw" and (self.gaussian_basis or self.gaussian_basis_names):
            raise InputError(
                "gaussian_basis: plane waves have no Gaussian basis set; choose the basis gaussian as well."
            )
        return self

    @model_validator(mode="after")
    def _spin_settings_agree(self) -> Calculation:
        check_spin(self.spin, self.total_moment, self.smearing == "none")
        return self

    @field_validator("terms")
    @classmethod
    def _can_be_selected(cls, terms: dict[str, str]) -> dict[str, str]:
        selected_terms(terms)
        return terms

    @model_serializer(mode="wrap")
    def _without_terms_where_there_are_none(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A calculation of the standard terms is recorded by the settings that it has."""
        fields: dict[str, Any] = dump(self)
        return {name: value for name, value in fields.items() if name != "terms" or value}

    @property
    def crystal(self) -> Crystal:
        """The structure as a :class:`Crystal`."""
        return Crystal.from_dict(self.structure)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Calculation:
        """Make a calculation from plain data; ``structure`` (name, file, or lists) is the only required field.

        Raises:
            InputError: with one sentence that names the field, the value and what is allowed.
        """
        return build_model(cls, _with_structure_defaults(data))

    def with_crystal(self, crystal: Crystal) -> Calculation:
        """The same settings for another crystal (the FFT grid chosen anew)."""
        return self.model_copy(update={"structure": crystal.to_dict(), "fft_grid": None})

    def at_volumes(self, ratios: Sequence[float], vary: Variation | None = None) -> list[Calculation]:
        """The same settings at several volumes, in units of the crystal's, all on the grid of the largest one.

        What a grid leaves out of E_xc is more than the differences between neighbouring volumes where a core is sharp,
        so a change of the grid between them would show as a step of the energy.

        Args:
            ratios: of the volumes to the crystal's.
            vary: ``area``: the height of the cell stays, so that these are ratios of areas too; by default that of
                sheets, see :mod:`mlxc.crystal.resizing`.

        Raises:
            InputError: an area is to vary, and the crystal is no sheet.
        """
        from mlxc.crystal.symmetry import SpaceGroup
        from mlxc.grid.shape import choose_shape, grid_radius

        vary = vary or natural_variation(self.crystal)
        crystals = [resized(self.crystal, float(ratio), vary) for ratio in ratios]
        largest = max(crystals, key=lambda crystal: crystal.volume)
        grid = self.fft_grid or choose_shape(largest.lattice, grid_radius(self.ecut_ha), SpaceGroup.of(largest))
        return [self.with_crystal(crystal).model_copy(update={"fft_grid": grid}) for crystal in crystals]

    def check(self) -> None:
        """Find what would stop the run before anything is computed: functional, pseudopotentials, electrons, memory.

        Raises:
            InputError: with one sentence.
        """
        from mlxc.calculation.feasibility import check_calculation

        check_calculation(self)

    def run(
        self,
        monitor: Monitor | None = None,
        start: SolvedState | Sequence[SolvedState] = (),
        *,
        forces: bool = True,
        differentiate: AdjointName | Adjoint | None = "implicit",
    ) -> GroundState:
        """Check the calculation and compute the ground state, see :func:`mlxc.scf`.

        Args:
            monitor: called with one record per SCF step; may stop the run.
            start: a result of a similar crystal whose density and orbitals are taken as the guess, or several of them.
            forces: compute forces and stress as well, once the state has converged and where the basis gives them.
            differentiate: the way to gradients of what is not an energy; None where nobody asks for them.

        Raises:
            InputError: the calculation cannot be done.
            RunStoppedError: the monitor stopped the run.
        """
        from mlxc.calculation.run import run_calculation

        self.check()
        return run_calculation(self, monitor, start, forces=forces, differentiate=differentiate)


class EquationOfStateTask(BaseModel):
    """Energies of one crystal at several volumes, fixed cell shape and fractional positions.

    Of a sheet, which has a vacuum along exactly one lattice direction, the area of the cell varies and its height
    stays, unless ``vary`` says ``volume``. The lowest and the highest volume are in units of the given one, or of the
    given area.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    calculation: Calculation
    points: int = Field(default=7, ge=4, le=50)
    lowest_volume: float = Field(default=0.94, gt=0.3, lt=1, allow_inf_nan=False)
    highest_volume: float = Field(default=1.06, gt=1, lt=3, allow_inf_nan=False)
    vary: Variation = Field(default=None, validate_default=True)

    @field_validator("vary", mode="before")
    @classmethod
    def _suits_the_structure(cls, vary: Any, info: ValidationInfo) -> Any:
        calculation = info.data.get("calculation")
        if vary is None and calculation is not None:
            return natural_variation(calculation.crystal)
        if vary == "area" and calculation is not None:
            check_variation(calculation.crystal, vary)
        return vary

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> EquationOfStateTask:
        """Make the task from plain data; the key ``calculation`` is filled as in :meth:`Calculation.from_dict`.

        What is not given there is first taken from ``CURVE_DEFAULTS``.
        """
        calculation = Calculation.from_dict(CURVE_DEFAULTS | data.get("calculation", {}))
        return build_model(cls, {**data, "calculation": calculation})

    @property
    def ratios(self) -> list[float]:
        """The volumes, ascending, in units of the crystal's."""
        step = (self.highest_volume - self.lowest_volume) / (self.points - 1)
        return [self.lowest_volume + index * step for index in range(self.points)]

    def run(
        self, monitor: Monitor | None = None, on_point: Callable[[dict[str, Any]], None] | None = None
    ) -> EquationOfState:
        """Compute all points, each starting from the density and orbitals of the one before.

        Args:
            monitor: called with one record per SCF step of every point.
            on_point: called after each point with its ``index``, ``points``, ``volume_ang3``, ``energy_ev``, and, where
                the area varies, ``area_ang2``, else None.
        """
        from mlxc.tasks.eos.run import run_equation_of_state

        self.calculation.check()
        return run_equation_of_state(self, monitor=monitor, on_point=on_point)


def _with_structure_defaults(data: dict[str, Any]) -> dict[str, Any]:
    """Fill pseudopotentials, cutoff, k mesh and smearing from the structure; what is given, and not None, wins."""
    from mlxc.structures.shipped import default_settings

    given = {key: value for key, value in data.items() if value is not None}
    if "structure" not in given:
        raise InputError("structure: a calculation needs a structure: a shipped name, a file, or lattice and atoms.")
    structure = _structure(given["structure"])
    given = _pseudopotential_settings(structure, given) | given
    if given.get("smearing") == "none":
        given["width_ha"] = None
        return {**default_settings(structure), **given, "structure": structure, "width_ha": None}
    defaults = default_settings(structure)
    if "smearing" in given and defaults.get("width_ha") is None:
        defaults["width_ha"] = 0.01
    if "width_ha" in given and defaults.get("smearing") == "none":
        defaults["smearing"] = "fermi-dirac"
    return {**defaults, **given, "structure": structure}


def _pseudopotential_settings(structure: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """``pseudo``, ``pseudo_names`` and ``ecut_ha`` that suit the structure and what else is given."""
    from mlxc.pseudo.cutoffs import recommended_cutoff
    from mlxc.pseudo.gth_table import GTH_FAMILIES
    from mlxc.pseudo.library import default_family
    from mlxc.structures.shipped import gth_settings

    species = Crystal.from_dict(structure).species
    if given.get("basis") == "gaussian":
        return _gaussian_settings(species, given)
    family = given.get("pseudo") or default_family(species)
    settings = gth_settings(structure) if family in GTH_FAMILIES else {}
    names = given.get("pseudo_names", settings.get("pseudo_names", {}))
    if "ecut_ha" not in given | settings:
        name_of = names if isinstance(names, dict) else {}
        settings["ecut_ha"] = max(recommended_cutoff(s, str(family), name_of.get(s)) for s in species)
    return {"pseudo": family, "pseudo_names": names} | settings


def _gaussian_settings(species: tuple[str, ...], given: dict[str, Any]) -> dict[str, Any]:
    """``pseudo`` and ``ecut_ha`` that suit Gaussian functions."""
    from mlxc.basis.gaussian.sets import DEFAULT_GAUSSIAN_BASIS, grid_cutoff

    name, names = str(given.get("gaussian_basis", DEFAULT_GAUSSIAN_BASIS)), given.get("gaussian_basis_names", {})
    settings: dict[str, Any] = {"pseudo": "gth", "gaussian_basis": name}
    if "ecut_ha" not in given:
        settings["ecut_ha"] = round(grid_cutoff(species, name, names if isinstance(names, dict) else {}), 2)
    return settings


def build_model(model: type[Model], data: dict[str, Any]) -> Model:
    """Validate ``data`` as ``model``; a mistake becomes an :class:`InputError` with one sentence."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        cause = first.get("ctx", {}).get("error")
        if isinstance(cause, InputError):
            raise cause from None
        field = ".".join(str(part) for part in first["loc"]) or "calculation"
        reason = first["msg"].removeprefix("Value error, ").replace("valid tuple", "list")
        if first["type"] == "extra_forbidden":
            sentence = f"{field}: there is no such setting; the settings are {', '.join(model.model_fields)}."
        elif first["type"] == "missing":
            sentence = f"{field}: this is missing and has to be given."
        elif isinstance(first.get("input"), (str, int, float, list, tuple, type(None))):
            sentence = f"{field}: {first['input']!r} is not allowed: {reason[0].lower()}{reason[1:]}."
        else:
            sentence = f"{field}: {reason[0].lower()}{reason[1:]}."
        raise InputError(sentence) from None
