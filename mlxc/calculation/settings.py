"""The settings of a calculation as data, and how a person meets each of them.

A setting is one field of :class:`CalculationSettings`. Its option on the command line, its label on the page, its unit,
its help and its range stand there and nowhere else: options, forms, exported commands and the differences between two
set-ups are made of them. Imports no torch.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from mlxc.basis.kind import BasisKind
from mlxc.basis.kinds import BASES, DEFAULT_BASIS
from mlxc.calculation.setting import Setting
from mlxc.calculation.validation import build_model
from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.kohn_sham.spin import check_spin
from mlxc.pseudo.library import FAMILIES
from mlxc.terms.selectable import SELECTABLE, selected_terms

SmearingName = Literal["none", "fermi-dirac", "gaussian", "marzari-vanderbilt"]
Vector = tuple[float, float, float]
KPointCount = Annotated[int, Field(ge=1, le=100)]
# The key of a structure as plain data that tells of another cell.
GIVEN_CELL = "given_cell"
# Settings that are recorded only where they ask for something.
LEFT_OUT = ("terms", "uncertainty")


class GivenCell(BaseModel):
    """The cell that was given, where another one of the same lattice is computed since it is very skewed.

    Attributes:
        lattice_ang: The lattice vectors in rows, angstrom.
        kmesh: The k mesh that was given for it; None where none was.
        same_kpoints: Whether the mesh that is computed has the very same k points as that mesh.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    lattice_ang: tuple[Vector, Vector, Vector]
    kmesh: tuple[int, int, int] | None = None
    same_kpoints: bool = True


def plain_structure(value: Any) -> dict[str, Any]:
    """A structure as the plain data of :meth:`mlxc.Crystal.to_dict`, with its ``given_cell`` if it is plain data and
    has one, see :class:`GivenCell`.

    Args:
        value: A crystal, its plain data, or the name of a shipped structure or of a file.

    Raises:
        InputError: it is none of these.
    """
    if isinstance(value, Crystal):
        return value.to_dict()
    if isinstance(value, str):
        return Crystal.load(value).to_dict()
    if isinstance(value, dict):
        given = value.get(GIVEN_CELL)
        cell = {} if given is None else {GIVEN_CELL: build_model(GivenCell, given).model_dump(mode="json")}
        return Crystal.from_dict(value).to_dict() | cell
    raise InputError("structure: give a shipped name, a file, or the lattice, species and positions.")


def _known_basis(name: Any) -> Any:
    if name not in tuple(BASES):
        *others, last = (f"'{known}'" for known in BASES)
        raise ValueError(f"input should be {', '.join(others)} or {last}")
    return name


