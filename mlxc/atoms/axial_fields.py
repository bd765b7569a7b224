"""Density, its gradient and tau of the orbitals of an axial atom, and what functionals see of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import pi

import numpy as np
import torch
from scipy.special import spherical_jn
from torch import Tensor

from mlxc.atoms.shells import Channel
from mlxc.atoms.spherical_waves import Array, Points, SphericalWaves
from mlxc.pseudo.protocol import Pseudopotential
from mlxc.terms.xc import floored

# Points of an integral over |q|, and where a core may ring, bohr.
WAVES = 2000
FARTHEST = 10.0
# The largest |q| of a core's waves, 1/bohr: all of them, where a crystal's grid has those that matter to a GGA.
SHORTEST_WAVES = 60.0
# Where a core begins to end, in units of where it does.
ENDING = 0.6


class AxialFields:
    """Fields on a grid of half a plane.

    Args:
        pseudopotential: The pseudopotential, whose partial core is added.
        waves: What orbitals are made of.
        points: The grid.
    """

    def __init__(self, pseudopotential: Pseudopotential, waves: SphericalWaves, points: Points) -> None:
        self.points = points
        self._ells = waves.ells
        # Radial parts and their slopes by l, (nradius, nwave).
        self.radial, self.radial_slopes = zip(*(waves.on(ell, points.radius) for ell in range(waves.ells)), strict=True)
        self._core = _core(pseudopotential, points.radius)

    def angular_momenta(self, channel: Channel) -> list[int]:
        """The angular momenta of the orbitals of a channel."""
        return [ell for ell in range(channel.m, self._ells) if ell % 2 == channel.parity]

    def raw(self, orbitals: dict[Channel, list[Array]]) -> Tensor:
        """Density, its slopes along r and the polar angle, and tau, with the core's, ``(4, 2, npoint)``.

        Args:
            orbitals: The coefficients of the orbitals of each channel, one array ``(nwave, norbital)`` for each l.
        """
        found = np.zeros((4, 2, len(self.points.radius), len(self.points.cosine)))
        for channel, coefficients in orbitals.items():
            value, along, across, around = self._gradients(channel, coefficients)
            found[:, channel.spin] += channel.electrons * np.stack(
                [
                    (value**2).sum(-1),
                    2 * (value * along).sum(-1),
                    2 * (value * across).sum(-1),
                    (along**2 + across**2 + around**2).sum(-1) / 2,
                ]
            )
        if self._core is not None:
            density, slope, tau = self._core
            found[[0, 1, 3]] += np.stack([density, slope, tau])[:, None, :, None] / 2
        return torch.from_numpy(found.reshape(4, 2, -1))

    def values(self, channel: Channel, coefficients: list[Array]) -> Array:
        """The values of orbitals, ``(nradius, nangle, norbital)``."""
        return self._gradients(channel, coefficients)[0]

    def ingredients(self, raw: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
        """What functionals are evaluated from, of what :meth:`raw` returns, as it is in crystals."""
        density, along, across, tau = raw
        gradient = torch.stack([along, across, torch.zeros_like(along)], dim=1)
        found = {"rho": floored(density), "grad": gradient, "tau": floored(tau)}
        return {name: found[name] for name in names}

    def _gradients(self, channel: Channel, coefficients: list[Array]) -> list[Array]:
        """Values of orbitals and their slopes in three directions, each ``(nradius, nangle, norbital)``."""
        found: list[Array] = [np.zeros(1)] * 4
        radius = self.points.radius[:, None, None]
        sine = np.sqrt(1 - self.points.cosine**2)[:, None]
        for ell, coefficient in zip(self.angular_momenta(channel), coefficients, strict=True):
            value = (self.radial[ell] @ coefficient)[:, None, :]
            slope = (self.radial_slopes[ell] @ coefficient)[:, None, :]
            theta, by_angle = (part[:, None] for part in self.points.harmonic(ell, channel.m))
            parts = [value * theta, slope * theta, value * by_angle / radius, value * theta * channel.m / sine / radius]
            found = [total + part for total, part in zip(found, parts, strict=True)]
        return found


def from_waves(function: Tensor, lengths: Tensor, radius: Array, derivative: bool = False) -> Array:
    """f(r), or its slope, from f(q): 1 / (2 pi^2) times the integral of f(q) j_0(qr) q^2.

    Args:
        function: f(q), shape ``(nlength,)``.
        lengths: q, equally spaced from zero, the same shape, 1/bohr.
        radius: r, shape ``(nradius,)``.
        derivative: Whether the slope is wanted.
    """
    q = lengths.numpy()
    waves = spherical_jn(0, np.outer(radius, q), derivative=derivative) * q ** (3 if derivative else 2)
    weights = np.full(len(q), q[1])
    weights[[0, -1]] /= 2
    return np.asarray(waves @ (weights * function.numpy()) / (2 * pi**2))


def _core(pseudopotential: Pseudopotential, radius: Array) -> tuple[Array, Array, Array] | None:
    """Density of the partial core, its slope, and tau; None without a core.

    Cores of some files touch zero. Von Weizsaecker's tau is smooth there, but not what waves of the density would make
    of it; so it has waves of its own, as in a crystal.

    Waves ring where there is no core any more. In the tail of an atom, unlike anywhere in a crystal, that would be more
    than the valence electrons have, so the core ends where its waves first make it negative.
    """
    lengths = torch.linspace(0, SHORTEST_WAVES, WAVES, dtype=torch.float64)
    form = pseudopotential.core_form_factors(lengths)
    if form is None:
        return None
    mesh = np.asarray(np.linspace(0, FARTHEST, WAVES), dtype=np.float64)
    end = mesh[np.argmax(from_waves(form[0], lengths, mesh) <= 0)]
    whole, slope = (from_waves(form[0], lengths, radius, derivative) for derivative in (False, True))
    switch, change = _switch(radius, ENDING * end, end)
    return whole * switch, slope * switch + whole * change, from_waves(form[1], lengths, radius) * switch


def _switch(radius: Array, start: float, end: float) -> tuple[Array, Array]:
    """One up to ``start``, nothing from ``end`` on, with all its derivatives; and its slope."""
    x = ((radius - start) / (end - start)).clip(2e-3, 1 - 2e-3)
    value = 1 / (1 + np.exp(1 / (1 - x) - 1 / x))
    return value, -value * (1 - value) * (1 / (1 - x) ** 2 + 1 / x**2) / (end - start)
