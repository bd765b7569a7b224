"""mlxc as a calculator of ASE: energies, forces and stress for relaxations, dynamics and whatever else ASE does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, CalculatorSetupError, SCFError, all_changes
from numpy.typing import NDArray

from mlxc.calculation.calculation import Calculation
from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.kohn_sham.solved_state import SolvedState
from mlxc.units import BOHR_ANG, HARTREE_EV

SETTINGS = tuple(name for name in Calculation.model_fields if name != "structure")


class MLXC(Calculator):
    """ASE calculator.

    Args:
        atoms: The atoms to attach the calculator to.
        settings: The fields of :class:`mlxc.Calculation` except the structure, such as ``ecut_ha`` and ``kmesh``; what
            is missing is chosen for the first structure and then kept, so that energies along a path can be compared.

    Results are in ASE's units: electronvolt and angstrom. ``energy`` and ``free_energy`` are both F = E - TS, of which
    forces and stress are the derivatives; a basis of Gaussian orbitals gives neither. A change of the cell with a
    fixed cutoff wants ``cutoff_smoothing_ha``, which is 0.5 unless given. Atoms with initial magnetic moments are
    computed with spin unless ``spin`` says otherwise. ``ground_state`` holds the last result; it is where the next SCF
    starts, unless elements, initial moments or settings have changed. A calculation that was saved goes on with
    ``calculator.ground_state = mlxc.SavedState.load("saved.h5")``.

    Raises:
        InputError: there is no such setting.
    """

    implemented_properties = ["energy", "free_energy", "forces", "stress", "magmom"]  # noqa: RUF012 - as ASE asks
    default_parameters = {"cutoff_smoothing_ha": 0.5}  # noqa: RUF012
    discard_results_on_any_change = True

    def __init__(self, atoms: Atoms | None = None, **settings: Any) -> None:
        self._calculation: Calculation | None = None
        self.ground_state: SolvedState | None = None
        super().__init__(atoms=atoms, **settings)

    def set(self, **settings: Any) -> dict[str, Any]:
        """Change some settings, and forget the results if they differ; returns those that do.

        Raises:
            InputError: there is no such setting.
        """
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
        self._calculation = Calculation.from_dict({**settings, "structure": crystal})

    # What ASE's densities of states and band structures ask a calculator for.

    def get_fermi_level(self) -> float:
        """The Fermi level, electronvolt."""
        return self._solved.fermi_level * HARTREE_EV

    def get_number_of_spins(self) -> int:
        """The number of spins, 1 or 2."""
        return len(self._solved.density)

    def get_spin_polarized(self) -> bool:
        """Whether up and down electrons are treated separately."""
        return self.get_number_of_spins() == 2

    def get_ibz_k_points(self) -> NDArray[np.float64]:
        """Irreducible k points, fractional, shape ``(nk, 3)``."""
        return np.array(self._solved.kpoints.fractional)

    def get_k_point_weights(self) -> NDArray[np.float64]:
        """The weights of the irreducible k points, shape ``(nk,)``; their sum is 1."""
        return np.array(self._solved.kpoints.weights)

    def get_eigenvalues(self, kpt: int = 0, spin: int = 0) -> NDArray[np.float64]:
        """The eigenvalues of one irreducible k point and spin, shape ``(nband,)``, electronvolt."""
        values = self._solved.eigenvalues[spin * len(self._solved.kpoints) + kpt]
        return np.array(values.detach().cpu()) * HARTREE_EV

    def get_occupation_numbers(self, kpt: int = 0, spin: int = 0) -> NDArray[np.float64]:
        """Electrons in the states of one irreducible k point and spin, times its weight, shape ``(nband,)``."""
        electrons = self._solved.occupations[spin * len(self._solved.kpoints) + kpt]
        return np.array(electrons.detach().cpu()) * self.get_k_point_weights()[kpt]

    @property
    def _solved(self) -> SolvedState:
        if self.ground_state is None:
            raise CalculatorSetupError("Nothing is computed yet; ask for the energy first.")
        return self.ground_state


def _in_ase_units(ground: SolvedState) -> dict[str, Any]:
    """The implemented properties that a state has, in ASE's units."""
    summary = ground.summary()
    energy = summary["free_energy_ha"] * HARTREE_EV
    results = {"energy": energy, "free_energy": energy}
    if ground.forces is not None:
        results["forces"] = np.array(summary["forces_ha_bohr"]) * (HARTREE_EV / BOHR_ANG)
    if ground.stress is not None:
        results["stress"] = np.array(summary["stress_ha_bohr3"]) * (HARTREE_EV / BOHR_ANG**3)
    if ground.magnetisation is not None:
        results["magmom"] = ground.magnetisation
    return results