class CalculationSettings(BaseModel):
    """What to compute and how, as plain data that is checked when it is made."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    structure: Annotated[
        dict[str, Any],
        BeforeValidator(plain_structure),
        Setting(
            option="structure",
            label="Crystal",
            help="a shipped name such as 'al', a file (CIF, POSCAR, ...), or optimade:PROVIDER/ID",
        ),
    ]
    xc: Annotated[
        str,
        Setting(
            option="--xc",
            label="Functional",
            metavar="NAME",
            help="functional, checkpoint, libxc's gga_x_b88,gga_c_lyp, or a sum: '0.5*pbe + 0.5*lda' (pbe)",
        ),
    ] = "pbe"
    basis: Annotated[
        str,
        BeforeValidator(_known_basis),
        Setting(
            option="--basis",
            label="Basis",
            metavar="KIND",
            help="basis set: plane waves, pw, or Gaussian orbitals, gaussian (%(default)s)",
        ),
    ] = DEFAULT_BASIS
    gaussian_basis: Annotated[
        str | None,
        Setting(
            option="--gaussian-basis",
            label="Basis set",
            metavar="NAME",
            help="of Gaussian orbitals, such as gth-tzvp (gth-dzvp-molopt-sr)",
        ),
    ] = None
    gaussian_basis_names: Annotated[
        dict[str, str],
        Setting(
            option="--gaussian-name",
            label="Basis sets by element",
            metavar="EL=NAME",
            help="another set for an element",
            takes="ELEMENT=NAME, such as Al=gth-tzvp",
            on_page=False,
        ),
    ] = Field(default_factory=dict)
    ecut_ha: Annotated[
        float,
        Setting(
            option="--ecut",
            label="Cutoff",
            unit="Ha",
            metavar="HA",
            help="plane-wave cutoff, which is also the grid's, hartree (what pseudopotentials or Gaussians need)",
        ),
    ] = Field(gt=0, le=1000, allow_inf_nan=False)
    kmesh: Annotated[
        tuple[KPointCount, KPointCount, KPointCount],
        Setting(option="--kmesh", label="k mesh", metavar="N", help="Gamma-centred k mesh"),
    ]
    smearing: Annotated[
        SmearingName,
        Setting(
            option="--smearing",
            label="Smearing",
            metavar="KIND",
            help="fermi-dirac, gaussian, marzari-vanderbilt, or none (fixed occupations)",
        ),
    ] = "fermi-dirac"
    width_ha: Annotated[
        float | None,
        Setting(
            option="--width",
            label="Smearing width",
            unit="Ha",
            metavar="HA",
            help="width of the smearing, hartree",
        ),
    ] = Field(default=0.01, gt=0, le=1, allow_inf_nan=False)
    spin: Annotated[
        bool,
        Setting(
            option="--spin",
            label="Spin-polarised",
            help="collinear spin, from the moments of the structure or its elements (where it is often needed)",
        ),
    ] = False
    total_moment: Annotated[
        float | None,
        Setting(
            option="--total-moment",
            label="Total moment",
            unit="μB",
            metavar="MB",
            help="magnetic moment of the cell to hold, Bohr magneton",
        ),
    ] = Field(default=None, allow_inf_nan=False)
    pseudo: Annotated[
        str,
        Setting(
            option="--pseudo",
            label="Pseudopotentials",
            metavar="FAMILY",
            help=f"pseudopotentials: {', '.join(FAMILIES)}, or a folder",
        ),
    ]
    pseudo_names: Annotated[
        dict[str, str],
        Setting(
            option="--pseudo-name",
            label="Pseudopotentials",
            metavar="EL=NAME",
            help="such as Mg=GTH-PBE-q2 O=GTH-PBE-q6",
            takes="ELEMENT=NAME, such as Al=GTH-PBE-q3",
        ),
    ] = Field(default_factory=dict)
    fft_grid: Annotated[
        tuple[int, int, int] | None,
        Setting(option="--fft-grid", label="FFT grid", metavar="N", help="real-space grid", on_page=False),
    ] = None
    cutoff_smoothing_ha: Annotated[
        float,
        Setting(
            option="--cutoff-smoothing",
            label="Smoothing of the cutoff",
            unit="Ha",
            metavar="HA",
            help="smooths energies as functions of the volume, hartree",
            on_page=False,
        ),
    ] = Field(default=0.0, ge=0, le=10, allow_inf_nan=False)
    tolerance: Annotated[
        float,
        Setting(
            option="--tolerance",
            label="Density tolerance",
            unit="per e⁻",
            metavar="T",
            help="density residual at which the SCF has converged",
        ),
    ] = Field(default=1e-6, ge=1e-14, le=1e-1, allow_inf_nan=False)
    max_iterations: Annotated[
        int,
        Setting(option="--max-iterations", label="Most SCF steps", metavar="N", help="SCF steps before giving up"),
    ] = Field(default=60, ge=1, le=10_000)
    terms: Annotated[
        dict[str, str],
        Setting(
            option="--term",
            label="Further terms of the energy",
            metavar="NAME=VALUE",
            help="a further term of the energy: "
            + "; ".join(f"{name}=...: {term.help}" for name, term in SELECTABLE.items()),
            takes="NAME=VALUE, such as external_potential=v.cube",
            on_page=False,
        ),
    ] = Field(default_factory=dict)
    device: Annotated[
        str,
        Setting(option="--device", label="Device", metavar="D", help="where torch computes (cpu)", on_page=False),
    ] = "cpu"
    seed: Annotated[
        int,
        Setting(option="--seed", label="Seed", metavar="N", help="seed of the random numbers (0)", on_page=False),
    ] = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _smearing_has_width(self) -> CalculationSettings:
        if self.smearing != "none" and self.width_ha is None:
            raise ValueError(f"a width is needed for {self.smearing} smearing")
        return self

    @model_validator(mode="after")
    def _basis_has_its_settings(self) -> CalculationSettings:
        self.basis_kind.check_settings(self.model_dump())
        for other in BASES.values():
            for name, words in other.own_settings.items():
                if other is not self.basis_kind and getattr(self, name):
                    raise InputError(
                        f"{name}: {self.basis_kind.title} have no {words}; choose the basis {other.name} as well."
                    )
        return self

    @model_validator(mode="after")
    def _spin_settings_agree(self) -> CalculationSettings:
        check_spin(self.spin, self.total_moment, self.smearing == "none")
        return self

    @field_validator("terms")
    @classmethod
    def _can_be_selected(cls, terms: dict[str, str]) -> dict[str, str]:
        selected_terms(terms)
        return terms

    @model_serializer(mode="wrap")
    def _without_what_is_not_asked_for(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A calculation of the standard terms is recorded by the settings that it has."""
        fields: dict[str, Any] = dump(self)
        return {name: value for name, value in fields.items() if name not in LEFT_OUT or value}

    @property
    def crystal(self) -> Crystal:
        """The structure as a :class:`Crystal`."""
        return Crystal.from_dict(self.structure)

    @property
    def given_cell(self) -> GivenCell | None:
        """The cell that was given, where it is not the one that is computed."""
        given = self.structure.get(GIVEN_CELL)
        return None if given is None else GivenCell.model_validate(given)

    @property
    def basis_kind(self) -> BasisKind:
        """The kind of basis that is named."""
        return BASES[self.basis]
