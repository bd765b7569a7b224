"""One serialisable description of a run, shared by the command line, the page, sweeps and saved results.

Nothing here imports torch: a page can describe, check and watch a run without computing it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.resizing import Variation, natural_variation, resized
from mlxc.errors import InputError

if TYPE_CHECKING:
    from mlxc.kohn_sham.monitor import Monitor
    from mlxc.kohn_sham.state import GroundState

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

    def run(self, monitor: Monitor | None = None, start: GroundState | Sequence[GroundState] = ()) -> GroundState:
        """Compute the ground state, and once it is converged its forces and stress, where the basis gives them.

        Args:
            monitor: called with one record per SCF step; may stop the run.
            start: a result of a similar crystal whose density and orbitals are taken as the guess, or several of them.
        """
        from mlxc.kohn_sham.loop import run_calculation
        from mlxc.properties.forces import forces_and_stress

        self.check()
        ground = run_calculation(self, monitor=monitor, start=start)
        if ground.converged and ground.basis.gives_forces:
            ground.forces, ground.stress = forces_and_stress(ground)
        return ground


def check_spin(spin: bool, total_moment: float | None, fixed_occupations: bool) -> None:
    """Say what is missing when the settings of spin do not make a calculation.

    Raises:
        InputError: a total moment without spin, or spin with fixed occupations and no total moment.
    """
    if total_moment is not None and not spin:
        raise InputError("total_moment: a moment needs a spin-polarised calculation; switch spin on as well.")
    if spin and fixed_occupations and total_moment is None:
        raise InputError("total_moment: with spin and fixed occupations the total moment must be given.")


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
