"""Meshes of k points and their irreducible part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlxc.symmetry import SpaceGroup


@dataclass(frozen=True)
class KPoints:
    """k points with the weights of the points that they stand for.

    Attributes:
        fractional: coordinates in the reciprocal lattice, shape ``(nk, 3)``.
        weights: shape ``(nk,)``, summing to one.
    """

    fractional: NDArray[np.float64]
    weights: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.weights)


def irreducible_mesh(mesh: tuple[int, int, int], group: SpaceGroup) -> KPoints:
    """The irreducible part of a Gamma-centred Monkhorst-Pack mesh under a space group and time reversal.

    A rotation W of positions turns k into inv(W).T k; operations that do not map the mesh onto itself are left out.
    """
    size = np.array(mesh)
    points = np.stack(np.meshgrid(*[np.arange(n) for n in mesh], indexing="ij"), axis=-1).reshape(-1, 3)
    rotations = np.linalg.inv(group.rotations).round().astype(np.int64).transpose(0, 2, 1)
    rotations = np.unique(np.concatenate([rotations, -rotations]), axis=0)
    representative = np.arange(len(points))
    for rotation in rotations:
        images = points / size @ rotation.T * size
        if np.abs(images - images.round()).max() > 1e-6:
            continue
        image = np.ravel_multi_index(tuple((images.round().astype(np.int64) % size).T), mesh)
        representative = np.minimum(representative, image)
    # `representative` holds the smallest image of each point under the whole group, hence one number per orbit.
    kept, counts = np.unique(representative, return_counts=True)
    fractional = points[kept] / size
    return KPoints(fractional - (fractional > 0.5 + 1e-9), counts / len(points))
