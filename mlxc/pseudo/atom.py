"""The pseudo-atom: a free, spherical atom in the local-density approximation.

Its density and orbitals start the SCF of a crystal. Orbitals are expanded in even-tempered Gaussians r^l exp(-a r^2),
whose Fourier transforms are Gaussians too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import gamma, pi

import torch
from torch import Tensor

from mlxc.pseudo.gth import GTHPseudopotential
from mlxc.pseudo.gth_table import GTHParameters
from mlxc.pseudo.protocol import FreeAtom, Pseudopotential
from mlxc.pseudo.tabulated import TabulatedPseudopotential
from mlxc.xc.lda import Teter93

EXPONENTS = 0.06 * 2.1 ** torch.arange(13, dtype=torch.float64)
ITERATIONS = 40
MIXING = 0.4


@dataclass(frozen=True)
class PseudoAtom:
    """A solved atom.

    Attributes:
        radius: The radial grid, bohr, shape ``(nradius,)``.
        weights: The weights of the integral over r, shape ``(nradius,)``.
        density: The spherical valence density, electrons/bohr^3, shape ``(nradius,)``.
        shells: The l of each occupied shell and its coefficients in the Gaussians, lowest energy first.
    """

    radius: Tensor
    weights: Tensor
    density: Tensor
    shells: tuple[tuple[int, Tensor], ...]

    def density_form_factor(self, q: Tensor) -> Tensor:
        """Integral of n(r) exp(-iq.r) d3r for each |q|, by cubic interpolation of a table."""
        table = torch.linspace(0, float(q.max()) * 1.001 + 1e-6, 600, dtype=torch.float64)
        bessel = torch.sinc(table[:, None] * self.radius / pi)
        values = 4 * pi * (bessel * (self.weights * self.radius**2 * self.density)).sum(1)
        return _interpolate(table, values, q.cpu()).to(q.device)

    @property
    def angular_momenta(self) -> tuple[int, ...]:
        """The angular momentum of each occupied shell."""
        return tuple(angular_momentum for angular_momentum, _ in self.shells)

    def orbital_form_factor(self, shell: int, q: Tensor) -> Tensor:
        """4 pi integral r^2 j_l(qr) R(r) dr of a shell, for each |q|."""
        angular_momentum, coefficients = self.shells[shell]
        exponents = EXPONENTS.to(q.device)
        norms = _norms(angular_momentum).to(q.device)
        sigma2 = 1 / (2 * exponents)
        factors = 4 * pi * (pi / 2) ** 0.5 * norms * sigma2 ** (angular_momentum + 1.5) * coefficients.to(q.device)
        return q**angular_momentum * (factors * torch.exp(-(q[..., None] ** 2) * sigma2 / 2)).sum(-1)


def _norms(ell: int) -> Tensor:
    """Normalisation of r^l exp(-a r^2) with weight r^2."""
    return (2 * (2 * EXPONENTS) ** (ell + 1.5) / gamma(ell + 1.5)).sqrt()


def _interpolate(x: Tensor, y: Tensor, at: Tensor) -> Tensor:
    """Catmull-Rom interpolation on a uniform table."""
    position = at / (x[1] - x[0])
    i = position.long().clamp(1, len(x) - 3)
    t = position - i
    p0, p1, p2, p3 = y[i - 1], y[i], y[i + 1], y[i + 2]
    return p1 + t / 2 * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)))


def free_atom(pseudopotential: Pseudopotential) -> FreeAtom:
    """The free atom of a pseudopotential: that of its file, or solved here."""
    if isinstance(pseudopotential, TabulatedPseudopotential):
        return pseudopotential.atom
    if isinstance(pseudopotential, GTHPseudopotential):
        return solve_atom(pseudopotential.parameters)
    raise TypeError(f"no free atom is known for {type(pseudopotential).__name__}")


@lru_cache(maxsize=128)
def solve_atom(parameters: GTHParameters) -> PseudoAtom:
    """Iterate the atom's Kohn-Sham equations to a few digits, which is plenty for a starting point."""
    pseudopotential = GTHPseudopotential(parameters)
    logarithm = torch.linspace(-7.0, 3.4, 400, dtype=torch.float64)
    r = logarithm.exp()
    weights = r * (logarithm[1] - logarithm[0])
    occupied = [(ell, count) for ell, count in enumerate(parameters.electrons) if count > 0]
    bases = {ell: _norms(ell)[:, None] * r**ell * torch.exp(-EXPONENTS[:, None] * r**2) for ell, _ in occupied}
    fixed = {ell: _one_electron_matrix(ell, bases[ell], r, weights, pseudopotential) for ell, _ in occupied}
    whiteners = {ell: _whitener((bases[ell] * weights * r**2) @ bases[ell].T) for ell, _ in occupied}

    density = torch.exp(-r) * parameters.charge / (8 * pi)
    for _ in range(ITERATIONS):
        potential = _hartree_and_xc(density, r, weights)
        new, shells = torch.zeros_like(r), []
        for ell, count in occupied:
            matrix = fixed[ell] + (bases[ell] * (weights * r**2 * potential)) @ bases[ell].T
            energies, vectors = torch.linalg.eigh(whiteners[ell].T @ matrix @ whiteners[ell])
            for shell, electrons in enumerate(_fill(count, 4 * ell + 2)):
                coefficients = whiteners[ell] @ vectors[:, shell]
                new += electrons / (4 * pi) * (coefficients @ bases[ell]) ** 2
                shells.append((float(energies[shell]), ell, coefficients))
        density = density + MIXING * (new - density)
    ordered = tuple((ell, c) for _, ell, c in sorted(shells, key=lambda shell: shell[0]))
    return PseudoAtom(r, weights, density, ordered)


