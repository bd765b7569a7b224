"""The Kohn-Sham problem of one crystal: a list of terms in a basis, and the Hamiltonian that follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from functools import partial, reduce

import torch
from torch import Tensor, nn

from mlxc.basis.hamiltonian import EffectivePotential, Hamiltonian
from mlxc.basis.planewave.basis import PlaneWaveBasis
from mlxc.basis.protocol import Basis
from mlxc.crystal.crystal import Crystal
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.grid.fields import FIELD_KINDS, GRADIENT, TAU, Fields
from mlxc.grid.irreducible_points import IrreduciblePoints
from mlxc.grid.symmetrizer import Symmetrizer
from mlxc.kohn_sham.kpoint_division import KPointDivision
from mlxc.kohn_sham.occupations import Occupations
from mlxc.pseudo.ions import Ions
from mlxc.pseudo.protocol import Pseudopotential
from mlxc.terms.exchange_correlation import ExchangeCorrelationTerm
from mlxc.terms.term import (
    DensityTerm,
    ElectronicState,
    ElectronTerm,
    IonTerm,
    OrbitalTerm,
    OrbitalTermDefinition,
    Setting,
    TermDefinition,
)
from mlxc.terms.xc import kinetic_density_guess


class Problem:
    """Everything about a crystal in a basis that stays fixed during the SCF.

    What the potential depends on are *fields*, Fourier coefficients of shape ``(nfield, nspin, ngvector)``: the density
    and what else :class:`~mlxc.grid.fields.Fields` names.

    Args:
        crystal: The crystal.
        basis: The basis, with the irreducible k points of ``group``, or with the own ones of this process.
        definitions: The terms of the free energy, one of exchange and correlation among them; see
            :func:`~mlxc.terms.standard.standard_terms`.
        pseudopotentials: The pseudopotentials, by chemical symbol.
        group: The operations that leave all terms as they are.
        division: How the k points are divided among processes; by default this one has all of them.

    Attributes:
        crystal: The crystal.
        basis: The basis.
        ions: The nuclei with their pseudopotentials.
        group: The operations that leave the problem as it is.
        division: How the k points are divided among processes. Fields and energies are those of all k points.
        symmetrizer: The average of fields over the group.
        terms: The terms of the free energy, in the order of their energies.
        xc: The term of exchange and correlation, which knows what its functional says at each point of space.
        kinds: The kinds of fields that the terms depend on, in the order in which they are stacked.
        ion_energies: The energies of the terms that do not depend on the electrons' state, by name, hartree.
    """

    def __init__(
        self,
        crystal: Crystal,
        basis: Basis,
        definitions: Sequence[TermDefinition],
        pseudopotentials: dict[str, Pseudopotential],
        group: SpaceGroup,
        division: KPointDivision | None = None,
    ) -> None:
        self.crystal = crystal
        self.division = KPointDivision(basis.kpoints) if division is None else division
        self.group = group
        self.symmetrizer = Symmetrizer(group, basis.grid)
        self._points = IrreduciblePoints.of(group, basis.grid)
        self._definitions = tuple(definitions)
        ions = Ions.of(crystal, pseudopotentials, basis.device)
        self._place(Setting(crystal, basis, ions, self.symmetrizer, self._points))
        self.ion_energies = {name: float(value) for name, value in self.ion_terms().items()}

    def _place(self, setting: Setting) -> None:
        self.basis, self.ions, self._setting = setting.basis, setting.ions, setting
        self.terms = [definition.on(setting) for definition in self._definitions]
        self._density_terms = [term for term in self.terms if isinstance(term, DensityTerm)]
        self.xc = next(term for term in self.terms if isinstance(term, ExchangeCorrelationTerm))
        self.kinds = tuple(kind for kind in FIELD_KINDS if any(kind in term.kinds for term in self._density_terms))

    @property
    def functional(self) -> nn.Module:
        """The exchange-correlation functional."""
        return self.xc.functional

    def effective_potential(self, fields: Tensor) -> EffectivePotential:
        """The sum of the terms' potentials, on the grid, of fields."""
        own = Fields.unstacked(fields, self.kinds)
        return EffectivePotential.of_fields(self._on_grid([term.potential(own) for term in self._density_terms]))

    def differentiable_potential(self, fields: Tensor) -> Tensor:
        """The effective potential as one tensor ``(nfield, nspin, n1, n2, n3)``, attached to fields and parameters.

        Args:
            fields: The fields on the grid, same shape. The potential's dependence on them is that on their symmetric
                part.
        """
        with torch.enable_grad():
            own = Fields.unstacked(self.symmetrised(self.basis.grid.fourier(fields)), self.kinds)
            return self._on_grid([term.differentiable_potential(own) for term in self._density_terms]).stacked()

    def _on_grid(self, potentials: Sequence[Fields]) -> Fields:
        """The sum of potentials that are given as Fourier coefficients, as values on the grid."""
        return reduce(Fields.plus, potentials).map(self.basis.grid.real)

    def potential_of(self, stacked: Tensor) -> EffectivePotential:
        """What acts on the electrons, from one tensor ``(nfield, nspin, n1, n2, n3)`` for all fields."""
        return EffectivePotential.of_fields(Fields.unstacked(stacked, self.kinds))

    def symmetrised(self, stacked: Tensor) -> Tensor:
        """The average of fields over the group, Fourier coefficients ``(nfield, nspin, ngvector)``."""
        return self.symmetrizer.fields(Fields.unstacked(stacked, self.kinds)).stacked()

    def electric_potential(self, density: Tensor) -> Tensor:
        """The potential of ions, of a density ``(nspin, n1, n2, n3)`` and of what is applied from outside.

        Returns:
            the potential, hartree, shape ``(n1, n2, n3)``; its mean is arbitrary.
        """
        grid = self.basis.grid
        fields = Fields(grid.fourier(density))
        potentials = [term.potential(fields).density[0] for term in self._density_terms if term.electric]
        return grid.real(torch.stack(potentials).sum(0))

    def hamiltonian(self, potential: EffectivePotential) -> Hamiltonian:
        """H of every k point and spin in an effective potential."""
        operators = [term.operator for term in self.terms if isinstance(term, OrbitalTerm)]
        return self.basis.hamiltonian(operators, potential)

    def hamiltonian_in(self, basis: Basis, potential: EffectivePotential) -> Hamiltonian:
        """H in a basis of the same kind and crystal, whose k points are others."""
        terms = [definition for definition in self._definitions if isinstance(definition, OrbitalTermDefinition)]
        return basis.hamiltonian([term.operator(basis, self.ions) for term in terms], potential)

    def fields(self, orbitals: Tensor, electrons: Tensor) -> Tensor:
        """Symmetrised fields of orbitals ``(nk * nspin, nband, nfunction)`` and the electrons in them."""
        fields = self.basis.fields(orbitals, electrons, self.kinds).map(self.basis.grid.fourier)
        return self.symmetrizer.fields(fields.map(self.division.processes.total)).stacked()

    def band_count(self, occupied: int, preferred: int) -> int:
        """See :meth:`mlxc.basis.protocol.Basis.band_count`; the same at the k points of all processes.

        Raises:
            InputError: the basis is too small.
        """
        return self.division.processes.together(partial(self.basis.band_count, occupied, preferred))

    def field_changes(self, orbitals: Tensor, changes: Tensor) -> Tensor:
        """Changes of the fields on the grid, not symmetrised; see :class:`~mlxc.basis.protocol.Basis`."""
        return self.basis.field_changes(orbitals, changes, self.kinds).stacked()

    def extrapolated_fields(self, density: Tensor, orbitals: Tensor, electrons: Tensor) -> Tensor:
        """Symmetrised fields from guesses of the density, Fourier coefficients ``(nspin, ngvector)``, and the orbitals.

        A density that is extrapolated from other crystals is better than that of the orbitals; tau has no other source,
        nor has what the grid does not represent of the density's gradient.
        """
        density = self.symmetrizer.coefficients(density)
        if len(self.kinds) == 1:
            return density[None]
        own = Fields.unstacked(self.fields(orbitals, electrons), self.kinds)
        gradient = None if own.gradient is None else own.gradient + self.basis.grid.slopes(density - own.density)
        return Fields(density, gradient, own.tau).stacked()

    def guessed_fields(self, density: Tensor) -> Tensor:
        """Symmetrised fields from a guess of the density, Fourier coefficients ``(nspin, ngvector)``, alone."""
        grid = self.basis.grid
        tau = grid.fourier(kinetic_density_guess(grid, grid.real(density))) if TAU in self.kinds else None
        gradient = grid.slopes(density) if GRADIENT in self.kinds else None
        return self.symmetrizer.fields(Fields(density, gradient, tau)).stacked()

    def averaged_over_group(self, values: Tensor) -> Tensor:
        """Mean of a function ``(n1, n2, n3)`` over points that symmetry makes equivalent."""
        return self._points.average(values)

    def energies(self, orbitals: Tensor, occupations: Occupations, fields: Tensor) -> dict[str, float]:
        """All terms of F, hartree, at orbitals, their occupations and their fields; their sum is variational."""
        with torch.no_grad():
            terms = self.electron_terms(orbitals, occupations.electrons, fields, occupations.entropy_energy)
            values = self.division.processes.agreed(torch.stack([*self._of_all_kpoints(terms).values()]))
        return dict(zip(terms, values.tolist(), strict=True)) | self.ion_energies

    def _of_all_kpoints(self, terms: dict[str, Tensor]) -> dict[str, Tensor]:
        total = self.division.processes.total
        return {name: total(value) if name in self.orbital_energies else value for name, value in terms.items()}

    @property
    def orbital_energies(self) -> set[str]:
        """The names of the energies that each k point adds something of its own to."""
        return {term.name for term in self.terms if isinstance(term, OrbitalTerm)}

    def electron_terms(
        self, orbitals: Tensor, electrons: Tensor, fields: Tensor, entropy_energy: Tensor | None = None
    ) -> dict[str, Tensor]:
        """The terms that depend on orbitals ``(nk * nspin, nband, nfunction)``, their electrons and their fields.

        The entropy is that of occupations that are held, none, unless it is given. Of several processes, each has its
        own k points' part of the ``orbital_energies``, and all of the others.
        """
        weighted = electrons * self.basis.weights.repeat(fields.shape[1])[:, None]
        state = ElectronicState(orbitals, weighted, Fields.unstacked(fields, self.kinds), entropy_energy)
        energies: dict[str, Tensor] = {}
        for term in self.terms:
            if isinstance(term, ElectronTerm):  # a person may add several of a kind
                energy = term.energy(state)
                energies[term.name] = energies[term.name] + energy if term.name in energies else energy
        return energies

    def ion_terms(self) -> dict[str, Tensor]:
        """The terms that do not depend on the electrons' state."""
        return {term.name: term.energy() for term in self.terms if isinstance(term, IonTerm)}

    def in_basis(self, basis: Basis) -> Problem:
        """The same problem in a basis that has the k points of all processes."""
        problem = copy(self)
        problem.division = KPointDivision(basis.kpoints)
        problem._place(replace(self._setting, basis=basis))
        return problem

    def moved(self, positions: Tensor, strain: Tensor) -> Problem:
        """The same problem with its ions elsewhere and its cell deformed; its terms are differentiable in both.

        Args:
            positions: The positions, fractional, shape ``(nion, 3)``.
            strain: The strain, shape ``(3, 3)``; lattice vectors a become (1 + strain) a.
        """
        assert isinstance(self.basis, PlaneWaveBasis)
        problem = copy(self)
        problem._place(self._setting.moved(self.basis.strained(strain), positions))
        # A derivative with respect to the factor counts what forces and stress owe to it.
        problem.xc.factor = self.xc.factor
        return problem
