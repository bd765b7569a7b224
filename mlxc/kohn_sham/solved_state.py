"""What a self-consistent calculation has found, whether its state lives in this process or was read from a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from pathlib import Path
from types import MappingProxyType
from typing import Any

from numpy.typing import NDArray
from torch import Tensor

from mlxc.basis.hamiltonian import EffectivePotential
from mlxc.basis.protocol import Basis
from mlxc.crystal.brillouin import KPoints
from mlxc.crystal.crystal import Crystal
from mlxc.grid.fields import Fields
from mlxc.kohn_sham.monitor import SCFRecord
from mlxc.results.state_file import StateContents, write_state
from mlxc.xc.identity import FunctionalIdentity

# Rows and columns of a symmetric tensor in Voigt's order xx, yy, zz, yz, xz, xy.
VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


@dataclass(frozen=True, eq=False)
class Electrons:
    """What the electrons of a crystal do.

    Attributes:
        density: The density, shape ``(nspin, n1, n2, n3)``, electrons/bohr^3.
        density_gradient: The gradient of the density, shape ``(3, nspin, n1, n2, n3)``, in a basis in which the
            functional is given it beside the density; else None.
        kinetic_density: The kinetic-energy density tau of a meta-GGA, shape of the density, hartree/bohr^3; None for
            other functionals.
        potential: The effective potential that the orbitals belong to, hartree.
        eigenvalues: The levels, shape ``(nk * nspin, nband)``, hartree.
        occupations: The electrons in each state, same shape, without k-point weights.
        orbitals: The coefficients of the basis, shape ``(nk * nspin, nband, nfunction)``.
        fermi_levels: The Fermi level of each spin, or with fixed occupations the highest occupied level, hartree; minus
            infinity for a spin without electrons. They differ where the total moment is fixed.
        magnetisation: The magnetisation, Bohr magneton per cell; None without spin polarisation.
    """

    density: Tensor
    density_gradient: Tensor | None
    kinetic_density: Tensor | None
    potential: EffectivePotential
    eigenvalues: Tensor
    occupations: Tensor
    orbitals: Tensor
    fermi_levels: tuple[float, ...]
    magnetisation: float | None

    @property
    def fields(self) -> Tensor:
        """What the potential depends on, see :class:`~mlxc.grid.fields.Fields`, ``(nfield, nspin, n1, n2, n3)``."""
        return self._fields.stacked()

    @property
    def _fields(self) -> Fields:
        return Fields(self.density, self.density_gradient, self.kinetic_density)

    def with_parts(self, fields: Tensor, orbitals: Tensor, eigenvalues: Tensor, occupations: Tensor) -> Electrons:
        """The same electrons, described by other tensors; shapes as above."""
        density, gradient, tau = Fields.unstacked(fields, self._fields.kinds)
        return replace(
            self,
            density=density,
            density_gradient=gradient,
            kinetic_density=tau,
            orbitals=orbitals,
            eigenvalues=eigenvalues,
            occupations=occupations,
        )


@dataclass(frozen=True)
class Course:
    """How a self-consistent calculation went.

    Attributes:
        history: One record for each SCF step.
        seconds: The times of ``setup``, ``scf`` and ``total``.
        converged: Whether the density residual fell below the tolerance.
        message: Why it has not converged, or what else a person should know of the way; empty if there is nothing.
    """

    history: list[SCFRecord]
    seconds: dict[str, float]
    converged: bool
    message: str


@dataclass(frozen=True, eq=False, kw_only=True)
class SolvedState:
    """A converged (or honestly unconverged) Kohn-Sham state; attributes of ``electrons`` and ``course`` are its own.

    Attributes:
        crystal: The crystal.
        basis: The functions that orbitals are made of, and the grid.
        energy: The free energy F = E - TS per cell, hartree.
        energies: The terms of F, hartree.
        electrons: What the electrons do.
        course: How the calculation went.
        calculation: The settings of the run as plain data, with the keys of :class:`mlxc.Calculation`.
        functional: The name and the content of the functional; None in files of version 0.1.0.
        pseudopotentials: Where the pseudopotential of each element comes from, see
            :func:`mlxc.pseudo.library.sources`; empty in files of earlier versions.
        forces: The forces on the atoms, shape ``(natom, 3)``, hartree/bohr; None where they were not asked for.
        net_force: What the forces added up to as they were computed, shape ``(3,)``, hartree/bohr. It has been taken
            off them in equal parts, unless further terms of the energy pull at the atoms. None where there are none.
        stress: The stress of the cell, shape ``(3, 3)``, hartree/bohr^3; None where it was not asked for.
        atomic_moments: The moment of each atom, shape ``(natom,)``, Bohr magneton, see
            :mod:`mlxc.properties.atomic_moments`; None without spin polarisation.
        outside_training_domain: The fractions of ``electrons`` and ``volume`` at (r_s, zeta, s, alpha) that the
            checkpoints of the functional have not seen in training; None for functionals without such a record.
        uncertainty: The standard deviations of what the state says, by name, see
            :func:`mlxc.observables.uncertainty.with_uncertainty`; None where nobody asked for them.
    """

    crystal: Crystal
    basis: Basis
    energy: Tensor
    energies: dict[str, float]
    electrons: Electrons = field(repr=False)
    course: Course = field(repr=False)
    calculation: dict[str, Any]
    functional: FunctionalIdentity | None
    pseudopotentials: dict[str, dict[str, str]] = field(default_factory=dict)
    forces: Tensor | None = None
    net_force: Tensor | None = None
    stress: Tensor | None = None
    atomic_moments: Tensor | None = None
    outside_training_domain: dict[str, float] | None = None
    uncertainty: dict[str, Any] | None = None

    @property
    def kpoints(self) -> KPoints:
        """The irreducible k points and their weights."""
        return self.basis.kpoints

    @property
    def converged(self) -> bool:
        """Whether the density residual fell below the tolerance."""
        return self.course.converged

    @property
    def message(self) -> str:
        """Why the state has not converged, or what else a person should know of it; empty if there is nothing."""
        return self.course.message

    @property
    def history(self) -> list[SCFRecord]:
        """One record for each SCF step."""
        return self.course.history

    @property
    def seconds(self) -> dict[str, float]:
        """The times of ``setup``, ``scf`` and ``total``."""
        return self.course.seconds

    @property
    def density(self) -> Tensor:
        """The density, shape ``(nspin, n1, n2, n3)``, electrons/bohr^3."""
        return self.electrons.density

    @property
    def density_gradient(self) -> Tensor | None:
        """The gradient of the density where the basis gives it, shape ``(3, nspin, n1, n2, n3)``, electrons/bohr^4."""
        return self.electrons.density_gradient

    @property
    def kinetic_density(self) -> Tensor | None:
        """The kinetic-energy density tau of a meta-GGA, shape of the density, hartree/bohr^3."""
        return self.electrons.kinetic_density

    @property
    def fields(self) -> Tensor:
        """What the potential depends on, see :class:`~mlxc.grid.fields.Fields`, ``(nfield, nspin, n1, n2, n3)``."""
        return self.electrons.fields

    @property
    def effective_potential(self) -> EffectivePotential:
        """The potential that the orbitals belong to."""
        return self.electrons.potential

    @property
    def potential(self) -> Tensor:
        """The local part of the effective potential, shape ``(nspin, n1, n2, n3)``, hartree."""
        return self.electrons.potential.local

    @property
    def gradient_potential(self) -> Tensor | None:
        """dE_xc/d(grad n), shape of ``density_gradient``."""
        return self.electrons.potential.gradient

    @property
    def kinetic_potential(self) -> Tensor | None:
        """v_tau = dE_xc/dtau of a meta-GGA, shape of the density."""
        return self.electrons.potential.kinetic

    @property
    def eigenvalues(self) -> Tensor:
        """The levels, shape ``(nk * nspin, nband)``, hartree."""
        return self.electrons.eigenvalues

    @property
    def occupations(self) -> Tensor:
        """The electrons in each state, shape ``(nk * nspin, nband)``, without k-point weights."""
        return self.electrons.occupations

    @property
    def orbitals(self) -> Tensor:
        """The coefficients of the basis, shape ``(nk * nspin, nband, nfunction)``."""
        return self.electrons.orbitals

    @property
    def fermi_levels(self) -> tuple[float, ...]:
        """The Fermi level of each spin, hartree, see :class:`Electrons`; they differ where the moment is fixed."""
        return self.electrons.fermi_levels

    @property
    def fermi_level(self) -> float:
        """The Fermi level, or with fixed occupations the highest occupied level, hartree; the higher one of two."""
        return max(self.fermi_levels)

    @property
    def known_fermi_levels(self) -> list[float | None]:
        """The Fermi levels as plain data; None for a spin without electrons."""
        return [level if isfinite(level) else None for level in self.fermi_levels]

    @property
    def magnetisation(self) -> float | None:
        """The magnetisation, Bohr magneton per cell; None without spin polarisation."""
        return self.electrons.magnetisation

    @property
    def absolute_magnetisation(self) -> float | None:
        """The integral of |up minus down|, Bohr magneton per cell; None without spin polarisation."""
        return self.history[-1].absolute_magnetisation_bohr_magneton

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
            "fermi_levels_ha": self.known_fermi_levels,
            "magnetisation_bohr_magneton": self.magnetisation,
            "absolute_magnetisation_bohr_magneton": self.absolute_magnetisation,
            "atomic_moments_bohr_magneton": None if self.atomic_moments is None else self.atomic_moments.tolist(),
            "forces_ha_bohr": None if self.forces is None else self.forces.tolist(),
            "net_force_ha_bohr": None if self.net_force is None else self.net_force.tolist(),
            "stress_ha_bohr3": None if self.stress is None else [float(self.stress[i, j]) for i, j in VOIGT],
            "irreducible_kpoints": len(self.kpoints),
            "fft_grid": list(self.basis.grid.shape),
            "linear_dependence": None if dependence is None else dependence._asdict(),
            "outside_training_domain": self.outside_training_domain,
            "uncertainty": self.uncertainty,
            "functional": None if self.functional is None else self.functional.to_dict(),
            "pseudopotentials": self.pseudopotentials,
            "seconds": self.seconds,
            "calculation": self.calculation,
        }

    def save(self, path: str | Path, further: Mapping[str, Tensor] = MappingProxyType({})) -> None:
        """Write everything to an HDF5 file, replacing it at once when it is complete.

        Args:
            path: Where the file is to lie.
            further: Fields to write beside, by their names in :mod:`mlxc.results.state_file`.
        """
        arrays = {
            "density": self.density,
            "potential": self.potential,
            "eigenvalues": self.eigenvalues,
            "occupations": self.occupations,
            "orbitals": self.orbitals,
            "density_gradient": self.density_gradient,
            "gradient_potential": self.gradient_potential,
            "kinetic_density": self.kinetic_density,
            "kinetic_potential": self.kinetic_potential,
        }
        contents = StateContents(
            crystal=self.crystal,
            kpoints=self.kpoints,
            basis=self.basis.settings.with_grid(self.basis.grid.shape).to_dict(),
            summary=self.summary(),
            history=[record.to_dict() for record in self.history],
            arrays={name: _numpy(values) for name, values in arrays.items() if values is not None},
        )
        write_state(Path(path), contents, {name: _numpy(values) for name, values in further.items()})


def _numpy(values: Tensor) -> NDArray[Any]:
    array: NDArray[Any] = values.detach().cpu().numpy()
    return array
