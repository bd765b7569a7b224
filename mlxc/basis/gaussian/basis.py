"""Gaussian orbitals: contracted functions on the atoms, with Bloch phases, in the place of plane waves.

The density lives on the same uniform grid as with plane waves, as in PySCF's FFTDF: J. McClain et al., J. Chem. Theory
Comput. 13, 1209 (2017). Such a grid does not represent the functions exactly, so the density's gradient is computed
from that of the functions.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mlxc.basis.gaussian.cell import GaussianCell, Ghost, uniform_points
from mlxc.basis.gaussian.dense_hamiltonian import DenseBlock, DenseHamiltonian
from mlxc.basis.gaussian.orthonormal import orthonormal_functions
from mlxc.basis.gaussian.sets import DEFAULT_GAUSSIAN_BASIS, basis_of_elements, grid_cutoff
from mlxc.basis.planewave.hamiltonian import EffectivePotential
from mlxc.basis.protocol import Basis
from mlxc.crystal.brillouin import KPoints
from mlxc.crystal.crystal import Crystal
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.errors import InputError
from mlxc.grid.fields import Fields, Wanted
from mlxc.grid.grid import Grid
from mlxc.grid.shape import Shape, choose_shape, grid_radius
from mlxc.pseudo.gth import GTHPseudopotential
from mlxc.pseudo.ions import Ions
from mlxc.utils.parallel import map_in_threads

# Functions are worked on for portions of the points, of about this many bytes, which stay in a processor's cache.
PORTION_BYTES = 2e6
# And computed for portions of this many bytes, all k points together.
EVALUATION_BYTES = 2e8
# Energy, hartree, of functions that only pad the matrices of some k points.
PADDING_ENERGY = 1e4


@dataclass(frozen=True)
class GaussianOrbitals:
    """Settings of a Gaussian basis.

    Attributes:
        name: basis set of the elements, see :func:`~mlxc.basis.gaussian.sets.gaussian_basis_names`.
        names: by element, where another one is wanted.
        ecut: cutoff, hartree, that chooses the grid as that of plane waves does; by default the functions decide.
        fft_grid: points of the real-space grid; by default the smallest suitable one for the cutoff.
        ghosts: symbol and fractional position of functions without an atom. A part of a crystal in the functions of
            the whole shows what the parts lend each other: S. F. Boys, F. Bernardi, Mol. Phys. 19, 553 (1970).
    """

    name: str = DEFAULT_GAUSSIAN_BASIS
    names: dict[str, str] = field(default_factory=dict)
    ecut: float | None = None
    fft_grid: Shape | None = None
    ghosts: tuple[Ghost, ...] = ()

    def sets(self, crystal: Crystal) -> dict[str, str]:
        """Basis set of each element, ghosts included."""
        return basis_of_elements(self._species(crystal), self.name, self.names)

    def _species(self, crystal: Crystal) -> tuple[str, ...]:
        return (*crystal.species, *(symbol for symbol, _ in self.ghosts))

    def grid_shape(self, crystal: Crystal) -> Shape:
        """Points of the grid for a crystal."""
        if self.fft_grid is not None:
            return self.fft_grid
        ecut = self.ecut or grid_cutoff(self._species(crystal), self.name, self.names)
        return choose_shape(crystal.lattice, grid_radius(ecut), self._group(crystal))

    def symmetry(self, crystal: Crystal) -> SpaceGroup:
        """Those of the crystal's operations that map the grid onto itself: others would change the energy a little."""
        return self._group(crystal).on_grid(self.grid_shape(crystal))

    def _group(self, crystal: Crystal) -> SpaceGroup:
        symbols = [symbol for symbol, _ in self.ghosts]
        return SpaceGroup.of(crystal).of_points(symbols, np.array([position for _, position in self.ghosts]))

    def pseudopotential_family(self, crystal: Crystal) -> str:
        """The functions are made for GTH pseudopotentials."""
        return "gth"

    def discretise(
        self, crystal: Crystal, kpoints: KPoints, group: SpaceGroup, device: torch.device | str = "cpu"
    ) -> GaussianBasis:
        """The basis for one crystal and its k points."""
        return GaussianBasis(self, crystal, kpoints, torch.device(device))

    def with_grid(self, shape: Shape) -> GaussianOrbitals:
        """The same settings with this grid."""
        return replace(self, fft_grid=shape)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, from which :func:`~mlxc.basis.kinds.saved_settings` makes them again."""
        return {"kind": "gaussian"} | asdict(self)


class GaussianBasis:
    """Orthonormal combinations of a crystal's Gaussian functions at every k point.

    Attributes:
        grid: the real-space grid, with all Fourier coefficients that it has.
        weights: of the k points, shape ``(nk,)``.
        linear_dependence: of the functions before they are combined.
    """

    represents_densities = False
    gives_forces = False

    def __init__(self, settings: GaussianOrbitals, crystal: Crystal, kpoints: KPoints, device: torch.device) -> None:
        self.settings = settings
        self.kpoints = kpoints
        self.device = device
        shape = settings.grid_shape(crystal)
        self.grid = Grid(torch.tensor(crystal.lattice, dtype=torch.float64, device=device), shape, torch.inf)
        self.weights = torch.tensor(kpoints.weights, dtype=torch.float64, device=device)
        self.cell = GaussianCell(crystal, settings.sets(crystal), kpoints.fractional, settings.ghosts)
        found = orthonormal_functions(torch.as_tensor(self.cell.overlap()))
        self.linear_dependence = found.linear_dependence
        self._combinations = found.combinations.to(device)
        self._inverse = found.inverse.to(device)
        self._padding = found.padding.to(device)
        self._tables: Tensor | None = None

    @property
    def nkpoints(self) -> int:
        """Number of k points."""
        return len(self._combinations)

    @property
    def nfunctions(self) -> int:
        """Number of functions that each k point has room for."""
        return self._combinations.shape[2]

    def _functions(self, slopes: bool) -> Tensor:
        """Orthonormal functions on the grid, computed once, shape ``(nk, ncomponent, nfunction, npoint)``.

        The components are the value and, where slopes have been asked for, its Cartesian derivatives.
        """
        if self._tables is None or (slopes and self._tables.shape[1] == 1):
            points = uniform_points(self.grid.shape)
            ncomponent = 4 if slopes else 1
            bytes_per_point = 16 * ncomponent * self._combinations.shape[1] * self.nkpoints
            portions = np.array_split(points, max(1, round(len(points) * bytes_per_point / EVALUATION_BYTES)))
            shape = (self.nkpoints, ncomponent, self.nfunctions, len(points))
            tables = torch.empty(shape, dtype=torch.complex128, device=self.device)
            first = 0
            for portion in portions:
                places = slice(first, first + len(portion))
                atomic = self.cell.values(portion, slopes)
                for own, combinations, values in zip(tables, self._combinations, atomic, strict=True):
                    own[..., places] = combinations.mT @ torch.as_tensor(values).to(combinations)
                first = places.stop
            self._tables = tables
        return self._tables

    def release(self) -> None:
        """See :class:`~mlxc.basis.protocol.Basis`: functions on the grid take gigabytes, those of many volumes more."""
        self._tables = None

    def _portions(self) -> list[slice]:
        """Of the grid's points."""
        step = max(1, int(PORTION_BYTES / (16 * self.nfunctions)))
        return [slice(start, min(start + step, self.grid.size)) for start in range(0, self.grid.size, step)]

    def spin_blocks(self, nspin: int) -> list[tuple[int, slice]]:
        """Each k point is a block of its own; see :class:`~mlxc.basis.protocol.Basis`."""
        return [(spin, slice(k, k + 1)) for spin in range(nspin) for k in range(self.nkpoints)]

    def rows(self, spin: int, kpoints: slice) -> slice:
        """See :class:`~mlxc.basis.protocol.Basis`."""
        return slice(spin * self.nkpoints + kpoints.start, spin * self.nkpoints + kpoints.stop)

    def band_count(self, occupied: int, wanted: int) -> int:
        """See :class:`~mlxc.basis.protocol.Basis`."""
        available = self.nfunctions - int(self._padding.sum(1).max())
        if occupied > available:
            raise InputError(
                f"gaussian_basis: {available} functions per cell cannot hold {occupied} bands; take a larger basis set."
            )
        return min(wanted, available)

    def lowest_functions(self, count: int, seed: int) -> Tensor:
        """See :class:`~mlxc.basis.protocol.Basis`; which functions does not matter where H is diagonalised."""
        unit = torch.eye(count, self.nfunctions, dtype=torch.complex128, device=self.device)
        return unit.repeat(self.nkpoints, 1, 1)

    def accepts(self, source: Basis) -> bool:
        """See :class:`~mlxc.basis.protocol.Basis`."""
        return isinstance(source, GaussianBasis) and source.cell.functions == self.cell.functions

    def transfer(self, orbitals: Tensor, source: Basis) -> Tensor:
        """Orbitals with the same coefficients of the atoms' functions; see :class:`~mlxc.basis.protocol.Basis`."""
        assert isinstance(source, GaussianBasis)
        nspin = len(orbitals) // self.nkpoints
        change = source._combinations.mT @ self._inverse.mT
        return orbitals @ change.repeat(nspin, 1, 1)

    def fields(self, orbitals: Tensor, electrons: Tensor, wanted: Wanted) -> Fields:
        """See :class:`~mlxc.basis.protocol.Basis`."""
        weights = electrons * self.weights.repeat(len(orbitals) // self.nkpoints)[:, None]
        return self._fields_of((orbitals * weights[..., None]).mT @ orbitals.conj(), wanted)

    def field_changes(self, orbitals: Tensor, changes: Tensor, wanted: Wanted) -> Fields:
        """See :class:`~mlxc.basis.protocol.Basis`."""
        weights = self.weights.repeat(len(orbitals) // self.nkpoints)[:, None, None]
        half = (changes * weights).mT @ orbitals.conj()
        return self._fields_of(half + half.mH, wanted)

    def _fields_of(self, density_matrices: Tensor, wanted: Wanted) -> Fields:
        """Fields of density matrices P, n = sum_ab P_ab chi_a chi_b*, ``(nk * nspin, nfunction, nfunction)``."""
        nspin = len(density_matrices) // self.nkpoints
        functions = self._functions(any(wanted))

        def own(block: tuple[int, slice]) -> Tensor:
            spin, kpoints = block
            return self._own_fields(functions[kpoints.start], density_matrices[self.rows(spin, kpoints)][0], wanted)

        nfield = 1 + 3 * wanted.gradient + wanted.tau
        total = self.weights.new_zeros(nfield, nspin, self.grid.size)
        blocks = self.spin_blocks(nspin)
        for (spin, _), fields in zip(blocks, map_in_threads(own, blocks), strict=True):
            total[:, spin] += fields
        return Fields.unstacked(total.unflatten(-1, self.grid.shape))

    def _own_fields(self, functions: Tensor, density_matrix: Tensor, wanted: Wanted) -> Tensor:
        """Of one k point and spin, shape ``(nfield, npoint)``."""
        result = self.weights.new_empty(1 + 3 * wanted.gradient + wanted.tau, self.grid.size)
        transposed = density_matrix.mT.contiguous()
        for points in self._portions():
            values = functions[0, :, points]
            weighted = transposed @ values
            result[0, points] = _real_product(values, weighted)
            if wanted.gradient:
                for axis in range(1, 4):
                    result[axis, points] = 2 * _real_product(functions[axis, :, points], weighted)
            if wanted.tau:
                slopes = [functions[axis, :, points] for axis in range(1, 4)]
                result[-1, points] = sum(_real_product(slope, transposed @ slope) for slope in slopes) / 2
        return result

    def potential_operator(self, kpoints: slice, spin: int, potential: EffectivePotential) -> MatrixOperator:
        """See :class:`~mlxc.basis.protocol.Basis`."""
        return MatrixOperator(self.potential_matrix(kpoints, spin, potential))

    def potential_matrix(self, kpoints: slice, spin: int, potential: EffectivePotential) -> Tensor:
        """<chi_a|V|chi_b> of a potential of all spins, shape ``(nk, nfunction, nfunction)``, hartree."""
        gradient, kinetic = potential.gradient, potential.kinetic
        functions = self._functions(gradient is not None or kinetic is not None)
        local = potential.local[spin].flatten() / 2
        slope = None if gradient is None else gradient[:, spin].flatten(1)
        half_kinetic = None if kinetic is None else kinetic[spin].flatten() / 4
        matrices = functions.new_zeros(kpoints.stop - kpoints.start, self.nfunctions, self.nfunctions)
        for matrix, own in zip(matrices, functions[kpoints], strict=True):
            for points in self._portions():
                values = own[0, :, points]
                image = values * local[points]
                if slope is not None:
                    for axis in range(3):
                        image += own[axis + 1, :, points] * slope[axis, points]
                matrix += values.conj() @ image.mT
                if half_kinetic is not None:
                    for axis in range(1, 4):
                        derivative = own[axis, :, points]
                        matrix += derivative.conj() @ (derivative * half_kinetic[points]).mT
        return (matrices + matrices.mH) * (self.grid.volume / self.grid.size)

    def orthonormal(self, matrices: Tensor) -> Tensor:
        """Matrix elements between the orthonormal functions, from those between the atoms' functions."""
        return self._combinations.mH @ matrices.to(self.device) @ self._combinations

    def one_electron(self, ions: Ions) -> GaussianOperators:
        """See :class:`~mlxc.basis.protocol.Basis`.

        Raises:
            InputError: the pseudopotentials are not of the GTH form.
        """
        return GaussianOperators(self, ions)

    @property
    def padding(self) -> Tensor:
        """Where functions only pad, shape ``(nk, nfunction)``."""
        return self._padding


class GaussianOperators:
    """Kinetic energy and nonlocal pseudopotentials in Gaussian functions.

    Args:
        basis: of all k points.
        ions: whose pseudopotentials they are.
    """

    def __init__(self, basis: GaussianBasis, ions: Ions) -> None:
        parameters = {}
        for symbol, pseudopotential in ions.pseudopotentials.items():
            if not isinstance(pseudopotential, GTHPseudopotential):
                raise InputError("pseudo: Gaussian basis sets need GTH pseudopotentials, not those of UPF files.")
            parameters[symbol] = pseudopotential.parameters
        self._basis = basis
        self._kinetic = basis.orthonormal(torch.as_tensor(basis.cell.kinetic()))
        self._nonlocal = basis.orthonormal(torch.as_tensor(basis.cell.nonlocal_pseudopotential(parameters)))

    def kinetic_energy(self, orbitals: Tensor, electrons: Tensor) -> Tensor:
        """See :class:`~mlxc.basis.protocol.OneElectron`."""
        return self._expectation(self._kinetic, orbitals, electrons)

    def nonlocal_energy(self, orbitals: Tensor, electrons: Tensor) -> Tensor:
        """See :class:`~mlxc.basis.protocol.OneElectron`."""
        return self._expectation(self._nonlocal, orbitals, electrons)

    def _expectation(self, matrices: Tensor, orbitals: Tensor, electrons: Tensor) -> Tensor:
        nspin = len(orbitals) // self._basis.nkpoints
        images = orbitals @ matrices.repeat(nspin, 1, 1).mT
        return ((orbitals.conj() * images).real.sum(-1) * electrons).sum()

    def hamiltonian(self, potential: EffectivePotential) -> DenseHamiltonian:
        """H of every k point and spin."""
        basis = self._basis
        fixed = self._kinetic + self._nonlocal + PADDING_ENERGY * torch.diag_embed(basis.padding.to(torch.complex128))

        def block(place: tuple[int, slice]) -> DenseBlock:
            spin, kpoints = place
            return DenseBlock(
                basis.rows(spin, kpoints), fixed[kpoints] + basis.potential_matrix(kpoints, spin, potential)
            )

        # Computed once before the threads share it.
        basis._functions(potential.gradient is not None or potential.kinetic is not None)
        return DenseHamiltonian(map_in_threads(block, basis.spin_blocks(len(potential.local))))


class MatrixOperator:
    """A potential as matrices ``(nk, nfunction, nfunction)``."""

    def __init__(self, matrices: Tensor) -> None:
        self._matrices = matrices

    def add_to(self, result: Tensor, orbitals: Tensor) -> None:
        """Add what becomes of the orbitals ``(nk, nband, nfunction)``."""
        result += orbitals @ self._matrices.mT


def _real_product(left: Tensor, right: Tensor) -> Tensor:
    """Re sum_a left_a* right_a at each point, from ``(nfunction, npoint)``."""
    # Over functions first: rows of points are contiguous, so this is several times faster than both sums at once.
    return (torch.view_as_real(left) * torch.view_as_real(right)).sum(0).sum(-1)
