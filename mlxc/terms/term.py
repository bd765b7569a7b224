"""What a term of the free energy is.

A *definition* is what a physicist writes, ``Hartree()`` or ``ExchangeCorrelation(functional)``: it knows no crystal. In
a setting, which is a crystal in a basis, it becomes a *term*, which gives an energy and what follows from it. A problem
is a list of definitions in a setting, as in DFTK: M. F. Herbst et al., Proc. JuliaCon Conf. 3, 69 (2021).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from torch import Tensor

from mlxc.basis.protocol import Basis, OneElectronOperator
from mlxc.crystal.crystal import Crystal
from mlxc.grid.fields import DENSITY, FieldKinds, Fields
from mlxc.grid.grid import Grid
from mlxc.grid.irreducible_points import IrreduciblePoints
from mlxc.grid.symmetrizer import Symmetrizer
from mlxc.pseudo.ions import Ions


@dataclass(frozen=True)
class Setting:
    """Where terms are evaluated.

    Attributes:
        crystal: the crystal, as it was before ions were moved or the cell deformed.
        basis: the basis, and the grid.
        ions: the nuclei with their pseudopotentials.
        symmetrizer: the average of fields over the operations that leave the problem as it is.
        points: the points of the grid that symmetry does not make from others; None where nothing need be symmetric.
    """

    crystal: Crystal
    basis: Basis
    ions: Ions
    symmetrizer: Symmetrizer
    points: IrreduciblePoints | None

    def moved(self, basis: Basis, positions: Tensor) -> Setting:
        """The same setting with ions at other fractional positions ``(nion, 3)``, in a basis of a deformed cell."""
        return replace(self, basis=basis, ions=replace(self.ions, positions=positions), points=None)


class ElectronicState(NamedTuple):
    """A state of the electrons.

    Attributes:
        orbitals: The orbitals, shape ``(nk * nspin, nband, nfunction)``.
        occupations: The electrons in each orbital times the weight of its k point, shape ``(nk * nspin, nband)``.
        fields: Their fields as Fourier coefficients, symmetrised.
        entropy_energy: -TS per cell, hartree; None where occupations are held.
    """

    orbitals: Tensor
    occupations: Tensor
    fields: Fields
    entropy_energy: Tensor | None = None


class TermDefinition(Protocol):
    """The definition of a contribution to the free energy, which belongs to no crystal in particular."""

    def on(self, setting: Setting) -> Term:
        """The term in a setting, differentiable in the setting's positions and strain."""
        ...


class IonTerm(ABC):
    """A term that does not depend on the electrons' state.

    Attributes:
        name: the name of its energy.
    """

    name: str

    @abstractmethod
    def energy(self) -> Tensor:
        """The energy per cell, hartree."""


class ElectronTerm(ABC):
    """A term that depends on the electrons' state.

    Attributes:
        name: the name of its energy.
    """

    name: str

    @abstractmethod
    def energy(self, state: ElectronicState) -> Tensor:
        """The energy per cell, hartree, differentiable in the setting and in the term's own parameters."""


class OrbitalTerm(ElectronTerm):
    """A term that is the expectation value of an operator of one electron.

    Attributes:
        operator: the operator, which is a part of every Hamiltonian.
    """

    def __init__(self, name: str, operator: OneElectronOperator) -> None:
        self.name, self.operator = name, operator

    def energy(self, state: ElectronicState) -> Tensor:
        """See :class:`ElectronTerm`."""
        return self.operator.expectation(state.orbitals, state.occupations)


class OrbitalTermDefinition(ABC):
    """The definition of a term that is the expectation value of an operator of one electron.

    Attributes:
        name: the name of its energy.
    """

    name: str

    @abstractmethod
    def operator(self, basis: Basis, ions: Ions) -> OneElectronOperator:
        """The operator in a basis, which may be one of other k points than the state's."""

    def on(self, setting: Setting) -> OrbitalTerm:
        """See :class:`TermDefinition`."""
        return OrbitalTerm(self.name, self.operator(setting.basis, setting.ions))


class DensityTerm(ElectronTerm):
    """A term that depends on the density, or on further fields.

    Attributes:
        electric: whether its potential is an electrostatic one, so that planar averages show it.
        kinds: the kinds of fields that it depends on.
    """

    electric = False
    kinds: FieldKinds = (DENSITY,)

    @abstractmethod
    def potential(self, fields: Fields) -> Fields:
        """The derivative of the energy with respect to each field, as Fourier coefficients.

        Args:
            fields: Fourier coefficients, the density of shape ``(nspin, ngvector)``.

        Returns:
            the derivatives, which have to be symmetric; one that is the same for both spins may have one row,
            ``(1, ngvector)``.
        """

    def differentiable_potential(self, fields: Fields) -> Fields:
        """The same derivatives, attached to the fields and to parameters; by default those of :meth:`potential`."""
        return self.potential(fields)


class FixedPotential(DensityTerm):
    """The energy of the electrons in an electrostatic potential that does not depend on them.

    Args:
        name: the name of its energy.
        grid: the grid.
        coefficients: Fourier coefficients of the potential, hartree, shape ``(ngvector,)``.
    """

    electric = True

    def __init__(self, name: str, grid: Grid, coefficients: Tensor) -> None:
        self.name, self._grid, self._coefficients = name, grid, coefficients

    def energy(self, state: ElectronicState) -> Tensor:
        """Integral of n V per cell."""
        total = state.fields.density.sum(0)
        return self._grid.volume * (total.conj() * self._coefficients).sum().real

    def potential(self, fields: Fields) -> Fields:
        """See :class:`DensityTerm`."""
        return Fields(self._coefficients[None])


Term = IonTerm | ElectronTerm
