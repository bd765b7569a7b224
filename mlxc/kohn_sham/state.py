"""The result of a self-consistent calculation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlxc.basis.kinds import saved_settings
from mlxc.basis.planewave.hamiltonian import EffectivePotential
from mlxc.basis.protocol import Basis
from mlxc.crystal.brillouin import KPoints
from mlxc.crystal.crystal import Crystal
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.errors import InputError
from mlxc.grid.fields import Fields
from mlxc.kohn_sham.monitor import SCFRecord
from mlxc.terms.entropy import Smearing
from mlxc.utils.replacing import replacing

if TYPE_CHECKING:
    from mlxc.kohn_sham.problem import KohnSham
    from mlxc.response.implicit import StateAdjoint

FORMAT = "mlxc ground state 1"
# That some functionals need, or some bases have.
FURTHER_FIELDS = ("density_gradient", "gradient_potential", "kinetic_density", "kinetic_potential")
# Rows and columns of a symmetric tensor in Voigt's order xx, yy, zz, yz, xz, xy.
VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


@dataclass
class GroundState:
    """A converged (or honestly unconverged) Kohn-Sham state.

    Attributes:
        crystal: the crystal.
        basis: the functions that orbitals are made of, and the grid.
        converged: whether the density residual fell below the tolerance.
        message: one sentence when it did not.
        energy: free energy F = E - TS per cell, hartree. ``energy.backward()`` sends gradients to the functional's
            parameters: F is variational, so they are those of E_xc at the fixed density.
        energies: the terms of F, hartree.
        density: shape ``(nspin, n1, n2, n3)``, electrons/bohr^3.
        density_gradient: of the density, shape ``(3, nspin, n1, n2, n3)``, in a basis in which the functional is given
            it beside the density; else None.
        potential: effective local potential that the orbitals belong to, same shape, hartree.
        kinetic_density: tau of a meta-GGA, same shape, hartree/bohr^3; None for other functionals.
        gradient_potential: dE_xc/d(grad n), shape of ``density_gradient``; else None.
        kinetic_potential: v_tau = dE_xc/dtau of a meta-GGA, same shape; None for other functionals.
        eigenvalues: shape ``(nk * nspin, nband)``, hartree.
        occupations: electrons in each state, same shape, without k-point weights.
        orbitals: coefficients of the basis, shape ``(nk * nspin, nband, nfunction)``.
        fermi_level: hartree.
        magnetisation: Bohr magnetons per cell; None without spin polarisation.
        history: one record per SCF step.
        seconds: ``setup``, ``scf`` and ``total``.
        calculation: the description of the run, as plain data.
        forces: on the atoms, shape ``(natom, 3)``, hartree/bohr, once computed.
        stress: of the cell, shape ``(3, 3)``, hartree/bohr^3, once computed.
        outside_training_domain: fractions of ``electrons`` and ``volume`` at (r_s, zeta, s, alpha) that the checkpoints
            of the functional have not seen in training; None for functionals without such a record.
        problem: the Kohn-Sham problem that was solved; None after reading from a file.
        smearing: of the occupations; None for fixed ones, and after reading from a file.
        total_moment: magnetic moment that was held, Bohr magneton; None if it was free.
        adjoint: the way back from a loss through the state, with its history; None for functionals without parameters.
        unrolled_fields: that went into each step of an unrolled SCF, shape ``(nfield, nspin, n1, n2, n3)``; each keeps
            the derivative of a loss in ``grad`` when that is differentiated. Otherwise empty.
    """

    crystal: Crystal
    basis: Basis
    converged: bool
    message: str
    energy: Tensor
    energies: dict[str, float]
    density: Tensor
    potential: Tensor
    eigenvalues: Tensor
    occupations: Tensor
    orbitals: Tensor
    fermi_level: float
    magnetisation: float | None
    history: list[SCFRecord]
    seconds: dict[str, float]
    calculation: dict[str, Any] = field(default_factory=dict)
    density_gradient: Tensor | None = None
    kinetic_density: Tensor | None = None
    gradient_potential: Tensor | None = None
    kinetic_potential: Tensor | None = None
    forces: Tensor | None = None
    stress: Tensor | None = None
    outside_training_domain: dict[str, float] | None = None
    problem: KohnSham | None = field(default=None, repr=False)
    smearing: Smearing | None = None
    total_moment: float | None = None
    adjoint: StateAdjoint | None = field(default=None, repr=False)
    unrolled_fields: list[Tensor] = field(default_factory=list, repr=False)

    @property
    def kpoints(self) -> KPoints:
        """The irreducible k points and their weights."""
        return self.basis.kpoints

    @property
    def fields(self) -> Tensor:
        """What the potential depends on, see :class:`~mlxc.grid.fields.Fields`, ``(nfield, nspin, n1, n2, n3)``."""
        return Fields(self.density, self.density_gradient, self.kinetic_density).stacked()

    @fields.setter
    def fields(self, stacked: Tensor) -> None:
        self.density, self.density_gradient, self.kinetic_density = Fields.unstacked(stacked)

    @property
    def effective_potential(self) -> EffectivePotential:
        """That the orbitals belong to."""
        return EffectivePotential(self.potential, self.gradient_potential, self.kinetic_potential)

    def summary(self) -> dict[str, Any]:
        """The result as plain data, the JSON object of the command line; what is not computed is None."""
        dependence = self.basis.linear_dependence
        return {
            "converged": self.converged,
            "message": self.message,
            "iterations": len(self.history),
            "free_energy_ha": float(self.energy.detach()),
            "energies_ha": self.energies,
            "fermi_level_ha": self.fermi_level,
            "magnetisation_bohr_magneton": self.magnetisation,
            "forces_ha_bohr": None if self.forces is None else self.forces.tolist(),
            "stress_ha_bohr3": None if self.stress is None else [float(self.stress[i, j]) for i, j in VOIGT],
            "irreducible_kpoints": len(self.kpoints),
            "fft_grid": list(self.basis.grid.shape),
            "linear_dependence": None if dependence is None else dependence._asdict(),
            "outside_training_domain": self.outside_training_domain,
            "seconds": self.seconds,
            "calculation": self.calculation,
        }

    def save(self, path: str | Path, further: Mapping[str, Tensor] = MappingProxyType({})) -> None:
        """Write everything to an HDF5 file, replacing it at once when it is complete.

        Args:
            path: of the file.
            further: arrays to write beside, by name, for others than :meth:`load`.
        """
        with replacing(Path(path)) as temporary, h5py.File(temporary, "w") as file:
            file.attrs["format"] = FORMAT
            file.attrs["summary"] = json.dumps(self.summary())
            file.attrs["history"] = json.dumps([record.to_dict() for record in self.history])
            file.attrs["basis"] = json.dumps(self.basis.settings.with_grid(self.basis.grid.shape).to_dict())
            file.attrs["crystal_name"] = self.crystal.name
            others = {name: _numpy(values) for name, values in further.items()}
            for name, values in (self._arrays() | others).items():
                file.create_dataset(name, data=values)

    def _arrays(self) -> dict[str, Any]:
        further = {name: getattr(self, name) for name in FURTHER_FIELDS}
        return {name: _numpy(field) for name, field in further.items() if field is not None} | {
            "lattice_bohr": self.crystal.lattice,
            "species": np.array(self.crystal.species, dtype=h5py.string_dtype()),
            "fractional_positions": self.crystal.positions,
            "moments_bohr_magneton": self.crystal.moments,
            "density": _numpy(self.density),
            "potential_ha": _numpy(self.potential),
            "eigenvalues_ha": _numpy(self.eigenvalues),
            "occupations": _numpy(self.occupations),
            "orbitals": _numpy(self.orbitals),
            "kpoints_fractional": self.kpoints.fractional,
            "kpoint_weights": self.kpoints.weights,
        }

    @classmethod
    def load(cls, path: str | Path) -> GroundState:
        """Read what :meth:`save` wrote; ``energy`` is then a plain number without gradients.

        Raises:
            InputError: the file is missing, damaged, or not written by :meth:`save`.
        """
        try:
            with h5py.File(path, "r") as file:
                if file.attrs.get("format") != FORMAT:
                    raise InputError(f"{path} is not a result of mlxc that this version can read.")
                arrays = {name: dataset[()] for name, dataset in file.items()}
                attributes = {key: json.loads(file.attrs[key]) for key in ("summary", "history", "basis")}
                name = str(file.attrs["crystal_name"])
        except (OSError, KeyError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{path} cannot be read as a result of mlxc: it is missing or damaged.") from None
        return cls._from_file(arrays, attributes, name)

    @classmethod
    def _from_file(cls, arrays: dict[str, Any], attributes: dict[str, Any], name: str) -> GroundState:
        crystal = Crystal(
            arrays["lattice_bohr"],
            [symbol.decode() for symbol in arrays["species"]],
            arrays["fractional_positions"],
            arrays["moments_bohr_magneton"],
            name,
        )
        summary, settings = attributes["summary"], attributes["basis"]
        saved = saved_settings(settings)
        kpoints = KPoints(arrays["kpoints_fractional"], arrays["kpoint_weights"])
        further: dict[str, Any] = {name: torch.tensor(arrays[name]) for name in FURTHER_FIELDS if name in arrays}
        return cls(
            crystal=crystal,
            basis=saved.discretise(crystal, kpoints, SpaceGroup.identity()),
            converged=summary["converged"],
            message=summary["message"],
            energy=torch.tensor(summary["free_energy_ha"], dtype=torch.float64),
            energies=summary["energies_ha"],
            density=torch.tensor(arrays["density"]),
            **further,
            potential=torch.tensor(arrays["potential_ha"]),
            eigenvalues=torch.tensor(arrays["eigenvalues_ha"]),
            occupations=torch.tensor(arrays["occupations"]),
            orbitals=torch.tensor(arrays["orbitals"]),
            fermi_level=summary["fermi_level_ha"],
            magnetisation=summary["magnetisation_bohr_magneton"],
            history=[SCFRecord(**record) for record in attributes["history"]],
            seconds=summary["seconds"],
            outside_training_domain=summary.get("outside_training_domain"),
            calculation=summary["calculation"],
        )


def _numpy(values: Tensor) -> NDArray[Any]:
    array: NDArray[Any] = values.detach().cpu().numpy()
    return array
