"""mlxc as a calculator of ASE: energies, forces and stress for relaxations, dynamics and whatever else ASE does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, SCFError, all_changes
from ase.dft.kpoints import BandPath

from mlxc.adapters.electronic_structure import ElectronicStructure
from mlxc.calculation.calculation import Calculation
from mlxc.calculation.defaults import with_structure_defaults
from mlxc.calculation.setting import settings_table
from mlxc.calculation.validation import build_model
from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.kohn_sham.solved_state import SolvedState
from mlxc.units import BOHR_ANG, HARTREE_EV

SETTINGS = tuple(name for name in settings_table(Calculation) if name != "structure")


class MLXC(ElectronicStructure, Calculator):
    """ASE calculator; levels, k points and fields are told as by GPAW, see :mod:`mlxc.adapters.electronic_structure`.

    Args:
        atoms: The atoms to attach the calculator to.
        settings: The fields of :class:`mlxc.Calculation` except the structure, such as ``ecut_ha`` and ``kmesh``; what
            is missing is chosen for the first structure and then kept, so that energies along a path can be compared.

    Results are in ASE's units: electronvolt and angstrom. ``energy`` and ``free_energy`` are both F = E - TS, of which
    forces and stress are the derivatives; a basis of Gaussian orbitals gives neither. What forces would add up to is
    taken off them, so that nothing drifts. A change of the cell with a fixed cutoff wants ``cutoff_smoothing_ha``,
    which is 0.5 here unless given, and 0 in :class:`mlxc.Calculation` and on the command line: give the same to both
    where energies are to be the same. The cell is repeated in all directions, whatever ``pbc`` says, and must be
    neutral. Atoms with initial magnetic moments are computed with spin unless ``spin`` says otherwise.
    ``ground_state`` holds the last result; it is where the next SCF starts, unless elements, initial moments or
    settings have changed. A calculation that was saved goes on with ``calculator.ground_state =
    mlxc.SavedState.load("saved.h5")``.

    Raises:
        InputError: there is no such setting.
    """

    implemented_properties = ["energy", "free_energy", "forces", "stress", "magmom"]  # noqa: RUF012 - as ASE asks
    default_parameters = {"cutoff_smoothing_ha": 0.5}  # noqa: RUF012
    discard_results_on_any_change = True
    accepts_bandpath_keyword = True  # :func:`ase.spectrum.band_structure.calculate_band_structure` needs no second SCF

    def __init__(self, atoms: Atoms | None = None, **settings: Any) -> None:
        self._calculation: Calculation | None = None
        self.ground_state = None
        super().__init__(atoms=atoms, **settings)

    def set(self, *, bandpath: BandPath | None = None, **settings: Any) -> dict[str, Any]:
        """Change some settings, and forget the results if they differ; returns those that do.

        Args:
            bandpath: The path of :meth:`band_structure` where that is given none.
            settings: The fields of :class:`mlxc.Calculation`.

        Raises:
            InputError: there is no such setting.
        """
        self.bandpath = bandpath or self.bandpath
        for name in settings:
            if name not in SETTINGS:
                raise InputError(f"{name}: there is no such setting; the settings are {', '.join(SETTINGS)}.")
        changed: dict[str, Any] = super().set(**settings)
        if changed:
            self._calculation = self.ground_state = None
        return changed

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
        self.results = {}
        assert self.atoms is not None
        crystal = Crystal.from_ase(self.atoms)
        self._choose(crystal)
        assert self._calculation is not None
        calculation = self._calculation.with_crystal(crystal)
        calculation = calculation.model_copy(update={"fft_grid": self._calculation.fft_grid})
        ground = calculation.run(start=self.ground_state or (), differentiate=None)
        if not ground.converged:
            raise SCFError(ground.message)
        self.ground_state = ground
        self.results = _in_ase_units(ground)

    def _choose(self, crystal: Crystal) -> None:
        """Choose what is missing in the settings, unless that is done for a crystal like this one."""
        settings: dict[str, Any] = dict(self.parameters)
        if self._calculation is not None:
            before = self._calculation.crystal
            same_elements = crystal.species == before.species
            if same_elements and np.array_equal(crystal.moments, before.moments):
                return
            self.ground_state = None
            if same_elements:
                settings = self._calculation.model_dump(exclude={"spin"}) | settings
        if crystal.moments.any():
            settings.setdefault("spin", True)
        # In the cell of the atoms, to which k points and fields belong, however skewed it is.
        self._calculation = build_model(Calculation, with_structure_defaults({**settings, "structure": crystal}))


def _in_ase_units(ground: SolvedState) -> dict[str, Any]:
    """The implemented properties that a state has, in ASE's units."""
    summary = ground.summary()
    energy = summary["free_energy_ha"] * HARTREE_EV
    results: dict[str, Any] = {"energy": energy, "free_energy": energy}
    if ground.forces is not None:
        results["forces"] = np.array(summary["forces_ha_bohr"]) * (HARTREE_EV / BOHR_ANG)
    if ground.stress is not None:
        results["stress"] = np.array(summary["stress_ha_bohr3"]) * (HARTREE_EV / BOHR_ANG**3)
    if ground.magnetisation is not None:
        results["magmom"] = ground.magnetisation
    return results
