"""What codes find, side by side. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mlxc.units import HARTREE_EV

# Of an equation of state, and how their differences in percent are called.
_OF_CURVES = {
    "lattice_constant_ang": "lattice_constant_percent",
    "volume0_ang3": "volume0_percent",
    "bulk_modulus_gpa": "bulk_modulus_percent",
    "in_plane_modulus_n_per_m": "in_plane_modulus_percent",
    "bulk_modulus_derivative": "bulk_modulus_derivative_percent",
}


@dataclass(frozen=True)
class CodeResult:
    """What one code finds; what it does not compute is None.

    Attributes:
        code: ``mlxc`` or one of :data:`mlxc.codes.live.CODES`.
        version: of the code.
        xc: name of the functional here.
        basis: what the orbitals are made of.
        pseudo: what stands for the cores.
        converged: whether all of it did.
        message: one sentence when it did not.
        note: one sentence where it is not what was asked for.
        free_energy_ha: F = E - TS per cell; in an equation of state, at the volume nearest to that of the crystal, as
            all that follows is.
        energy_comparable: with ours: the same functional, basis and pseudopotentials.
        magnetisation_bohr_magneton: per cell, with spin.
        gap_ev: from the highest occupied to the lowest empty level of the k mesh, zero in a metal.
        forces_ha_bohr: on the atoms, shape ``(natom, 3)``.
        iterations: SCF steps, of all volumes together.
        seconds: of all volumes together, without the start of the process.
        eos: points and fit as ``mlxc eos --json`` names them.
    """

    code: str
    version: str | None
    xc: str
    basis: str
    pseudo: str
    converged: bool
    message: str
    note: str = ""
    free_energy_ha: float | None = None
    energy_comparable: bool = False
    magnetisation_bohr_magneton: float | None = None
    gap_ev: float | None = None
    forces_ha_bohr: list[list[float]] | None = None
    iterations: int | None = None
    seconds: float | None = None
    eos: dict[str, Any] | None = None


@dataclass(frozen=True)
class Comparison:
    """Results of several codes.

    Attributes:
        calculation: the settings, as plain data.
        runs: ours first.
    """

    calculation: dict[str, Any]
    runs: list[CodeResult]

    @property
    def converged(self) -> bool:
        """Whether all codes did."""
        return all(run.converged for run in self.runs)

    @property
    def message(self) -> str:
        """The sentences of those that did not."""
        return " ".join(run.message for run in self.runs if run.message)

    def summary(self) -> dict[str, Any]:
        """Plain data, the JSON object of the command line."""
        ours, *others = self.runs
        natoms = len(self.calculation["structure"]["species"])
        return {
            "converged": self.converged,
            "message": self.message,
            "calculation": self.calculation,
            "runs": [asdict(run) for run in self.runs],
            "differences": {other.code: differences(other, ours, natoms) for other in others},
        }


def differences(theirs: CodeResult, ours: CodeResult, natoms: int) -> dict[str, float | None]:
    """Theirs minus ours: energies per atom, hartree, curves in percent; None where there is nothing to compare."""
    found: dict[str, float | None] = dict.fromkeys(
        ("free_energy_ha_per_atom", "magnetisation_bohr_magneton", "gap_ev", "largest_force_ha_bohr")
    )
    if theirs.energy_comparable:
        found["free_energy_ha_per_atom"] = _difference(theirs.free_energy_ha, ours.free_energy_ha, natoms)
    for quantity in ("magnetisation_bohr_magneton", "gap_ev"):
        found[quantity] = _difference(getattr(theirs, quantity), getattr(ours, quantity))
    if theirs.forces_ha_bohr is not None and ours.forces_ha_bohr is not None:
        found["largest_force_ha_bohr"] = float(np.abs(np.subtract(theirs.forces_ha_bohr, ours.forces_ha_bohr)).max())
    for quantity, name in _OF_CURVES.items():
        other, own = (None if run.eos is None else run.eos[quantity] for run in (theirs, ours))
        found[name] = None if own is None else _difference(other, own, own / 100)
    return found


def _difference(theirs: float | None, ours: float | None, unit: float = 1.0) -> float | None:
    return None if theirs is None or ours is None else (theirs - ours) / unit


# Of each spin, of each k point of it.
Levels = Sequence[Sequence[Sequence[float]]]


def mesh_gap_ev(levels_ha: Levels, electrons: Levels) -> float | None:
    """From the highest occupied to the lowest empty level, electronvolt; zero in a metal.

    A level is occupied where it holds more than half of what one can hold; in a metal, k points have different numbers
    of occupied levels.

    Args:
        levels_ha: of each spin and k point, which may have different numbers of them.
        electrons: in each level.

    Returns:
        None where no empty levels have been computed.
    """
    half = max(count for spin in electrons for own in spin for count in own) / 2
    counts = [{sum(count > half for count in own) for own in spin} for spin in electrons]
    if any(len(different) > 1 for different in counts):
        return 0.0
    pairs = list(zip(_flat(levels_ha), _flat(electrons), strict=True))
    occupied = [level for level, count in pairs if count > half]
    empty = [level for level, count in pairs if count <= half]
    return max(0.0, min(empty) - max(occupied)) * HARTREE_EV if empty else None


def _flat(levels: Levels) -> list[float]:
    return [value for spin in levels for own in spin for value in own]
