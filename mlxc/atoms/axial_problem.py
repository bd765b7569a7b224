"""The Kohn-Sham equations of an axial atom with given fillings, solved by direct inversion in the iterative subspace.

P. Pulay, Chem. Phys. Lett. 73, 393 (1980); the error of a Hamiltonian H is [H, D] with the density matrix D that it
was made of.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np
import torch
from scipy.linalg import eigh
from scipy.special import erf
from torch import Tensor, nn

from mlxc.atoms.axial_fields import WAVES, AxialFields, from_waves
from mlxc.atoms.multipoles import Multipoles
from mlxc.atoms.shells import Channel, Filling
from mlxc.atoms.spherical_waves import Array, Points, SphericalWaves
from mlxc.pseudo.atom import free_atom as starting_atom
from mlxc.pseudo.protocol import Pseudopotential
from mlxc.xc.functional import declared_ingredients

STEPS, DEPTH = 80, 8
# The largest element of [H, D], hartree; energies are of second order in it. Gradients of densities that have almost
# vanished can make it noisy: where all that is remembered is below the second number, nothing smaller will come.
TOLERANCE, NOISE = 1e-6, 1e-5
# The largest L of the density's potential; that of orbitals with l up to 4.
LARGEST_MULTIPOLE = 8

Matrices = dict[Channel, Array]


@dataclass(frozen=True)
class Solution:
    """The orbitals of a filling.

    Attributes:
        orbitals: The coefficients of each channel, one array ``(nwave, norbital)`` for each l.
        energies: The energy by term, hartree.
    """

    orbitals: dict[Channel, list[Array]]
    energies: dict[str, float]


class AxialProblem:
    """An atom whose shells can be filled in one way or another.

    Args:
        pseudopotential: The pseudopotential.
        functional: The functional.
        waves: What orbitals are made of.
        points: A grid.
        largest: The largest |q| of densities and potentials, 1/bohr.

    Attributes:
        fields: What orbitals make on the grid.
    """

    def __init__(
        self,
        pseudopotential: Pseudopotential,
        functional: nn.Module,
        waves: SphericalWaves,
        points: Points,
        largest: float,
    ) -> None:
        self._pseudopotential, self._functional, self._waves = pseudopotential, functional, waves
        self._names = declared_ingredients(functional)
        self.fields = self.fields_on(points)
        self._points = points
        self._poisson = Multipoles(points, waves.largest_radius, largest, LARGEST_MULTIPOLE)
        self._volumes = torch.from_numpy(points.volumes.ravel())
        self._lengths = torch.linspace(0, largest, WAVES, dtype=torch.float64)
        self._ion = self._ion_potential()[:, None] + np.zeros_like(points.volumes)
        self._nonlocal = [self._nonlocal_matrix(ell) for ell in range(waves.ells)]

    def fields_on(self, points: Points) -> AxialFields:
        """The fields of this atom's orbitals on any grid."""
        return AxialFields(self._pseudopotential, self._waves, points)

    def solve(self, filling: Filling) -> Solution | None:
        """The self-consistent orbitals of a filling; None if they are not found."""
        hamiltonian = self._first_hamiltonian(filling)
        history: list[tuple[Matrices, Matrices]] = []
        for _ in range(STEPS):
            orbitals = {channel: _lowest(matrix, filling[channel]) for channel, matrix in hamiltonian.items()}
            hamiltonian, energies = self.hamiltonian({c: self.by_ell(c, orbital) for c, orbital in orbitals.items()})
            errors = {channel: _commutator(matrix, orbitals[channel]) for channel, matrix in hamiltonian.items()}
            history = [*history, (hamiltonian, errors)][-DEPTH:]
            sizes = [max(np.abs(error).max() for error in past.values()) for _, past in history]
            if sizes[-1] < TOLERANCE or (len(sizes) == DEPTH and max(sizes) < NOISE):
                return Solution({c: self.by_ell(c, orbital) for c, orbital in orbitals.items()}, energies)
            hamiltonian = _extrapolated(history)
        return None

    def by_ell(self, channel: Channel, orbital: Array) -> list[Array]:
        """The coefficients of orbitals of a channel, ``(nwave of all l, norbital)``, apart for each l."""
        counts = [len(self._waves.lengths[ell]) for ell in self.fields.angular_momenta(channel)]
        return np.split(orbital, np.cumsum(counts)[:-1])

    def _first_hamiltonian(self, filling: Filling) -> Matrices:
        """The Hamiltonian in the field of the pseudopotential's spherical atom, with the exchange of a uniform gas."""
        form = starting_atom(self._pseudopotential).density_form_factor(self._lengths)
        density = from_waves(form, self._lengths, self._points.radius).clip(min=1e-12)[:, None] + 0 * self._ion
        potential = self._ion + self._poisson.potential(density) - (3 * density / pi) ** (1 / 3)
        nothing = np.zeros_like(density)
        return {channel: self._matrix(channel, potential, nothing, nothing, nothing) for channel in filling}

    def hamiltonian(self, orbitals: dict[Channel, list[Array]]) -> tuple[Matrices, dict[str, float]]:
        """The Hamiltonian of each channel in the field of some orbitals, and their energies."""
        raw = self.fields.raw(orbitals)
        xc, slopes = self._exchange_correlation(raw)
        valence = sum(
            channel.electrons * (self.fields.values(channel, parts) ** 2).sum(-1) for channel, parts in orbitals.items()
        )
        hartree = self._poisson.potential(valence)
        matrices = {
            channel: self._matrix(channel, self._ion + hartree + slopes[0, channel.spin], *slopes[1:, channel.spin])
            for channel in orbitals
        }
        volumes = self._points.volumes
        energies = {
            "kinetic": self._sum_over_orbitals(orbitals, [np.diag(kinetic) for kinetic in self._waves.kinetic]),
            "local": float((self._ion * valence * volumes).sum()),
            "nonlocal": self._sum_over_orbitals(orbitals, self._nonlocal),
            "hartree": float((hartree * valence * volumes).sum()) / 2,
            "xc": xc,
        }
        return matrices, energies

    def _exchange_correlation(self, raw: Tensor) -> tuple[float, Array]:
        """E_xc, and its derivatives by volume with respect to the fields, ``(4, 2, nradius, nangle)``."""
        raw = raw.requires_grad_()
        energy = (self._functional(**self.fields.ingredients(raw, self._names)) * self._volumes).sum()
        (slopes,) = torch.autograd.grad(energy, raw)
        return float(energy.detach()), (slopes / self._volumes).numpy().reshape(4, 2, *self._ion.shape)

    def _sum_over_orbitals(self, orbitals: dict[Channel, list[Array]], matrices: list[Array]) -> float:
        return float(
            sum(
                channel.electrons * np.einsum("ai,ab,bi->", part, matrices[ell], part)
                for channel, parts in orbitals.items()
                for ell, part in zip(self.fields.angular_momenta(channel), parts, strict=True)
            )
        )

    def _matrix(self, channel: Channel, potential: Array, along: Array, across: Array, tau: Array) -> Array:
        """The Hamiltonian of a channel, from what each field is multiplied by at each point."""
        ells = self.fields.angular_momenta(channel)
        blocks = [[self._block(channel.m, a, b, potential, along, across, tau) for b in ells] for a in ells]
        for place, ell in enumerate(ells):
            blocks[place][place] = blocks[place][place] + np.diag(self._waves.kinetic[ell]) + self._nonlocal[ell]
        return np.block(blocks)

    def _block(self, m: int, a: int, b: int, potential: Array, along: Array, across: Array, tau: Array) -> Array:
        points, r = self._points, self._points.radius
        (ours, our_slope), (theirs, their_slope) = points.harmonic(a, m), points.harmonic(b, m)
        weights = points.angular_weights
        both = weights * ours * theirs
        mixed = weights * (ours * their_slope + our_slope * theirs)
        # grad . grad / 2 of tau: along r, along the angle, and around the axis.
        turning = weights * (our_slope * their_slope + m**2 * ours * theirs / (1 - points.cosine**2))
        local = potential @ both + across @ mixed / r + tau @ turning / (2 * r**2)
        radial = points.radial_weights * r**2
        left, left_slope = self.fields.radial[a], self.fields.radial_slopes[a]
        right, right_slope = self.fields.radial[b], self.fields.radial_slopes[b]
        slopes = radial * (along @ both)
        return np.asarray(
            (left.T * (radial * local)) @ right
            + (left.T * slopes) @ right_slope
            + (left_slope.T * slopes) @ right
            + (left_slope.T * (radial * (tau @ both) / 2)) @ right_slope
        )

    def _ion_potential(self) -> Array:
        """V_loc on the radial grid: -Z erf(r) / r, and from waves what is left."""
        q, charge, r = self._lengths, self._pseudopotential.charge, self._points.radius
        safe = torch.where(q == 0, 1.0, q)
        tail = torch.where(q == 0, -pi * charge, 4 * pi * charge / safe**2 * torch.exp(-(q**2) / 4))
        short = self._pseudopotential.local_form_factor(q) + tail
        return from_waves(short, q, r) - charge * np.asarray(erf(r)) / r

    def _nonlocal_matrix(self, ell: int) -> Array:
        count, channels = len(self._waves.lengths[ell]), self._pseudopotential.channels
        if ell >= len(channels) or not len(channels[ell]):
            return np.zeros((count, count))
        lengths = torch.from_numpy(self._waves.lengths[ell])
        forms = [self._pseudopotential.projector_form_factor(ell, i, lengths) for i in range(len(channels[ell]))]
        overlaps = torch.stack(forms).numpy() * self._waves.norms[ell] / (4 * pi)
        return np.asarray(overlaps.T @ channels[ell].numpy() @ overlaps)


def _lowest(matrix: Array, count: int) -> Array:
    return np.asarray(eigh(matrix, subset_by_index=[0, count - 1])[1])


def _commutator(matrix: Array, orbitals: Array) -> Array:
    product = (matrix @ orbitals) @ orbitals.T
    return np.asarray(product - product.T)


def _extrapolated(history: list[tuple[Matrices, Matrices]]) -> Matrices:
    """The combination of Hamiltonians whose combined error is smallest; their coefficients add up to one."""
    count = len(history)
    system = np.ones((count + 1, count + 1))
    system[-1, -1] = 0
    for i, (_, ours) in enumerate(history):
        for j, (_, theirs) in enumerate(history):
            system[i, j] = sum(float((ours[channel] * theirs[channel]).sum()) for channel in ours)
    scale = system[:-1, :-1].max()
    system[:-1, :-1] /= scale
    coefficients = np.linalg.lstsq(system, np.eye(count + 1)[-1], rcond=1e-14)[0][:count]
    return {
        channel: np.asarray(sum(weight * one[channel] for weight, (one, _) in zip(coefficients, history, strict=True)))
        for channel in history[0][0]
    }
