"""The Kohn-Sham problem of one crystal: its free energy as a sum of terms, and the Hamiltonian that follows from it."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import torch
from torch import Tensor, nn

from mlxc.basis.planewave.basis import PlaneWaveBasis
from mlxc.basis.planewave.hamiltonian import EffectivePotential, Hamiltonian
from mlxc.basis.protocol import Basis
from mlxc.crystal.crystal import Crystal
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.grid.fields import Fields, Wanted
from mlxc.grid.irreducible_points import IrreduciblePoints
from mlxc.grid.symmetrizer import Symmetrizer
from mlxc.kohn_sham.occupations import Occupations
from mlxc.pseudo.core_density import core_fields, with_core
from mlxc.pseudo.ions import Ions
from mlxc.pseudo.protocol import Pseudopotential
from mlxc.terms.ewald import ewald_energy
from mlxc.terms.hartree import hartree_energy, hartree_potential
from mlxc.terms.local_pseudopotential import core_energy, local_energy, local_potential
from mlxc.terms.xc import (
    differentiable_xc_potential,
    kinetic_density_guess,
    outside_training_domain,
    xc_energy,
    xc_ingredients,
    xc_potential,
)
from mlxc.xc.analysis.domain import reduced_variables
from mlxc.xc.functional import INGREDIENTS, declared_ingredients


class KohnSham:
    """Everything about a crystal in a basis that stays fixed during the SCF.

    What the potential depends on are *fields*, Fourier coefficients of shape ``(nfield, nspin, ngvector)``: the density
    and what else :class:`~mlxc.grid.fields.Fields` names.

    Attributes:
        ions: nuclei with their pseudopotentials.
        ion_energies: the terms that do not depend on the electrons' state, hartree.
        xc_weight: the factor of the XC energy per volume, one everywhere, shape ``(n1, n2, n3)``. The derivative with
            respect to it tells where a loss reaches the functional; it requires a gradient where parameters do.
    """

    def __init__(
        self,
        crystal: Crystal,
        basis: Basis,
        functional: nn.Module,
        pseudopotentials: dict[str, Pseudopotential],
        group: SpaceGroup,
    ) -> None:
        self.crystal = crystal
        self.basis = basis
        self.functional = functional
        self.ions = Ions.of(crystal, pseudopotentials, basis.device)
        self.symmetrizer = Symmetrizer(group, basis.grid)
        self._points: IrreduciblePoints | None = IrreduciblePoints.of(group, basis.grid)
        trainable = any(parameter.requires_grad for parameter in functional.parameters())
        self.xc_weight = basis.weights.new_ones(basis.grid.shape).requires_grad_(trainable)
        names = declared_ingredients(functional)
        self._wanted = Wanted("grad" in names and not basis.represents_densities, "tau" in names)
        self._place_ions()
        self.ion_energies = {name: float(value) for name, value in self.ion_terms().items()}

    def _place_ions(self) -> None:
        self._local = local_potential(self.basis.grid, self.ions)
        self._core = core_fields(self.basis.grid, self.ions)
        self._one_electron = self.basis.one_electron(self.ions)

    def effective_potential(self, fields: Tensor) -> EffectivePotential:
        """v_local + v_Hartree + v_xc, and what else acts in this basis with this functional, of fields."""
        _, xc = xc_potential(self.functional, self.basis.grid, self._xc_fields(fields), self._points)
        return EffectivePotential.of_fields(self._with_electric(xc, fields))

    def differentiable_potential(self, fields: Tensor) -> Tensor:
        """The effective potential as one tensor ``(nfield, nspin, n1, n2, n3)``, attached to fields and parameters.

        Args:
            fields: on the grid, same shape. The potential's dependence on them is that on their symmetric part.
        """
        grid = self.basis.grid
        with torch.enable_grad():
            coefficients = self.symmetrizer.fields(grid.fourier(fields))
            xc = differentiable_xc_potential(
                self.functional, grid, self._xc_fields(coefficients), self._points, self.xc_weight
            )
            return self._with_electric(xc, coefficients)

    def _with_electric(self, xc: Fields, fields: Tensor) -> Tensor:
        """The potential of exchange and correlation, symmetrised, and that of ions and electrons, on the grid.

        E_xc from irreducible points, or on a grid that the space group does not map onto itself, favours some
        directions; its derivative with respect to symmetric fields is the symmetrised one. Beyond the sphere no matrix
        element sees it.
        """
        grid = self.basis.grid
        potential = self.symmetrizer.fields(grid.fourier(xc.stacked()))
        electric = self._local + hartree_potential(grid, fields[0].sum(0))
        return grid.real(torch.cat([potential[:1] + electric, potential[1:]]))

    def _xc_fields(self, fields: Tensor) -> Fields:
        """Those of valence and core on the grid, from Fourier coefficients of the valence electrons'."""
        return Fields.unstacked(self.basis.grid.real(with_core(fields, self._core)))

    def hamiltonian(self, potential: EffectivePotential) -> Hamiltonian:
        """H of every k point and spin in an effective potential."""
        return self._one_electron.hamiltonian(potential)

    def fields(self, orbitals: Tensor, electrons: Tensor) -> Tensor:
        """Symmetrised fields of orbitals ``(nk * nspin, nband, nfunction)`` and the electrons in them."""
        fields = self.basis.fields(orbitals, electrons, self._wanted)
        return self.symmetrizer.fields(self.basis.grid.fourier(fields.stacked()))

    def field_changes(self, orbitals: Tensor, changes: Tensor) -> Tensor:
        """Changes of the fields on the grid, not symmetrised; see :class:`~mlxc.basis.protocol.Basis`."""
        return self.basis.field_changes(orbitals, changes, self._wanted).stacked()

    def carried_fields(self, density: Tensor, orbitals: Tensor, electrons: Tensor) -> Tensor:
        """Symmetrised fields from guesses of the density, Fourier coefficients ``(nspin, ngvector)``, and the orbitals.

        A density that is carried from other crystals is better than that of the orbitals; tau has no other source, nor
        has what the grid does not represent of the density's gradient.
        """
        density = self.symmetrizer.coefficients(density)
        if not any(self._wanted):
            return density[None]
        own = Fields.unstacked(self.fields(orbitals, electrons))
        gradient = None if own.gradient is None else own.gradient + self.basis.grid.slopes(density - own.density)
        return Fields(density, gradient, own.tau).stacked()

    def guessed_fields(self, density: Tensor) -> Tensor:
        """Symmetrised fields from a guess of the density, Fourier coefficients ``(nspin, ngvector)``, alone."""
        grid = self.basis.grid
        tau = grid.fourier(kinetic_density_guess(grid, grid.real(density))) if self._wanted.tau else None
        gradient = grid.slopes(density) if self._wanted.gradient else None
        return self.symmetrizer.fields(Fields(density, gradient, tau).stacked())

    def xc_energy(self, fields: Tensor) -> Tensor:
        """E_xc of fields, attached to the functional's parameters."""
        return xc_energy(self.functional, self.basis.grid, self._xc_fields(fields), self._points, self.xc_weight)

    def xc_variables(self, fields: Tensor) -> dict[str, Tensor]:
        """Reduced variables of density and gradient, and what else the functional sees, each ``(n1, n2, n3)``.

        Args:
            fields: on the grid, shape ``(nfield, nspin, n1, n2, n3)``.
        """
        grid = self.basis.grid
        names = (*declared_ingredients(self.functional), "grad")
        with torch.no_grad():
            ingredients = xc_ingredients(names, grid, self._xc_fields(grid.fourier(fields)), None)
            return {name: values.view(grid.shape) for name, values in reduced_variables(**ingredients).items()}

    def xc_on_grid(self, functional: nn.Module, density: Tensor, tau: Tensor | None) -> tuple[Tensor, Tensor]:
        """What any functional says about a density at each point, the core's electrons added.

        Args:
            functional: need not be the problem's own.
            density: on the grid, shape ``(nspin, n1, n2, n3)``; its gradient is taken on the grid in any basis.
            tau: of the same shape, for a meta-GGA.

        Returns:
            the XC energy per volume, hartree/bohr^3, shape ``(n1, n2, n3)``, and v_xc, hartree, shape of ``density``.
        """
        grid = self.basis.grid
        fields = self._xc_fields(grid.fourier(Fields(density, None, tau).stacked()))
        with torch.no_grad():
            energy = functional(**xc_ingredients(declared_ingredients(functional), grid, fields, None))
        _, potential = xc_potential(functional, grid, fields)
        return energy.view(grid.shape), potential.density

    def electric_potential(self, density: Tensor) -> Tensor:
        """Of ions and a density ``(nspin, n1, n2, n3)``, hartree, ``(n1, n2, n3)``; its mean is arbitrary."""
        grid = self.basis.grid
        return grid.real(self._local + hartree_potential(grid, grid.fourier(density.sum(0))))

    def averaged_over_group(self, values: Tensor) -> Tensor:
        """Mean of a function ``(n1, n2, n3)`` over points that symmetry makes equivalent."""
        return values if self._points is None else self._points.average(values)

    def xc_points(self, fields: Fields) -> tuple[dict[str, Tensor], Tensor]:
        """All ingredients that a functional may want, and what it is integrated with.

        Args:
            fields: on the grid, with tau; the core's are added.

        Returns:
            ingredients at the points that are not equivalent by symmetry, and the volume of each, shape ``(npoint,)``.
        """
        grid = self.basis.grid
        total = self._xc_fields(grid.fourier(fields.stacked()))
        ingredients = xc_ingredients(INGREDIENTS, grid, total, self._points)
        weights = torch.ones_like(ingredients["rho"][0]) if self._points is None else self._points.weights
        return ingredients, weights * (grid.volume / grid.size)

    def all_fields(self, orbitals: Tensor, electrons: Tensor) -> Fields:
        """Symmetrised fields that any functional may want, on the grid."""
        grid = self.basis.grid
        fields = self.basis.fields(orbitals, electrons, Wanted(not self.basis.represents_densities, True))
        return Fields.unstacked(grid.real(self.symmetrizer.fields(grid.fourier(fields.stacked()))))

    def outside_training_domain(self, fields: Tensor) -> dict[str, float] | None:
        """See :func:`~mlxc.terms.xc.outside_training_domain`."""
        return outside_training_domain(self.functional, self.basis.grid, self._xc_fields(fields), self._points)

    def energies(self, orbitals: Tensor, occupations: Occupations, fields: Tensor) -> dict[str, float]:
        """All terms of F, hartree, at orbitals, their occupations and their fields; their sum is variational."""
        with torch.no_grad():
            terms = self.electron_terms(orbitals, occupations.electrons, fields)
        terms["entropy"] = occupations.entropy_energy
        return {name: float(value) for name, value in terms.items()} | self.ion_energies

    def electron_terms(self, orbitals: Tensor, electrons: Tensor, fields: Tensor) -> dict[str, Tensor]:
        """The terms that depend on orbitals ``(nk * nspin, nband, nfunction)``, their electrons and their fields."""
        basis, grid = self.basis, self.basis.grid
        nspin = fields.shape[1]
        total = fields[0].sum(0)
        weighted = electrons * basis.weights.repeat(nspin)[:, None]
        return {
            "kinetic": self._one_electron.kinetic_energy(orbitals, weighted),
            "local": local_energy(grid, self._local, total),
            "nonlocal": self._one_electron.nonlocal_energy(orbitals, weighted),
            "hartree": hartree_energy(grid, total),
            "xc": self.xc_energy(fields),
        }

    def ion_terms(self) -> dict[str, Tensor]:
        """The terms that do not depend on the electrons' state."""
        lattice, volume = self.basis.grid.lattice, self.basis.grid.volume
        return {
            "ewald": ewald_energy(lattice, self.ions.positions, self.ions.charges),
            "pseudopotential_core": core_energy(self.ions, volume),
        }

    def moved(self, positions: Tensor, strain: Tensor) -> KohnSham:
        """The same problem with its ions elsewhere and its cell deformed; its terms are differentiable in both.

        Args:
            positions: fractional, shape ``(nion, 3)``.
            strain: shape ``(3, 3)``; lattice vectors a become (1 + strain) a.
        """
        problem = copy(self)
        assert isinstance(self.basis, PlaneWaveBasis)
        problem.basis = self.basis.strained(strain)
        problem._points = None  # what moves need not be symmetric
        problem.ions = replace(self.ions, positions=positions)
        problem._place_ions()
        return problem
