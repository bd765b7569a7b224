"""The HDF5 file of a self-consistent result: the names and shapes of all that is in it.

No torch is imported, and h5py only where a file is opened.

Data sets are in atomic units. ``nk`` counts irreducible k points, rows of spin up come before those of spin down.

===========================  ======================================  =================================================
data set                     shape                                   meaning
===========================  ======================================  =================================================
``lattice_bohr``             (3, 3)                                  lattice vectors in rows
``species``                  (natom,)                                chemical symbols
``fractional_positions``     (natom, 3)
``moments_bohr_magneton``    (natom,)                                initial magnetic moments
``kpoints_fractional``       (nk, 3)
``kpoint_weights``           (nk,)                                   their sum is 1
``density``                  (nspin, n1, n2, n3)                     electrons/bohr^3
``potential_ha``             (nspin, n1, n2, n3)                     effective local potential
``eigenvalues_ha``           (nk * nspin, nband)
``occupations``              (nk * nspin, nband)                     electrons in each state
``orbitals``                 (nk * nspin, nband, nfunction)          coefficients of the basis
``density_gradient``         (3, nspin, n1, n2, n3)                  in a basis that gives it beside the density
``gradient_potential``       (3, nspin, n1, n2, n3)                  dE_xc/d(grad n), there as well
``kinetic_density``          (nspin, n1, n2, n3)                     tau of a meta-GGA, hartree/bohr^3
``kinetic_potential``        (nspin, n1, n2, n3)                     dE_xc/dtau of a meta-GGA
``xc_potential_ha``          (nspin, n1, n2, n3)                     v_xc of the functional
``pbe_xc_potential_ha``      (nspin, n1, n2, n3)                     v_xc of PBE at the same density
``loss_pull``                (n1, n2, n3)                            dL/d(ln e_xc) of a loss, per bohr^3
===========================  ======================================  =================================================

Attributes of the file are ``format``, ``crystal_name``, ``crystal_origin`` (where the crystal was read from; not in
files of earlier versions), and as JSON ``summary``, ``history`` (one record for each SCF step) and ``basis``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.brillouin import KPoints
from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.utils.replacing import replacing

if TYPE_CHECKING:
    import h5py

FORMAT = "mlxc ground state 1"
# What may be kept beside a state.
XC_POTENTIAL, PBE_XC_POTENTIAL, XC_SENSITIVITY = "xc_potential_ha", "pbe_xc_potential_ha", "loss_pull"
# The names of a state's arrays; only some functionals and bases have the optional ones.
ARRAYS = {
    "density": "density",
    "potential": "potential_ha",
    "eigenvalues": "eigenvalues_ha",
    "occupations": "occupations",
    "orbitals": "orbitals",
}
OPTIONAL_ARRAYS = {
    name: name for name in ("density_gradient", "gradient_potential", "kinetic_density", "kinetic_potential")
}

Array = NDArray[Any]


@dataclass(frozen=True)
class StateContents:
    """All that describes a state in a file, shapes as above.

    Attributes:
        crystal: The crystal.
        kpoints: The irreducible k points.
        basis: The settings of the basis, as plain data.
        summary: The result, as plain data.
        history: One record for each SCF step, as plain data.
        arrays: The arrays by the names of ``ARRAYS`` and ``OPTIONAL_ARRAYS``.
    """

    crystal: Crystal
    kpoints: KPoints
    basis: dict[str, Any]
    summary: dict[str, Any]
    history: list[dict[str, Any]]
    arrays: dict[str, Array]

    @property
    def fermi_levels(self) -> tuple[float, ...]:
        """The Fermi level of each spin, hartree, see :func:`fermi_levels_of`."""
        return fermi_levels_of(self.summary, len(self.arrays["eigenvalues"]) // len(self.kpoints))


def fermi_levels_of(summary: Mapping[str, Any], nspin: int) -> tuple[float, ...]:
    """The Fermi level of each spin in a result, hartree; minus infinity for a spin without electrons.

    A result of version 0.1.0 tells the higher one alone, which then stands for both.
    """
    levels = summary.get("fermi_levels_ha") or [summary["fermi_level_ha"]] * nspin
    return tuple(-np.inf if level is None else float(level) for level in levels)


def write_state(path: Path, contents: StateContents, further: Mapping[str, Array]) -> None:
    """Write a file, replacing it at once when it is complete.

    Args:
        path: The path where the file is to lie.
        contents: What describes the state.
        further: Fields to keep beside it, by ``XC_POTENTIAL``, ``PBE_XC_POTENTIAL`` or ``XC_SENSITIVITY``.
    """
    import h5py

    crystal, names = contents.crystal, ARRAYS | OPTIONAL_ARRAYS
    with replacing(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["format"] = FORMAT
        file.attrs["summary"] = json.dumps(contents.summary)
        file.attrs["history"] = json.dumps(contents.history)
        file.attrs["basis"] = json.dumps(contents.basis)
        file.attrs["crystal_name"] = crystal.name
        file.attrs["crystal_origin"] = crystal.origin
        file["lattice_bohr"] = crystal.lattice
        file["species"] = np.array(crystal.species, dtype=h5py.string_dtype())
        file["fractional_positions"] = crystal.positions
        file["moments_bohr_magneton"] = crystal.moments
        file["kpoints_fractional"] = contents.kpoints.fractional
        file["kpoint_weights"] = contents.kpoints.weights
        for name, values in contents.arrays.items():
            file[names[name]] = values
        for name, values in further.items():
            file[name] = values


def read_state(path: str | Path) -> StateContents:
    """Read what :func:`write_state` wrote.

    Raises:
        InputError: the file is missing, damaged, or not a result of mlxc that this version can read.
    """
    with StateFile(path) as file:
        return file.contents()


class StateFile:
    """A file that is open for reading, and a context manager that closes it; each property reads one thing only.

    Args:
        path: The path of the file.

    Raises:
        InputError: the file is missing or damaged, or, where a property is read, does not hold it.
    """

    def __init__(self, path: str | Path) -> None:
        import h5py

        self._path = path
        try:
            self._file = h5py.File(path, "r")
        except OSError:
            self._refuse()

    def __enter__(self) -> StateFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def crystal(self) -> Crystal:
        """The crystal."""
        return Crystal(
            self._array("lattice_bohr"),
            [symbol.decode() for symbol in self._array("species")],
            self._array("fractional_positions"),
            self._array("moments_bohr_magneton"),
            str(self._file.attrs.get("crystal_name", "")),
            str(self._file.attrs.get("crystal_origin", "")),
        )

    @property
    def has_density(self) -> bool:
        """Whether there is a density in the file."""
        return ARRAYS["density"] in self._file

    @property
    def density(self) -> NDArray[np.float64]:
        """The density, shape ``(nspin, n1, n2, n3)``, electrons/bohr^3."""
        return self._array(ARRAYS["density"])

    @property
    def nspin(self) -> int:
        """The number of spins that are told apart, 1 or 2."""
        return len(self._eigenvalues) // len(self._dataset("kpoint_weights"))

    @property
    def eigenvalues(self) -> NDArray[np.float64]:
        """The levels, shape ``(nk * nspin, nband)``, hartree."""
        return np.asarray(self._eigenvalues[()])

    @property
    def occupations(self) -> NDArray[np.float64]:
        """The electrons in each state, shape ``(nk * nspin, nband)``."""
        return self._array(ARRAYS["occupations"])

    @property
    def fermi_levels(self) -> tuple[float, ...]:
        """The Fermi level of each spin, or with fixed occupations the highest occupied one, see `fermi_levels_of`."""
        return fermi_levels_of(self._json("summary"), self.nspin)

    @property
    def has_converged(self) -> bool:
        """Whether the self-consistent field has converged."""
        return bool(self._json("summary").get("converged", True))

    @property
    def has_xc_potentials(self) -> bool:
        """Whether the XC potential is kept, beside that of PBE."""
        return XC_POTENTIAL in self._file and PBE_XC_POTENTIAL in self._file

    @property
    def xc_potentials(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """v_xc of the functional and of PBE, each of shape ``(nspin, n1, n2, n3)``, hartree."""
        return self._array(XC_POTENTIAL), self._array(PBE_XC_POTENTIAL)

    @property
    def has_xc_sensitivity(self) -> bool:
        """Whether the sensitivity of a loss is kept."""
        return XC_SENSITIVITY in self._file

    @property
    def xc_sensitivity(self) -> NDArray[np.float64]:
        """dL/d(ln e_xc) of a loss L, shape ``(n1, n2, n3)``, in units of the loss per bohr^3."""
        return self._array(XC_SENSITIVITY)

    def contents(self) -> StateContents:
        """All that describes the state.

        Raises:
            InputError: the file is damaged, or not a result of mlxc that this version can read.
        """
        if self._file.attrs.get("format") != FORMAT:
            raise InputError(f"{self._path} is not a result of mlxc that this version can read.")
        there = ARRAYS | {name: stored for name, stored in OPTIONAL_ARRAYS.items() if stored in self._file}
        return StateContents(
            crystal=self.crystal,
            kpoints=KPoints(self._array("kpoints_fractional"), self._array("kpoint_weights")),
            basis=self._json("basis"),
            summary=self._json("summary"),
            history=self._json("history"),
            arrays={name: self._array(stored) for name, stored in there.items()},
        )

    @property
    def _eigenvalues(self) -> h5py.Dataset:
        return self._dataset(ARRAYS["eigenvalues"])

    def _array(self, name: str) -> Array:
        try:
            return np.asarray(self._dataset(name)[()])
        except OSError:
            self._refuse()

    def _dataset(self, name: str) -> h5py.Dataset:
        try:
            return self._file[name]
        except (OSError, KeyError):
            self._refuse()

    def _json(self, name: str) -> Any:
        try:
            return json.loads(self._file.attrs[name])
        except (OSError, KeyError, ValueError):
            self._refuse()

    def _refuse(self) -> NoReturn:
        raise InputError(f"{self._path} cannot be read as a result of mlxc: it is missing or damaged.") from None
