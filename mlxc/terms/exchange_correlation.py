"""Exchange and correlation as a term of the energy, and what its functional says of a state at each point of space."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mlxc.grid.fields import FIELD_KINDS, GRADIENT, TAU, Fields
from mlxc.pseudo.core_density import core_fields, core_ringing, with_core
from mlxc.terms.term import DensityTerm, ElectronicState, Setting
from mlxc.terms.xc import (
    differentiable_xc_potential,
    outside_training_domain,
    xc_energy,
    xc_ingredients,
    xc_potential,
)
from mlxc.xc.analysis.domain import reduced_variables
from mlxc.xc.functional import INGREDIENTS, declared_ingredients


@dataclass(frozen=True)
class ExchangeCorrelation:
    """Exchange and correlation of the valence electrons and the ions' partial cores.

    Attributes:
        functional: the functional, which gives the energy per volume from its declared ingredients.
    """

    functional: nn.Module

    def on(self, setting: Setting) -> ExchangeCorrelationTerm:
        """See :class:`~mlxc.terms.term.TermDefinition`."""
        return ExchangeCorrelationTerm(self.functional, setting)


class ExchangeCorrelationTerm(DensityTerm):
    """E_xc on the grid of a setting.

    Args:
        functional: the functional, which gives the energy per volume from its declared ingredients.
        setting: where it is evaluated.

    Attributes:
        functional: the functional.
        factor: what the energy per volume is multiplied by, one everywhere, shape ``(n1, n2, n3)``. The derivative with
            respect to it tells where a loss reaches the functional; it requires a gradient where parameters do.
    """

    name = "xc"

    def __init__(self, functional: nn.Module, setting: Setting) -> None:
        self.functional = functional
        self._basis, self._grid = setting.basis, setting.basis.grid
        self._symmetrizer, self._points = setting.symmetrizer, setting.points
        self._core = core_fields(self._grid, setting.ions)
        self._ringing = core_ringing(self._grid.radius, setting.ions)
        trainable = any(parameter.requires_grad for parameter in functional.parameters())
        self.factor = setting.basis.weights.new_ones(self._grid.shape).requires_grad_(trainable)
        names = declared_ingredients(functional)
        # The grid gives the gradient of densities that it represents.
        given = {GRADIENT: "grad" in names and not self._basis.represents_densities, TAU: "tau" in names}
        self.kinds = tuple(kind for kind in FIELD_KINDS if given.get(kind, True))

    def energy(self, state: ElectronicState) -> Tensor:
        """See :meth:`energy_of`."""
        return self.energy_of(state.fields)

    def energy_of(self, fields: Fields) -> Tensor:
        """E_xc per cell, hartree, of fields as Fourier coefficients, attached to the functional's parameters."""
        return xc_energy(self.functional, self._grid, self._with_core(fields), self._points, self.factor, self._ringing)

    def potential(self, fields: Fields) -> Fields:
        """See :class:`~mlxc.terms.term.DensityTerm`."""
        total = self._with_core(fields)
        _, slopes = xc_potential(self.functional, self._grid, total, self._points, self._ringing)
        return self._symmetrised(slopes)

    def differentiable_potential(self, fields: Fields) -> Fields:
        """See :class:`~mlxc.terms.term.DensityTerm`."""
        total = self._with_core(fields)
        return self._symmetrised(
            differentiable_xc_potential(self.functional, self._grid, total, self._points, self.factor, self._ringing)
        )

    def _symmetrised(self, slopes: Fields) -> Fields:
        """Fourier coefficients of the potential, from its values.

        E_xc from irreducible points, or on a grid that the space group does not map onto itself, favours some
        directions; its derivative with respect to symmetric fields is the symmetrised one. Beyond the sphere no matrix
        element sees it.
        """
        return self._symmetrizer.fields(slopes.map(self._grid.fourier))

    def _with_core(self, fields: Fields) -> Fields:
        """The fields of valence and core on the grid, from Fourier coefficients of the valence electrons'."""
        return with_core(fields, self._core).map(self._grid.real)

    def _total(self, fields: Fields) -> Fields:
        """The fields of valence and core on the grid, from values of the valence electrons' on the grid."""
        return self._with_core(fields.map(self._grid.fourier))

    def variables(self, fields: Fields) -> dict[str, Tensor]:
        """Reduced variables of density and gradient, and what else the functional sees, each ``(n1, n2, n3)``.

        Args:
            fields: values on the grid.
        """
        names = (*declared_ingredients(self.functional), "grad")
        with torch.no_grad():
            ingredients = xc_ingredients(names, self._grid, self._total(fields), None, self._ringing)
            return {name: values.view(self._grid.shape) for name, values in reduced_variables(**ingredients).items()}

    def on_grid(self, functional: nn.Module, density: Tensor, tau: Tensor | None) -> tuple[Tensor, Tensor]:
        """What any functional says about a density at each point, the core's electrons added.

        Args:
            functional: Any functional; it need not be the term's own.
            density: The density on the grid, shape ``(nspin, n1, n2, n3)``; its gradient is taken on the grid in any
                basis.
            tau: The kinetic-energy density of the same shape, for a meta-GGA.

        Returns:
            the XC energy per volume, hartree/bohr^3, shape ``(n1, n2, n3)``, and v_xc, hartree, shape of ``density``.
        """
        fields = self._total(Fields(density, None, tau))
        with torch.no_grad():
            names = declared_ingredients(functional)
            energy = functional(**xc_ingredients(names, self._grid, fields, None, self._ringing))
        _, potential = xc_potential(functional, self._grid, fields, ringing=self._ringing)
        return energy.view(self._grid.shape), potential.density

    def points(self, fields: Fields) -> tuple[dict[str, Tensor], Tensor]:
        """All ingredients that a functional may want, and what it is integrated with.

        Args:
            fields: values on the grid, with tau; the core's are added.

        Returns:
            ingredients at the points that are not equivalent by symmetry, and the volume of each, shape ``(npoint,)``.
        """
        ingredients = xc_ingredients(INGREDIENTS, self._grid, self._total(fields), self._points, self._ringing)
        weights = torch.ones_like(ingredients["rho"][0]) if self._points is None else self._points.weights
        return ingredients, weights * (self._grid.volume / self._grid.size)

    def all_fields(self, orbitals: Tensor, electrons: Tensor) -> Fields:
        """Symmetrised fields that any functional may want, as values on the grid.

        Args:
            orbitals: The orbitals, shape ``(nk * nspin, nband, nfunction)``.
            electrons: The electrons in each orbital, shape ``(nk * nspin, nband)``.
        """
        kinds = [kind for kind in FIELD_KINDS if kind != GRADIENT or not self._basis.represents_densities]
        fields = self._basis.fields(orbitals, electrons, kinds).map(self._grid.fourier)
        return self._symmetrizer.fields(fields).map(self._grid.real)

    def outside_training_domain(self, fields: Fields) -> dict[str, float] | None:
        """See :func:`~mlxc.terms.xc.outside_training_domain`; fields are Fourier coefficients."""
        total = self._with_core(fields)
        return outside_training_domain(self.functional, self._grid, total, self._points, self._ringing)
