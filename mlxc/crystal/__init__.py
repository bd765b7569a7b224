"""Crystals: lattice, atoms and moments, their symmetry, and the k points of their Brillouin zone."""

from mlxc.crystal.crystal import Crystal as Crystal
