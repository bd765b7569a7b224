"""What ASE asks a calculator of density-functional theory for beside energies: levels, k points, densities, bands."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
from ase.calculators.calculator import CalculatorSetupError
from ase.dft.kpoints import BandPath
from ase.spectrum.band_structure import BandStructure
from numpy.typing import NDArray

from mlxc.crystal.brillouin import full_mesh, irreducible_places
from mlxc.kohn_sham.gap import bands_cross, filled_by_occupation, highest_filled, lowest_empty
from mlxc.kohn_sham.solved_state import SolvedState
from mlxc.kohn_sham.state import GroundState
from mlxc.properties.bands import eigenvalues_at
from mlxc.units import BOHR_ANG, HARTREE_EV


@dataclass(frozen=True, eq=False)
class _Levels:
    """The levels of a state's k mesh, empty ones included.

    Attributes:
        ground: The state.
        energies: The levels, hartree, shape ``(nspin, nk, nband)``.
        electrons: The electrons in each, without k-point weights, same shape.
    """

    ground: SolvedState
    energies: NDArray[np.float64]
    electrons: NDArray[np.float64]

    @classmethod
    def of(cls, ground: SolvedState) -> _Levels:
        """Levels as converged as bands are; of a state from a file those that the SCF had."""
        shape = (len(ground.density), len(ground.kpoints), -1)
        electrons = ground.occupations.detach().cpu().numpy().reshape(shape)
        if not isinstance(ground, GroundState):
            return cls(ground, ground.eigenvalues.cpu().numpy().reshape(shape), electrons)
        energies = eigenvalues_at(ground, ground.kpoints.fractional)
        none = np.zeros((*energies.shape[:2], energies.shape[2] - electrons.shape[2]))
        return cls(ground, energies, np.concatenate([electrons, none], axis=2))

    @property
    def edges(self) -> tuple[float, float]:
        """The highest filled and the lowest empty level, hartree; infinity where no empty level is known."""
        filled = filled_by_occupation(self.electrons)
        empty = lowest_empty(self.energies, filled)[1]
        return float(highest_filled(self.energies, filled)[1].max()), float(empty.min(initial=inf))

    @property
    def has_gap(self) -> bool:
        """Whether one energy has all filled levels below it, and all empty ones above."""
        highest, lowest = self.edges
        return highest < lowest < inf and not bands_cross(filled_by_occupation(self.electrons))


class ElectronicStructure:
    """The part of a calculator of ASE that looks at its last result, in electronvolt and angstrom.

    k points, spins and bands are counted from zero. Each method raises a ``CalculatorSetupError`` before anything is
    computed. Levels above those of the SCF are computed when something first asks for them.

    Attributes:
        ground_state: The last result; None before the first.
        bandpath: The path along which bands are asked for; None for that of the cell.
    """

    ground_state: SolvedState | None
    bandpath: BandPath | None = None
    _known: _Levels | None = None

    def get_fermi_level(self) -> float:
        """The Fermi level, electronvolt.

        With fixed occupations, or a fixed moment, it is the middle of the gap, if there is one; else the highest
        occupied level, or the higher one of two Fermi levels.
        """
        ground = self._solved
        one_level = ground.calculation["smearing"] != "none" and ground.calculation["total_moment"] is None
        if one_level or not self._levels.has_gap:
            return ground.fermi_level * HARTREE_EV
        return sum(self._levels.edges) / 2 * HARTREE_EV

    def get_fermi_levels(self) -> NDArray[np.float64]:
        """The level of each spin, electronvolt, shape ``(nspin,)``; minus infinity for a spin without electrons."""
        return np.array(self._solved.fermi_levels) * HARTREE_EV

    def get_homo_lumo(self) -> tuple[float, float]:
        """The highest filled and the lowest empty level of the k mesh, electronvolt; infinity where none is known."""
        highest, lowest = self._levels.edges
        return highest * HARTREE_EV, lowest * HARTREE_EV

    def get_number_of_spins(self) -> int:
        """The number of spins, 1 or 2."""
        return len(self._solved.density)

    def get_spin_polarized(self) -> bool:
        """Whether up and down electrons are treated separately."""
        return self.get_number_of_spins() == 2

    def get_number_of_bands(self) -> int:
        """The number of bands of each spin, empty ones included."""
        return int(self._levels.energies.shape[-1])

    def get_bz_k_points(self) -> NDArray[np.float64]:
        """All points of the mesh, fractional, shape ``(nbz, 3)``, in the order of a Monkhorst-Pack mesh of ASE."""
        return full_mesh(self._mesh)

    def get_ibz_k_points(self) -> NDArray[np.float64]:
        """Irreducible k points, fractional, shape ``(nk, 3)``."""
        return np.array(self._solved.kpoints.fractional)

    def get_bz_to_ibz_map(self) -> NDArray[np.int64]:
        """The irreducible k point that stands for each one of the mesh, shape ``(nbz,)``.

        Raises:
            CalculatorSetupError: the last result was read from a file.
        """
        return irreducible_places(self._mesh, self._live.problem.group)

    def get_k_point_weights(self) -> NDArray[np.float64]:
        """The weights of the irreducible k points, shape ``(nk,)``; their sum is 1."""
        return np.array(self._solved.kpoints.weights)

    def get_eigenvalues(self, kpt: int = 0, spin: int = 0) -> NDArray[np.float64]:
        """The levels of one irreducible k point and spin, shape ``(nband,)``, electronvolt."""
        return self._levels.energies[spin, kpt] * HARTREE_EV

    def get_occupation_numbers(self, kpt: int = 0, spin: int = 0) -> NDArray[np.float64]:
        """Electrons in the states of one irreducible k point and spin, times its weight, shape ``(nband,)``.

        As in GPAW, a full state without spin polarisation holds twice the weight, and all states hold all electrons.
        """
        return self._levels.electrons[spin, kpt] * self.get_k_point_weights()[kpt]

    def get_xc_functional(self) -> str:
        """The functional by its name."""
        return str(self._solved.calculation["xc"])

    def get_number_of_grid_points(self) -> NDArray[np.int64]:
        """The number of points of the real-space grid along each cell vector, shape ``(3,)``."""
        return np.array(self._solved.basis.grid.shape)

    def get_pseudo_density(self, spin: int | None = None) -> NDArray[np.float64]:
        """The density of the valence electrons, or of those of one spin, electrons/angstrom^3, on the real-space grid.

        The grid begins at the origin of the cell, and its shape is that of :meth:`get_number_of_grid_points`.
        """
        density = self._solved.density.detach().cpu().numpy()
        chosen = density.sum(0) if spin is None else density[spin] if len(density) == 2 else density[0] / 2
        return np.asarray(chosen / BOHR_ANG**3)

    def get_effective_potential(self, spin: int = 0) -> NDArray[np.float64]:
        """The local part of the effective potential of one spin on the real-space grid, electronvolt."""
        return np.asarray(self._solved.potential[spin].detach().cpu().numpy() * HARTREE_EV)

    def band_structure(self, path: BandPath | None = None) -> BandStructure:
        """Bands in the potential of the last result, electronvolt.

        Args:
            path: The k points; by default ``bandpath``, or else ASE's path for the cell.

        Raises:
            CalculatorSetupError: the last result was read from a file.
        """
        ground = self._live
        path = path or self.bandpath or ground.crystal.to_ase().cell.bandpath()
        levels = eigenvalues_at(ground, path.kpts) * HARTREE_EV
        return BandStructure(path, levels, self.get_fermi_level())

    @property
    def _solved(self) -> SolvedState:
        if self.ground_state is None:
            raise CalculatorSetupError("Nothing is computed yet; ask for the energy first.")
        return self.ground_state

    @property
    def _live(self) -> GroundState:
        ground = self._solved
        if not isinstance(ground, GroundState):
            raise CalculatorSetupError(
                "The last result was read from a file without its Hamiltonian; compute it again."
            )
        return ground

    @property
    def _levels(self) -> _Levels:
        ground = self._solved
        if self._known is None or self._known.ground is not ground:
            self._known = _Levels.of(ground)
        return self._known

    @property
    def _mesh(self) -> tuple[int, int, int]:
        first, second, third = self._solved.calculation["kmesh"]
        return first, second, third
