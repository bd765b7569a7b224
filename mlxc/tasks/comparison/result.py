"""What codes find, side by side. Imports no torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mlxc.codes.result import CodeResult

# Of an equation of state, and how their differences in percent are called.
_OF_CURVES = {
    "lattice_constant_ang": "lattice_constant_percent",
    "volume0_ang3": "volume0_percent",
    "bulk_modulus_gpa": "bulk_modulus_percent",
    "in_plane_modulus_n_per_m": "in_plane_modulus_percent",
    "bulk_modulus_derivative": "bulk_modulus_derivative_percent",
}


@dataclass(frozen=True)
class Comparison:
    """Results of several codes.

    Attributes:
        calculation: The settings, as plain data.
        runs: The results of all codes, ours first.
    """

    calculation: dict[str, Any]
    runs: list[CodeResult]

    @property
    def converged(self) -> bool:
        """Whether all codes have converged."""
        return all(run.converged for run in self.runs)

    @property
    def message(self) -> str:
        """The sentences of the codes that have not converged."""
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
