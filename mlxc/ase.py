"""mlxc as a calculator of ASE: energies, forces and stress for relaxations, dynamics and whatever else ASE does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, SCFError, all_changes

from mlxc.calculation import Calculation
from mlxc.crystal import Crystal
from mlxc.scf.ground_state import GroundState
from mlxc.units import BOHR_ANG, HARTREE_EV


class MLXC(Calculator):
    """ASE calculator.

    Args:
        settings: the fields of :class:`mlxc.Calculation` except the structure, such as ``ecut_ha`` and ``kmesh``; what
            is missing is chosen for the first structure and then kept, so that energies along a path can be compared.

    Results are in ASE's units: electronvolt and angstrom. ``energy`` and ``free_energy`` are both F = E - TS, of which
    forces and stress are the derivatives. A change of the cell with a fixed cutoff wants ``cutoff_smoothing_ha``, which
    is 0.5 unless given. ``ground_state`` holds the last result; it is where the next SCF starts.
    """

    implemented_properties = ["energy", "free_energy", "forces", "stress", "magmom"]  # noqa: RUF012 - as ASE asks

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self._settings: dict[str, Any] = {"cutoff_smoothing_ha": 0.5} | settings
        self._calculation: Calculation | None = None
        self.ground_state: GroundState | None = None

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Compute the ground state of ``atoms``.

        Raises:
            SCFError: the SCF has not converged.
            InputError: the structure or the settings cannot be computed.
        """
        super().calculate(atoms, properties, system_changes)
        assert self.atoms is not None
        crystal = Crystal.from_ase(self.atoms)
        if self._calculation is None or crystal.species != self._calculation.crystal.species:
            self._calculation = Calculation.from_dict({"structure": crystal, **self._settings})
            self.ground_state = None
        ground = self._calculation.with_crystal(crystal).run(start=self.ground_state or ())
        if not ground.converged:
            raise SCFError(ground.message)
        self.ground_state = ground
        self.results = _in_ase_units(ground)


def _in_ase_units(ground: GroundState) -> dict[str, Any]:
    summary = ground.summary()
    energy = summary["free_energy_ha"] * HARTREE_EV
    results = {
        "energy": energy,
        "free_energy": energy,
        "forces": np.array(summary["forces_ha_bohr"]) * (HARTREE_EV / BOHR_ANG),
        "stress": np.array(summary["stress_ha_bohr3"]) * (HARTREE_EV / BOHR_ANG**3),
    }
    if ground.magnetisation is not None:
        results["magmom"] = ground.magnetisation
    return results
