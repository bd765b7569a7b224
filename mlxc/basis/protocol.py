"""What the self-consistent field asks of a basis set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from mlxc.basis.hamiltonian import EffectivePotential, Hamiltonian
from mlxc.crystal.brillouin import KPoints
from mlxc.crystal.crystal import Crystal
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.grid.fields import FieldKinds, Fields
from mlxc.grid.grid import Grid
from mlxc.grid.shape import Shape
from mlxc.pseudo.ions import Ions


class LinearDependence(NamedTuple):
    """How close functions that overlap are to being combinations of each other.

    Attributes:
        functions: The number of functions at each k point.
        condition_number: The largest ratio of eigenvalues of an overlap matrix, as far as rounding lets it be known.
        dropped: The number of combinations left out as indistinguishable from nothing, at the k point with the most of
            them.
    """

    functions: int
    condition_number: float
    dropped: int


class PotentialOperator(Protocol):
    """An effective potential, acting on orbitals of some k points of one spin."""

    def add_to(self, result: Tensor, orbitals: Tensor) -> None:
        """Add what becomes of the orbitals ``(nk, nband, nfunction)``."""
        ...


class OneElectronOperator(Protocol):
    """An operator that does not depend on the electrons' state, such as the kinetic energy."""

    def expectation(self, orbitals: Tensor, electrons: Tensor) -> Tensor:
        """The energy per cell, hartree, of orbitals and the electrons in them; differentiable where the operator is.

        Args:
            orbitals: The orbitals, shape ``(nk * nspin, nband, nfunction)``.
            electrons: The electrons in each orbital times the weight of its k point, shape ``(nk * nspin, nband)``.
        """
        ...


class SteadyOrbitals(Protocol):
    """Orbitals that stay as they are, while potentials act on them and changes are added to them."""

    def images(self, potential: EffectivePotential) -> Tensor:
        """What an effective potential of all spins makes of the orbitals, of their shape."""
        ...

    def field_changes(self, changes: Tensor, kinds: FieldKinds) -> Fields:
        """First-order changes of the fields; ``changes`` are those of the orbitals, times the electrons in them."""
        ...


class Basis(Protocol):
    """Orthonormal functions at every k point, and the grid that densities and potentials live on.

    Orbitals are coefficients of the functions, shape ``(nk * nspin, nband, nfunction)``. k points with fewer functions
    than others are padded with functions that are zero.
    """

    @property
    def settings(self) -> BasisSettings:
        """The settings from which it was made."""
        ...

    @property
    def grid(self) -> Grid:
        """The real-space grid."""
        ...

    @property
    def kpoints(self) -> KPoints:
        """The k points at which there are orbitals."""
        ...

    @property
    def weights(self) -> Tensor:
        """The weights of the k points, shape ``(nk,)``."""
        ...

    @property
    def nkpoints(self) -> int:
        """Number of k points."""
        ...

    @property
    def device(self) -> torch.device:
        """The device that its tensors are on."""
        ...

    @property
    def represents_densities(self) -> bool:
        """Whether the grid holds densities exactly, so that a gradient follows from the density on it."""
        ...

    @property
    def gives_forces(self) -> bool:
        """Whether energies are differentiable in positions and strain at fixed coefficients of the orbitals."""
        ...

    @property
    def linear_dependence(self) -> LinearDependence | None:
        """How close functions that overlap are to being dependent; None for those that do not overlap."""
        ...

    def spin_blocks(self, nspin: int) -> list[tuple[int, slice]]:
        """Spin and k points of the parts of a computation that can go on at the same time, in the order of rows."""
        ...

    def rows(self, spin: int, kpoints: slice) -> slice:
        """Entries of some k points of one spin in the batch of all k points and spins."""
        ...

    def band_count(self, occupied: int, preferred: int) -> int:
        """How many bands to compute where ``occupied`` hold electrons and ``preferred`` would be good to have.

        Raises:
            InputError: the basis is too small.
        """
        ...

    def lowest_functions(self, count: int, seed: int) -> Tensor:
        """Functions of low kinetic energy, a guess of orbitals, linearly independent, ``(nk, count, nfunction)``."""
        ...

    def starting_orbitals(self, ions: Ions, nband: int, seed: int) -> Tensor:
        """At least ``nband`` linearly independent orbitals to start an SCF with, ``(nk, norbital, nfunction)``."""
        ...

    def accepts(self, source: Basis) -> bool:
        """Whether orbitals of another basis have a meaning in this one."""
        ...

    def transfer(self, orbitals: Tensor, source: Basis) -> Tensor:
        """Orbitals of the same basis for another volume (same k points), as far as this one can represent them."""
        ...

    def fields(self, orbitals: Tensor, electrons: Tensor, kinds: FieldKinds) -> Fields:
        """Fields of some kinds on the grid, of orbitals and the electrons in them ``(nk * nspin, nband)``.

        k-point weights are applied here; nothing is symmetrised.
        """
        ...

    def field_changes(self, orbitals: Tensor, changes: Tensor, kinds: FieldKinds) -> Fields:
        """First-order changes of the fields, of orbitals and their changes times the electrons in them."""
        ...

    def steady(self, orbitals: Tensor) -> SteadyOrbitals:
        """Orbitals ``(nk * nspin, nband, nfunction)`` that stay, ready for many first-order changes."""
        ...

    def release(self) -> None:
        """Free memory that only saves time; what is needed again is computed again."""
        ...

    def potential_operator(self, kpoints: slice, spin: int, potential: EffectivePotential) -> PotentialOperator:
        """What an effective potential of all spins does to orbitals of some k points of one spin."""
        ...

    def kinetic_operator(self) -> OneElectronOperator:
        """The kinetic energy, -nabla^2 / 2."""
        ...

    def nonlocal_operator(self, ions: Ions) -> OneElectronOperator:
        """The nonlocal pseudopotentials of ions."""
        ...

    def hamiltonian(self, operators: Sequence[OneElectronOperator], potential: EffectivePotential) -> Hamiltonian:
        """H of every k point and spin: operators that this basis has made, in an effective potential of all spins."""
        ...


class BasisSettings(Protocol):
    """Which basis to take for any crystal."""

    def symmetry(self, crystal: Crystal) -> SpaceGroup:
        """The operations that the calculation makes use of."""
        ...

    def discretise(
        self, crystal: Crystal, kpoints: KPoints, group: SpaceGroup, device: torch.device | str = "cpu"
    ) -> Basis:
        """The basis for one crystal and its k points."""
        ...

    def pseudopotential_family(self, crystal: Crystal) -> str:
        """The family of pseudopotentials where nobody has chosen one."""
        ...

    def with_grid(self, shape: Shape) -> BasisSettings:
        """The same settings with this grid."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Plain data, from which :func:`~mlxc.basis.kinds.saved_settings` makes them again."""
        ...
