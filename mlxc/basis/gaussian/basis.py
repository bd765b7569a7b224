"""Gaussian orbitals: contracted functions on the atoms, with Bloch phases, in the place of plane waves.

The density lives on the same uniform grid as with plane waves, as in PySCF's FFTDF: J. McClain et al., J. Chem. Theory
Comput. 13, 1209 (2017). Such a grid does not represent the functions exactly, so the density's gradient is computed
from that of the functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mlxc.basis.gaussian.cell import GaussianCell, Ghost
from mlxc.basis.gaussian.dense_hamiltonian import DenseBlock, DenseHamiltonian
from mlxc.basis.gaussian.functions import GaussianFunctions
from mlxc.basis.gaussian.grid_integrals import fields_of, potential_matrix
from mlxc.basis.gaussian.operators import MatrixOperator, kinetic_operator, nonlocal_operator
from mlxc.basis.gaussian.sets import DEFAULT_GAUSSIAN_BASIS, basis_of_elements, grid_cutoff
from mlxc.basis.gaussian.steady_orbitals import SteadyOrbitals
from mlxc.basis.hamiltonian import EffectivePotential
from mlxc.basis.protocol import Basis, OneElectronOperator
from mlxc.crystal.brillouin import KPoints
from mlxc.crystal.crystal import Crystal
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.errors import InputError
from mlxc.grid.fields import FieldKinds, Fields
from mlxc.grid.grid import Grid
from mlxc.grid.shape import Shape, choose_shape, grid_radius
from mlxc.pseudo.ions import Ions
from mlxc.utils.parallel import map_in_threads

# Energy, hartree, of functions that only pad the matrices of some k points.
PADDING_ENERGY = 1e4


@dataclass(frozen=True)
class GaussianOrbitals:
    """Settings of a Gaussian basis.

    Attributes:
        name: The basis set of the elements, see :func:`~mlxc.basis.gaussian.sets.gaussian_basis_names`.
        names: The basis sets, by element, of those elements for which another one is wanted.
        ecut: The cutoff, hartree, that chooses the grid as that of plane waves does; by default the functions decide.
        fft_grid: The points of the real-space grid; by default the smallest suitable one for the cutoff.
        ghosts: The symbol and fractional position of functions without an atom. A part of a crystal in the functions of
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


class GaussianBasis(GaussianFunctions):
    """The Gaussian functions of a crystal, as :class:`~mlxc.basis.protocol.Basis` asks for them.

    Args:
        settings: The basis sets and the grid.
        crystal: The crystal.
        kpoints: The k points at which there are orbitals.
        device: The device that tensors are on.
    """

    represents_densities = False
    gives_forces = False

    def __init__(self, settings: GaussianOrbitals, crystal: Crystal, kpoints: KPoints, device: torch.device) -> None:
        self.settings = settings
        self.kpoints = kpoints
        lattice = torch.tensor(crystal.lattice, dtype=torch.float64, device=device)
        super().__init__(
            GaussianCell(crystal, settings.sets(crystal), kpoints.fractional, settings.ghosts),
            Grid(lattice, settings.grid_shape(crystal), torch.inf),
            torch.tensor(kpoints.weights, dtype=torch.float64, device=device),
        )

    def band_count(self, occupied: int, preferred: int) -> int:
        """See :class:`~mlxc.basis.protocol.Basis`."""
        available = self.nfunctions - int(self.padding.sum(1).max())
        if occupied > available:
            raise InputError(
                f"gaussian_basis: {available} functions per cell cannot hold {occupied} bands; take a larger basis set."
            )
        return min(preferred, available)

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
        change = source.combinations.mT @ self.inverse.mT
        return orbitals @ change.repeat(nspin, 1, 1)

    def starting_orbitals(self, ions: Ions, nband: int, seed: int) -> Tensor:
        """See :class:`~mlxc.basis.protocol.Basis`; eigenvectors of a small matrix need no guess."""
        return self.lowest_functions(nband, seed)

    def fields(self, orbitals: Tensor, electrons: Tensor, kinds: FieldKinds) -> Fields:
        """See :class:`~mlxc.basis.protocol.Basis`."""
        weights = electrons * self.weights.repeat(len(orbitals) // self.nkpoints)[:, None]
        return fields_of(self, (orbitals * weights[..., None]).mT @ orbitals.conj(), kinds)

    def field_changes(self, orbitals: Tensor, changes: Tensor, kinds: FieldKinds) -> Fields:
        """See :class:`~mlxc.basis.protocol.Basis`."""
        weights = self.weights.repeat(len(orbitals) // self.nkpoints)[:, None, None]
        half = (changes * weights).mT @ orbitals.conj()
        return fields_of(self, half + half.mH, kinds)

    def steady(self, orbitals: Tensor) -> SteadyOrbitals:
        """See :class:`~mlxc.basis.protocol.Basis`."""
        return SteadyOrbitals(self, orbitals)

    def potential_operator(self, kpoints: slice, spin: int, potential: EffectivePotential) -> MatrixOperator:
        """See :class:`~mlxc.basis.protocol.Basis`."""
        return MatrixOperator(potential_matrix(self, kpoints, spin, potential))

    def kinetic_operator(self) -> MatrixOperator:
        """See :class:`~mlxc.basis.protocol.Basis`."""
        return kinetic_operator(self)

    def nonlocal_operator(self, ions: Ions) -> MatrixOperator:
        """See :class:`~mlxc.basis.protocol.Basis`.

        Raises:
            InputError: the pseudopotentials are not of the GTH form.
        """
        return nonlocal_operator(self, ions)

    def hamiltonian(self, operators: Sequence[OneElectronOperator], potential: EffectivePotential) -> DenseHamiltonian:
        """See :class:`~mlxc.basis.protocol.Basis`."""
        fixed = PADDING_ENERGY * torch.diag_embed(self.padding.to(torch.complex128))
        for operator in operators:
            assert isinstance(operator, MatrixOperator), "operators belong to the basis that made them"
            fixed = fixed + operator.matrices

        def block(place: tuple[int, slice]) -> DenseBlock:
            spin, kpoints = place
            return DenseBlock(
                self.rows(spin, kpoints), fixed[kpoints] + potential_matrix(self, kpoints, spin, potential)
            )

        # Computed once before the threads share it.
        self.on_grid(potential.gradient is not None or potential.kinetic is not None)
        return DenseHamiltonian(map_in_threads(block, self.spin_blocks(len(potential.local))))
