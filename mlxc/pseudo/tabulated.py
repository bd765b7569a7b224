"""Pseudopotentials whose radial functions are tables, as in UPF and psp8 files."""

from __future__ import annotations

from functools import lru_cache
from math import pi

import numpy as np
import torch
from scipy.special import erf
from torch import Tensor

from mlxc.pseudo.files.radial import LARGEST_RADIUS, RadialPseudopotential
from mlxc.pseudo.radial_transform import Array, RadialTransform, simpson_weights

# Of a core that has a kinetic energy, electrons/bohr^3; less is the noise of the file.
LEAST_CORE = 1e-12


class TabulatedPseudopotential:
    """A norm-conserving separable pseudopotential with numerical radial functions.

    Attributes:
        symbol: Chemical symbol.
        name: Name of its file.
        charge: Charge of the ion.
        channels: The coupling matrix h_ij of each angular momentum l, shape ``(nprojector, nprojector)``, hartree.
        atom: The free atom of the file.
    """

    def __init__(self, file: RadialPseudopotential) -> None:
        self.symbol = file.symbol
        self.name = file.name
        self.charge = file.charge
        ells = np.array([projector.angular_momentum for projector in file.projectors], dtype=int)
        self.channels = [
            torch.tensor(file.coupling[np.ix_(ells == ell, ells == ell)]) for ell in range(max(ells, default=-1) + 1)
        ]
        size = _mesh_size(file)
        r, weights = file.radius[:size], simpson_weights(file.spacing[:size])
        # r^2 V + Z r erf(r): what is left of the local potential without the Coulomb tail.
        short_ranged = r**2 * file.local[:size] + self.charge * r * erf(r)
        self._local = RadialTransform(0, r, weights * short_ranged)
        self._core: list[RadialTransform] = []
        if file.core_density is not None:
            core = file.core_density[:size]
            self._core = [RadialTransform(0, r, weights * r**2 * f) for f in (core, von_weizsaecker(r, core))]
        full = simpson_weights(file.spacing)
        self._projectors = [
            [
                RadialTransform(ell, file.radius, full * file.radius * p.values)
                for p in file.projectors
                if p.angular_momentum == ell
            ]
            for ell in range(len(self.channels))
        ]
        self.atom = TabulatedAtom(file)

    def local_form_factor(self, q: Tensor) -> Tensor:
        """Integral of V_loc(r) exp(-iq.r) d3r, hartree bohr^3; at q = 0 the limit of V_loc(q) + 4 pi Z / q^2.

        The tail -Z erf(r) / r is transformed analytically, -4 pi Z exp(-q^2 / 4) / q^2.
        """
        zero = q == 0
        safe = torch.where(zero, 1.0, q)
        coulomb = -4 * pi * self.charge / safe**2 * torch.exp(-(safe**2) / 4)
        return self._local(q) + torch.where(zero, pi * self.charge, coulomb)

    def projector_form_factor(self, angular_momentum: int, index: int, q: Tensor) -> Tensor:
        """4 pi integral r^2 j_l(qr) p_i(r) dr of projector ``index`` (from 0), bohr^(3/2)."""
        return self._projectors[angular_momentum][index](q)

    def core_form_factors(self, q: Tensor) -> Tensor | None:
        """Integrals of n_core(r) exp(-iq.r) d3r, electrons, and of tau_core(r) exp(-iq.r) d3r, hartree.

        Returns:
            shape ``(2, *q.shape)``; None without a nonlinear core correction.
        """
        return torch.stack([transform(q) for transform in self._core]) if self._core else None


class TabulatedAtom:
    """The density and the occupied orbitals of the free atom that a file carries.

    Attributes:
        angular_momenta: The angular momentum of each occupied shell.
    """

    def __init__(self, file: RadialPseudopotential) -> None:
        size = _mesh_size(file)
        r, weights = file.radius[:size], simpson_weights(file.spacing[:size])
        self.angular_momenta = tuple(orbital.angular_momentum for orbital in file.orbitals)
        self._density = RadialTransform(0, r, weights * file.atomic_density[:size] / (4 * pi))
        self._orbitals = [
            RadialTransform(orbital.angular_momentum, r, weights * r * orbital.values[:size])
            for orbital in file.orbitals
        ]

    def density_form_factor(self, q: Tensor) -> Tensor:
        """Integral of n(r) exp(-iq.r) d3r of the valence density, electrons."""
        return self._density(q)

    def orbital_form_factor(self, shell: int, q: Tensor) -> Tensor:
        """4 pi integral r^2 j_l(qr) R(r) dr of a shell, bohr^(3/2)."""
        return self._orbitals[shell](q)


@lru_cache(maxsize=128)
def tabulated(file: RadialPseudopotential) -> TabulatedPseudopotential:
    """The pseudopotential of a file, made once, so that its transforms serve all volumes of a crystal."""
    return TabulatedPseudopotential(file)


def von_weizsaecker(radius: Array, density: Array) -> Array:
    """(dn/dr)^2 / 8n of a spherical density on a mesh, hartree/bohr^3; nothing where there are hardly any electrons."""
    slope = np.gradient(density, radius)
    return np.where(density > LEAST_CORE, slope**2 / (8 * np.maximum(density, LEAST_CORE)), 0.0)


def _mesh_size(file: RadialPseudopotential) -> int:
    """Points of the mesh up to the first one beyond ``LARGEST_RADIUS``, an odd number of them."""
    size = min(int(np.searchsorted(file.radius, LARGEST_RADIUS, side="right")) + 1, len(file.radius))
    return size - (size + 1) % 2
