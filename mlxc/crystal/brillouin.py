"""Meshes of k points and their irreducible part, points of high symmetry, and paths between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.crystal.vacuum import vacuum_directions
from mlxc.errors import InputError

# Distance on a path below which two places are the same, 1/bohr.
_SAME_PLACE = 1e-6
# Bands bend between special points, and a short segment may have a maximum of its own.
LEAST_INTERVALS = 8


@dataclass(frozen=True)
class KPoints:
    """k points with the weights of the points that they stand for.

    Attributes:
        fractional: The coordinates in the reciprocal lattice, shape ``(nk, 3)``.
        weights: The weights, shape ``(nk,)``, which sum to one.
    """

    fractional: NDArray[np.float64]
    weights: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.weights)


def full_mesh(mesh: tuple[int, int, int]) -> NDArray[np.float64]:
    """All points of a Gamma-centred Monkhorst-Pack mesh, fractional, shape ``(n1 * n2 * n3, 3)``, ascending.

    Coordinates lie above -1/2 and at most at 1/2; the last one changes fastest.
    """
    axes = [(np.arange(n) - (n - 1) // 2) / n for n in mesh]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def irreducible_mesh(mesh: tuple[int, int, int], group: SpaceGroup) -> KPoints:
    """The irreducible part of a Gamma-centred Monkhorst-Pack mesh under a space group and time reversal.

    A rotation W of positions turns k into inv(W).T k; operations that do not map the mesh onto itself are left out.
    """
    size = np.array(mesh)
    points = _counted_points(mesh)
    kept, counts = np.unique(_representatives(mesh, group), return_counts=True)
    fractional = points[kept] / size
    return KPoints(fractional - (fractional > 0.5 + 1e-9), counts / len(points))


def irreducible_places(mesh: tuple[int, int, int], group: SpaceGroup) -> NDArray[np.int64]:
    """Which point of :func:`irreducible_mesh` stands for each point of :func:`full_mesh`, shape ``(n1 * n2 * n3,)``."""
    size = np.array(mesh)
    places = np.unique(_representatives(mesh, group), return_inverse=True)[1]
    counted = (full_mesh(mesh) * size).round().astype(np.int64) % size
    return np.asarray(places[np.ravel_multi_index(tuple(counted.T), mesh)])


def _counted_points(mesh: tuple[int, int, int]) -> NDArray[np.int64]:
    return np.stack(np.meshgrid(*[np.arange(n) for n in mesh], indexing="ij"), axis=-1).reshape(-1, 3)


def _representatives(mesh: tuple[int, int, int], group: SpaceGroup) -> NDArray[np.int64]:
    """The smallest image of each point under the whole group, hence one number per orbit."""
    size, points = np.array(mesh), _counted_points(mesh)
    rotations = np.linalg.inv(group.rotations).round().astype(np.int64).transpose(0, 2, 1)
    rotations = np.unique(np.concatenate([rotations, -rotations]), axis=0)
    representative = np.arange(len(points))
    for rotation in rotations:
        images = points / size @ rotation.T * size
        if np.abs(images - images.round()).max() > 1e-6:
            continue
        image = np.ravel_multi_index(tuple((images.round().astype(np.int64) % size).T), mesh)
        representative = np.minimum(representative, image)
    return representative


@dataclass(frozen=True)
class BandPath:
    """k points along straight lines between points of high symmetry.

    Attributes:
        fractional: The fractional coordinates, shape ``(nk, 3)``.
        distances: The distances along the path, 1/bohr, shape ``(nk,)``; nothing is added where the path jumps.
        labels: The distance and the name of each corner; where the path jumps, two of them have the same distance.
    """

    fractional: NDArray[np.float64]
    distances: NDArray[np.float64]
    labels: tuple[tuple[float, str], ...]

    def __len__(self) -> int:
        return len(self.distances)

    def place(self, index: int) -> str:
        """Where the point of this index lies, in words: ``X``, or ``between G and X``."""
        here = self.distances[index]
        places = np.array([place for place, _ in self.labels])
        names = [name for _, name in self.labels]
        nearest = int(np.abs(places - here).argmin())
        if abs(places[nearest] - here) < _SAME_PLACE:
            # Where the path jumps, the first corner's point is followed by the second's.
            return names[nearest + (index > 0 and self.distances[index - 1] == here)]
        after = int(np.searchsorted(places, here))
        return f"between {names[after - 1]} and {names[after]}"


def special_points(crystal: Crystal) -> dict[str, tuple[float, float, float]]:
    """Points of high symmetry of the Bravais lattice, fractional, by name; of a sheet, those of its plane lattice.

    W. Setyawan, S. Curtarolo, Comput. Mater. Sci. 49, 299 (2010), as ASE gives them.
    """
    points = _ase_path(crystal, 0).special_points if len(vacuum_directions(crystal)) < 3 else {"G": (0, 0, 0)}
    return {name: (float(p[0]), float(p[1]), float(p[2])) for name, p in points.items()}


def band_path(crystal: Crystal, points: int) -> BandPath:
    """The standard path between :func:`special_points`; of a sheet or a wire it stays in the plane or on the axis.

    Args:
        crystal: The crystal whose Bravais lattice counts.
        points: The approximate number of k points. They are equally far apart, but for short segments, which have more:
            as far as the number allows, a band is drawn through at least ``LEAST_INTERVALS`` pieces on each segment.

    Raises:
        InputError: fewer than two points, or a molecule, which has a vacuum on all sides.
    """
    if points < 2:
        raise InputError(f"points: a path needs at least 2 k points, not {points}.")
    if len(vacuum_directions(crystal)) == 3:
        raise InputError(f"structure: {crystal.name} has a vacuum on all sides; it has levels, but no bands.")
    lines = _lines(crystal)
    lengths = [line.lengths for line in lines]
    segments, total = sum(map(len, lengths)), sum(map(sum, lengths))
    least = min(LEAST_INTERVALS, points // max(segments, 1))
    fractional, distances, labels, here = [], [], [], 0.0
    for line in lines:
        labels.append((here, line.names[0]))
        for start, end, length, name in zip(line.corners, line.corners[1:], line.lengths, line.names[1:], strict=False):
            intervals = max(1, least, round(length / total * (points - 1)))
            steps = np.arange(intervals) / intervals
            fractional.append(start + steps[:, None] * (end - start))
            distances.append(here + steps * length)
            here += length
            labels.append((here, name))
        fractional.append(line.corners[-1:])
        distances.append(np.array([here]))
    return BandPath(np.concatenate(fractional), np.concatenate(distances), tuple(labels))


@dataclass(frozen=True)
class _Line:
    """A part of a path without a jump: its corners, fractional, their names, and what lies between them, 1/bohr."""

    corners: NDArray[np.float64]
    names: list[str]
    lengths: list[float]


def _lines(crystal: Crystal) -> list[_Line]:
    from ase.dft.kpoints import parse_path_string

    path = _ase_path(crystal, 0)
    reciprocal = 2 * np.pi * np.linalg.inv(crystal.lattice).T
    lines = []
    for names in parse_path_string(path.path):
        corners = np.array([path.special_points[name] for name in names])
        lines.append(_Line(corners, names, np.linalg.norm(np.diff(corners, axis=0) @ reciprocal, axis=1).tolist()))
    return lines


def _ase_path(crystal: Crystal, points: int) -> Any:
    """A path in the directions in which the crystal is periodic and not just repeated with a vacuum in between."""
    empty = vacuum_directions(crystal)
    return crystal.to_ase().cell.bandpath(npoints=points, pbc=[axis not in empty for axis in range(3)])
