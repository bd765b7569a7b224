"""What a run tells while it is running."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class SCFRecord:
    """One step of the self-consistent field.

    Attributes:
        iteration: The number of the step, counted from 1.
        free_energy_ha: F = E - TS per cell.
        energies_ha: The terms of F.
        density_residual: The integral |n_out - n_in| / number of electrons, or with a meta-GGA that of
            |tau_out - tau_in| / kinetic energy where it is larger.
        residual_energy_ha: The Hartree energy of n_out - n_in, see :func:`~mlxc.kohn_sham.residual.residual_energy`.
        fermi_level_ha: The Fermi level, or the highest occupied level; the higher one of two spins.
        magnetisation_bohr_magneton: The magnetisation; None without spin polarisation.
        eigensolver_residual: The largest |H psi - e psi|, hartree.
        hamiltonian_applications: How many times H was applied in this step, per band.
        seconds: The time since the start of the SCF.
        residual_spectrum: The spectrum of n_out - n_in, see :func:`~mlxc.kohn_sham.residual.residual_spectrum`.
        absolute_magnetisation_bohr_magneton: The integral of |up minus down|, which an antiferromagnet has as well;
            None without spin polarisation.
        start: Which start of the SCF this step belongs to, counted from 1, see
            :mod:`mlxc.kohn_sham.start.second_start` and :mod:`mlxc.kohn_sham.start.open_shell`.
        point: Which volume of an equation of state, or which moment, this step belongs to, None for a single run.
    """

    iteration: int
    free_energy_ha: float
    energies_ha: dict[str, float]
    density_residual: float
    residual_energy_ha: float
    fermi_level_ha: float | None
    magnetisation_bohr_magneton: float | None
    eigensolver_residual: float
    hamiltonian_applications: float
    seconds: float
    residual_spectrum: tuple[float, ...] = ()
    absolute_magnetisation_bohr_magneton: float | None = None
    start: int = 1
    point: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


# Called after every step; it stops the run by raising RunStoppedError.
Monitor = Callable[[SCFRecord], None]


@dataclass(frozen=True)
class AdjointRecord:
    """One step of the solution of Dyson's equation, towards a gradient.

    Attributes:
        iteration: The number of the step, counted from 1.
        residual: |x_out - x_in| / |x_out|; close to the end, that of the best combination of the last steps.
        hamiltonian_applications: How many times H was applied in this step, per band.
        seconds: The time since the first step began.
    """

    iteration: int
    residual: float
    hamiltonian_applications: float
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for a line of JSON."""
        return asdict(self)


# Called after every step; it stops the solution by raising RunStoppedError.
AdjointMonitor = Callable[[AdjointRecord], None]
