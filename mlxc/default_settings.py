"""Settings for a crystal that nobody has chosen any for."""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal import Crystal
from mlxc.units import BOHR_ANG

# About 3.6/r^2 with the smallest radius r of the element's default GTH-PBE pseudopotential, to the next 10 Ha, and at
# most 60 Ha: enough to see the physics within minutes on a small machine; converged figures of the hard ones need more.
_CUTOFFS_HA = {
    20: "Li Al Si P Ge As Se Br Kr Pd Ag Sn Sb Te I Xe Pt Au Hg Tl Pb Bi Po At Rn",
    40: "C Ar K Ca Ba La Ce Pr Nd Pm Sm Hf",
    50: "Cu Rb Sr Zr Eu Gd Tb Dy",
    60: "H He N O F Ne Na Mg Sc Ti V Cr Mn Fe Co Ni Zn Ga Y Ho Er Tm Yb Lu",
}
_CUTOFF_HA = {symbol: float(cutoff) for cutoff, symbols in _CUTOFFS_HA.items() for symbol in symbols.split()}
_DEFAULT_CUTOFF_HA = 30.0

_NONMETALS = "H He B C N O F Ne Si P S Cl Ar Ge As Se Br Kr Te I Xe At Rn"
_SPACING_METAL = 2 * np.pi * 0.04  # distance of k points, 1/angstrom
_SPACING_OTHER = 2 * np.pi * 0.06
_VACUUM_ANG = 6.0


def general_settings(crystal: Crystal) -> dict[str, Any]:
    """Cutoff by the hardest element, k mesh by the density of points, a single k point along a vacuum.

    Fermi-Dirac smearing serves metals and insulators alike, so it is taken for any crystal.

    Returns:
        ``ecut_ha``, ``kmesh``, ``smearing`` and ``width_ha``.
    """
    metal = not set(_NONMETALS.split()).intersection(crystal.species)
    spacing = (_SPACING_METAL if metal else _SPACING_OTHER) * BOHR_ANG
    lengths = np.linalg.norm(crystal.reciprocal, axis=1)
    # A tiny slack: a mesh must not depend on the last digit of a lattice constant.
    mesh = [min(100, max(1, ceil(length / spacing - 1e-6))) for length in lengths]
    return {
        "ecut_ha": max(_CUTOFF_HA.get(symbol, _DEFAULT_CUTOFF_HA) for symbol in crystal.species),
        "kmesh": [1 if gap > _VACUUM_ANG else n for n, gap in zip(mesh, _gaps_ang(crystal), strict=True)],
        "smearing": "fermi-dirac",
        "width_ha": 0.01,
    }


def _gaps_ang(crystal: Crystal) -> NDArray[np.float64]:
    """Thickness of the widest layer without nuclei, perpendicular to each pair of lattice vectors, angstrom."""
    positions = np.sort(crystal.positions % 1.0, axis=0)
    following = np.vstack([positions[1:], positions[:1] + 1])
    heights = 2 * np.pi / np.linalg.norm(crystal.reciprocal, axis=1)
    return np.asarray((following - positions).max(axis=0) * heights * BOHR_ANG)
