"""Space-group operations of a crystal. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.primitive_cell import SYMMETRY_TOLERANCE, SpglibCell, spglib_cell, symmetry_dataset
from mlxc.units import BOHR_ANG

# Fourier coefficients of a function that differ by less than this, in units of the largest, are the same.
SAME_COEFFICIENT = 1e-6
# The largest denominator of a fraction that is simple.
SIMPLE = 12
# Space groups 195 to 230 are cubic.
FIRST_CUBIC_GROUP = 195
# Space groups 143 to 194 have a hexagonal conventional cell.
FIRST_HEXAGONAL_GROUP = 143


@dataclass(frozen=True)
class SpaceGroup:
    """The operations x -> W x + w that map a crystal onto itself, in fractional coordinates.

    Attributes:
        rotations: integer matrices W, shape ``(nop, 3, 3)``.
        translations: w, shape ``(nop, 3)``.
    """

    rotations: NDArray[np.int64]
    translations: NDArray[np.float64]

    @classmethod
    def of(cls, crystal: Crystal) -> SpaceGroup:
        """Find the operations with spglib; only the identity where spglib finds none."""
        found = _dataset(crystal)
        if found is None:
            return cls.identity()
        return cls(found.rotations.astype(np.int64), found.translations % 1.0)

    @classmethod
    def identity(cls) -> SpaceGroup:
        """The group that has no operation but the identity."""
        return cls(np.eye(3, dtype=np.int64)[None], np.zeros((1, 3)))

    def __len__(self) -> int:
        return len(self.rotations)

    def with_exchanges(self, crystal: Crystal) -> SpaceGroup:
        """These operations and the translations that leave the crystal as it is but for its moments.

        Such a translation of an antiferromagnet exchanges spin up and spin down; a grid should allow for it.
        """
        if not crystal.moments.any():
            return self
        every = SpaceGroup.of(Crystal(crystal.lattice, crystal.species, crystal.positions)).pure_translations()
        return SpaceGroup(
            np.concatenate([self.rotations, every.rotations]), np.concatenate([self.translations, every.translations])
        )

    def without_translations(self) -> SpaceGroup:
        """One operation for each rotation: with :meth:`pure_translations`, they make up the group."""
        _, first = np.unique(self.rotations.reshape(len(self), 9), axis=0, return_index=True)
        return SpaceGroup(self.rotations[np.sort(first)], self.translations[np.sort(first)])

    def pure_translations(self) -> SpaceGroup:
        """The operations without a rotation, the identity among them."""
        pure = (self.rotations == np.eye(3, dtype=np.int64)).all(axis=(1, 2))
        return SpaceGroup(self.rotations[pure], self.translations[pure])

    def on_grid(self, shape: tuple[int, int, int]) -> SpaceGroup:
        """The subgroup that maps the points of a uniform grid onto each other."""
        # W takes the grid point m/n to the grid points (n_i W_ij / n_j) m_j / n_i only if these are integers.
        points = np.array(shape)
        shifts = self.translations * points
        kept = ~((self.rotations * points[:, None]) % points).any(axis=(1, 2))
        kept &= (np.abs(shifts - shifts.round()) < SYMMETRY_TOLERANCE).all(axis=1)
        return SpaceGroup(self.rotations[kept], self.translations[kept])

    def of_points(self, kinds: Sequence[str], positions: NDArray[np.float64]) -> SpaceGroup:
        """The subgroup that maps each of some points, at fractional positions, onto one of its own kind."""
        kept = np.ones(len(self), dtype=bool)
        for kind in set(kinds):
            points = positions[[own == kind for own in kinds]]
            images = np.einsum("sij,aj->sai", self.rotations, points) + self.translations[:, None]
            distances = images[:, :, None] - points
            distances -= distances.round()
            kept &= (np.abs(distances).max(-1).min(-1) < SYMMETRY_TOLERANCE).all(-1)
        return SpaceGroup(self.rotations[kept], self.translations[kept])

    def of_function(self, values: NDArray[np.float64]) -> SpaceGroup:
        """The subgroup that leaves a function as it is.

        f(W x + w) = f(x) says of Fourier coefficients that those of h and h W agree, but for a factor exp(2 pi i h.w).

        Args:
            values: The values of the function at points that divide the cell evenly, shape ``(n1, n2, n3)``.
        """
        points = np.array(values.shape)
        coefficients = np.fft.fftn(values) / values.size
        mean, coefficients[0, 0, 0] = coefficients[0, 0, 0], 0
        tolerance = max(SAME_COEFFICIENT * abs(coefficients).max(), 1e-15 * abs(mean), 1e-14)
        places = np.argwhere(abs(coefficients) > tolerance)
        waves = np.where(2 * places > points, places - points, places)
        kept = []
        for rotation, translation in zip(self.rotations, self.translations, strict=True):
            images = waves @ rotation
            # Where a rotation does not map the points onto each other, waves must not be taken for their aliases.
            if ((rotation * points[:, None]) % points).any() and (2 * abs(images) >= points).any():
                kept.append(False)
                continue
            turned = coefficients[tuple((images % points).T)]
            expected = coefficients[tuple(places.T)] * np.exp(2j * np.pi * (waves @ translation))
            kept.append(bool((abs(turned - expected) < tolerance).all()))
        return SpaceGroup(self.rotations[kept], self.translations[kept])

    def atom_images(self, crystal: Crystal) -> NDArray[np.int64]:
        """Which atom each operation takes each atom to, shape ``(nop, natom)``."""
        images = np.einsum("sij,aj->sai", self.rotations, crystal.positions) + self.translations[:, None]
        distances = images[:, :, None] - crystal.positions
        distances -= distances.round()
        different = np.array(crystal.species)[:, None] != np.array(crystal.species)
        return np.asarray((np.abs(distances).sum(-1) + 10 * different).argmin(axis=-1))

    def translation_denominators(self) -> list[set[int]]:
        """The denominators of all translations along each axis.

        Those of translations without a rotation divide the number of primitive cells; in units of these all others are
        simple fractions. Translations that are none, as about an atom at a general position, are left out.
        """
        pure = self.pure_translations().translations
        # Counted in whole primitive cells along the axis.
        counts = [lcm(*(Fraction(w).limit_denominator(len(pure)).denominator for w in axis)) for axis in pure.T]
        return [{_denominator(w, count) for w in axis} for axis, count in zip(self.translations.T, counts, strict=True)]

    def equivalent_axes(self) -> list[list[int]]:
        """Groups of lattice directions that rotations mix, the numbers of whose grid points depend on each other."""
        linked = (self.common_factors() > 0) | np.eye(3, dtype=bool)
        linked |= linked.T
        reachable = np.linalg.matrix_power(linked.astype(int), 3) > 0
        return [np.flatnonzero(row).tolist() for row in np.unique(reachable, axis=0)]

    def common_factors(self) -> NDArray[np.int64]:
        """The greatest common divisor of W_ij of all operations, zero where all are, shape ``(3, 3)``."""
        return np.asarray(np.gcd.reduce(self.rotations, axis=0))


def cells_per_cube(crystal: Crystal) -> float | None:
    """How many cells of this volume make up the conventional cube; None unless the crystal is cubic."""
    dataset = _dataset(crystal)
    if dataset is None or dataset.number < FIRST_CUBIC_GROUP:
        return None
    return len(dataset.std_types) / len(crystal.species)


def conventional_lattice(crystal: Crystal) -> NDArray[np.float64]:
    """Lattice vectors of the conventional cell, of the cube for instance, in the crystal's own orientation.

    Miller indices refer to it. Rows are vectors, bohr; where no symmetry is found, those of the crystal itself.
    """
    dataset = _dataset(crystal)
    if dataset is None:
        return crystal.lattice
    # spglib's transformation matrix P takes vectors as columns: (a b c) = (a_s b_s c_s) P.
    lattice: NDArray[np.float64] = np.linalg.inv(dataset.transformation_matrix).T @ crystal.lattice
    return lattice


def hexagonal_edge(crystal: Crystal) -> float | None:
    """Length a of the conventional cell of a trigonal or hexagonal crystal, angstrom; None for others."""
    dataset = _dataset(crystal)
    if dataset is None or not FIRST_HEXAGONAL_GROUP <= dataset.number < FIRST_CUBIC_GROUP:
        return None
    return float(np.linalg.norm(dataset.std_lattice[0])) * BOHR_ANG


def conventional_cell(crystal: Crystal) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """The lattice parameters of the conventional cell of atoms without moments, in the setting of the International
    Tables; None if no symmetry is found.

    Returns:
        a, b and c, angstrom, and alpha, beta and gamma, degrees, both of shape ``(3,)``.
    """
    dataset = symmetry_dataset(spglib_cell(crystal.lattice, crystal.positions, crystal.species, 0 * crystal.moments))
    if dataset is None:
        return None
    lattice = np.asarray(dataset.std_lattice)
    lengths = np.linalg.norm(lattice, axis=1)
    directions = lattice / lengths[:, None]
    cosines = [directions[i] @ directions[j] for i, j in ((1, 2), (0, 2), (0, 1))]
    return lengths * BOHR_ANG, np.degrees(np.arccos(np.clip(cosines, -1, 1)))


def space_group_type(crystal: Crystal) -> tuple[str, int] | None:
    """The international symbol and the number of the space group of atoms without moments; None if none is found."""
    dataset = symmetry_dataset(spglib_cell(crystal.lattice, crystal.positions, crystal.species, 0 * crystal.moments))
    return None if dataset is None else (str(dataset.international), int(dataset.number))


def _dataset(crystal: Crystal) -> Any:
    return symmetry_dataset(_cell(crystal))


def _cell(crystal: Crystal) -> SpglibCell:
    return spglib_cell(crystal.lattice, crystal.positions, crystal.species, crystal.moments)


def _denominator(translation: float, count: int) -> int:
    """The denominator of a translation that is a simple fraction of a ``count``-th of an axis; one of any other."""
    fraction = Fraction(translation * count).limit_denominator(SIMPLE) / count
    return fraction.denominator if abs(float(fraction) - translation) < SYMMETRY_TOLERANCE else 1
