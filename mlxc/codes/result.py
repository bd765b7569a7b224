"""What one code finds for a crystal, ours or another. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class CodeResult:
    """What one code finds; what it does not compute is None.

    Attributes:
        code: ``mlxc`` or one of :data:`mlxc.codes.live.CODES`.
        version: The version of the code.
        xc: The name of the functional here.
        basis: What the orbitals are made of.
        pseudo: What stands for the cores.
        converged: Whether all that was computed has converged.
        message: One sentence when it has not.
        note: One sentence where the result is not what was asked for.
        free_energy_ha: F = E - TS per cell; in an equation of state, at the volume nearest to that of the crystal, as
            all that follows is.
        energy_comparable: Whether the energy can be compared with ours: the functional, basis and pseudopotentials are
            the same.
        magnetisation_bohr_magneton: The magnetisation per cell, with spin.
        gap_ev: The gap from the highest occupied to the lowest empty level of the k mesh, zero in a metal.
        forces_ha_bohr: The forces on the atoms, shape ``(natom, 3)``.
        iterations: The number of SCF steps, of all volumes together.
        seconds: The time of all volumes together, without the start of the process.
        eos: The points and the fit as ``mlxc eos --json`` names them.
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
