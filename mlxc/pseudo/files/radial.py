"""What a file holds of a pseudopotential: radial functions on a mesh, in Hartree atomic units. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import pi

import numpy as np
from numpy.typing import NDArray

LARGEST_ANGULAR_MOMENTUM = 3
# Of a coupling between projectors of different angular momenta, or of its two halves, in units of the largest coupling:
# what is less is the noise of a file.
NOISE = 1e-5
# Bohr: from the first radius on every local potential is that of the ion's charge, and behind the last one it is taken
# to be that. Quantum ESPRESSO cuts there.
FAR, LARGEST_RADIUS = 6.0, 10.0
# Of r V + Z there, hartree bohr; the file of copper exceeds it, and volumes are off by up to two percent.
NOISE_OF_TAIL = 1e-4
# Bohr, of the Gaussian that stands for the electrons of an atom whose file does not say where they are.
ATOM_RADIUS = 1.5

Array = NDArray[np.float64]


class BrokenFileError(Exception):
    """What is wrong with a file, as the end of a sentence that begins with its name."""


@dataclass(frozen=True)
class RadialFunction:
    """A function r f(r) on the mesh, of one angular momentum."""

    angular_momentum: int
    values: Array


@dataclass(frozen=True, eq=False)
class RadialPseudopotential:
    """The contents of a file.

    Attributes:
        symbol: The chemical symbol.
        name: The name of the file.
        functional: The functional that it is made for, in the words of the file; empty where it does not say.
        charge: The charge of the ion.
        radius: The mesh r, bohr, shape ``(nmesh,)``.
        spacing: dr of each point of the mesh (``rab``), bohr.
        local: V_loc(r), hartree.
        projectors: r p(r), bohr^(-1/2).
        coupling: D_ij between the projectors, hartree, shape ``(nprojector, nprojector)``.
        core_density: n_core(r) of the nonlinear core correction, electrons/bohr^3, or None.
        atomic_density: 4 pi r^2 n(r) of the free atom's valence electrons, electrons/bohr.
        orbitals: r R(r) of the free atom's occupied shells, bohr^(-1/2); none where the file has none.
        recommended_cutoff: The plane-wave cutoff that the file recommends, hartree, or None.
        sha256: The hash of the file, decompressed.
    """

    symbol: str
    name: str
    functional: str
    charge: int
    radius: Array
    spacing: Array
    local: Array
    projectors: tuple[RadialFunction, ...]
    coupling: Array
    core_density: Array | None
    atomic_density: Array
    orbitals: tuple[RadialFunction, ...]
    recommended_cutoff: float | None
    sha256: str

    @cached_property
    def projector_count(self) -> int:
        """Projectors of one atom, all magnetic quantum numbers counted."""
        return sum(2 * projector.angular_momentum + 1 for projector in self.projectors)


def has_noisy_tail(file: RadialPseudopotential) -> bool:
    """Whether a local potential is another one than that of the ion's charge where it ought to be that."""
    far = (file.radius > FAR) & (file.radius <= LARGEST_RADIUS)
    tail = file.radius[far] * file.local[far] + file.charge
    return bool(np.abs(tail).max(initial=0.0) > NOISE_OF_TAIL)


def check_mesh(radius: Array) -> None:
    """Raise a :class:`BrokenFileError` unless these are increasing radii."""
    if len(radius) < 10 or radius[0] < 0 or np.any(np.diff(radius) <= 0):
        raise BrokenFileError("has no radial mesh of increasing radii")


def check_angular_momentum(angular_momentum: int) -> None:
    """Raise a :class:`BrokenFileError` for more than can be computed."""
    if not 0 <= angular_momentum <= LARGEST_ANGULAR_MOMENTUM:
        raise BrokenFileError(f"has angular momentum {angular_momentum}; 0 to {LARGEST_ANGULAR_MOMENTUM} are known")


def symmetric_coupling(coupling: Array, projectors: tuple[RadialFunction, ...]) -> Array:
    """The coupling without the noise of the file.

    Raises:
        BrokenFileError: it is not symmetric, or it couples different angular momenta.
    """
    ell = np.array([projector.angular_momentum for projector in projectors])
    forbidden = ell[:, None] != ell
    noise = NOISE * np.abs(coupling).max(initial=0.0)
    if np.any(np.abs(coupling - coupling.T) > noise) or np.any(np.abs(coupling[forbidden]) > noise):
        raise BrokenFileError("couples projectors in a way that no norm-conserving pseudopotential does (PP_DIJ)")
    return np.asarray(np.where(forbidden, 0.0, coupling))


def gaussian_atom(radius: Array, charge: int) -> Array:
    """4 pi r^2 n(r) of ``charge`` electrons in a Gaussian, for a file that does not say where an atom has them."""
    shape = np.exp(-((radius / ATOM_RADIUS) ** 2)) / (pi**1.5 * ATOM_RADIUS**3)
    return np.asarray(charge * 4 * pi * radius**2 * shape)