def valence_potential(atom: PseudoAtom) -> Tensor:
    """The potential of an atom's valence electrons for one of them on its grid, shape ``(nradius,)``, hartree."""
    return _hartree_and_xc(atom.density, atom.radius, atom.weights)


def _fill(count: int, capacity: int) -> list[int]:
    return [min(capacity, count - filled) for filled in range(0, count, capacity)]


def _whitener(overlap: Tensor) -> Tensor:
    """Columns that orthonormalise the Gaussians; nearly dependent combinations are dropped."""
    values, vectors = torch.linalg.eigh(overlap)
    keep = values > 1e-8
    return vectors[:, keep] / values[keep].sqrt()


def _one_electron_matrix(
    ell: int, basis: Tensor, r: Tensor, weights: Tensor, pseudopotential: GTHPseudopotential
) -> Tensor:
    """Kinetic, local and nonlocal energy of the ion between Gaussians of one angular momentum."""
    slope = basis * (ell / r - 2 * EXPONENTS[:, None] * r)
    kinetic = (slope * (weights * r**2)) @ slope.T / 2 + (basis * weights) @ basis.T * ell * (ell + 1) / 2
    matrix = kinetic + (basis * (weights * r**2 * pseudopotential.local_potential(r))) @ basis.T
    if ell < len(pseudopotential.channels):
        coupling = pseudopotential.channels[ell]
        projectors = [pseudopotential.projector(ell, i, r) for i in range(len(coupling))]
        if projectors:
            overlaps = (basis * (weights * r**2)) @ torch.stack(projectors).T
            matrix = matrix + overlaps @ coupling @ overlaps.T
    return matrix


def _hartree_and_xc(density: Tensor, r: Tensor, weights: Tensor) -> Tensor:
    shells = 4 * pi * weights * r**2 * density
    inside = shells.cumsum(0)
    outside = (shells / r).flip(0).cumsum(0).flip(0) - shells / r
    local = density.clone().clamp(min=1e-20).requires_grad_()
    with torch.enable_grad():
        energy = Teter93()(local[None]).sum()
    (xc,) = torch.autograd.grad(energy, local)
    return inside / r + outside + xc
