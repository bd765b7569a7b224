"""Many densities on few points: sums over crystals become weights of nodes that all crystals share.

Without spin a GGA sees two numbers at each point, the density n and the reduced gradient s. The energy per volume in
units of n^(4/3) is a smooth function of ln n and s, so each point hands its volume to the nodes of a grid around it,
with the weights of Lagrange's interpolation, and a functional is evaluated at the nodes alone. Their number grows with
the range of densities and not with the number of crystals: 6000 nodes serve 26 solids with 330000 points, whose
energies change by less than 1e-7 Ha. Vacuum has nodes of its own, in ln n and ln s, wide apart: 1e-5 Ha of a sheet are
there, so that some hundred nodes leave less than 1e-7 Ha of error whatever the functional makes of large gradients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mlxc.frozen.snapshot import Snapshot
from mlxc.xc.functional import declared_ingredients

# |grad n| = s SLOPE n^(4/3).
SLOPE = 2 * (3 * pi**2) ** (1 / 3)
# The degree of the polynomial between nodes, and their distances in ln n and in s.
DEGREE = 5
LOG_STEP, S_STEP = 0.1, 0.025
# Below this density (electrons/bohr^3), or above this s, there is vacuum, where nodes have distances in ln n and ln s.
SMALLEST_DENSITY, LARGEST_S = 1e-6, 10.0
VACUUM_LOG_STEP, VACUUM_LOG_S_STEP = 0.5, 0.25
# In the middle of a vacuum s may vanish, and has no logarithm; a functional sees no difference to this one there.
SMALLEST_VACUUM_S = 0.01


class _Points(NamedTuple):
    """Density, reduced gradient, volume and number of the snapshot of each point."""

    density: Tensor
    s: Tensor
    volumes: Tensor
    owners: Tensor

    def where(self, chosen: Tensor) -> _Points:
        return _Points(*(values[chosen] for values in self))


@dataclass(frozen=True)
class SharedNodes:
    """Snapshots without spin, on nodes.

    Attributes:
        rest_ha: F - E_xc of each snapshot, shape ``(nsnapshot,)``.
        ingredients: ``rho`` and ``grad`` at the nodes, see :mod:`mlxc.xc.functional`.
        volumes: The volume that each node stands for in each snapshot, bohr^3, shape ``(nsnapshot, nnode)``; some are
            negative.
    """

    rest_ha: Tensor
    ingredients: dict[str, Tensor]
    volumes: Tensor

    @classmethod
    def of(cls, snapshots: Sequence[Snapshot]) -> SharedNodes:
        """Put snapshots on nodes; each has to be one of those that :func:`fits_nodes` accepts."""
        points = _points(snapshots)
        in_vacuum = (points.density < SMALLEST_DENSITY) | (points.s > LARGEST_S)
        parts = [
            nodes(points.where(chosen), len(snapshots))
            for nodes, chosen in ((_in_matter, ~in_vacuum), (_in_vacuum, in_vacuum))
            if bool(chosen.any())
        ]
        density, s, volumes = (torch.cat(pieces, dim=-1) for pieces in zip(*parts, strict=True))
        slope = s * SLOPE * density ** (4 / 3)
        ingredients = {
            "rho": density[None],
            "grad": torch.stack([slope, torch.zeros_like(slope), torch.zeros_like(slope)])[None],
        }
        return cls(torch.tensor([one.rest_ha for one in snapshots], dtype=torch.float64), ingredients, volumes)

    def energies(self, functional: nn.Module) -> Tensor:
        """F of each snapshot, hartree per cell, shape ``(nsnapshot,)``, attached to the functional's parameters."""
        values = functional(**{name: self.ingredients[name] for name in declared_ingredients(functional)})
        return self.rest_ha + self.volumes @ values


def fits_nodes(snapshot: Snapshot) -> bool:
    """Whether a snapshot has no spin, and a density everywhere."""
    return len(snapshot.ingredients["rho"]) == 1 and bool((snapshot.ingredients["rho"] > 0).all())


def _points(snapshots: Sequence[Snapshot]) -> _Points:
    density = torch.cat([one.ingredients["rho"][0] for one in snapshots])
    gradient = torch.cat([one.ingredients["grad"][0].norm(dim=0) for one in snapshots])
    volumes = torch.cat([one.volumes for one in snapshots])
    counts = torch.tensor([len(one.volumes) for one in snapshots])
    owners = torch.arange(len(snapshots)).repeat_interleave(counts)
    return _Points(density, gradient / (SLOPE * density ** (4 / 3)), volumes, owners)


def _in_matter(points: _Points, nsnapshot: int) -> tuple[Tensor, Tensor, Tensor]:
    """Density and s of the nodes, and the volume that each stands for in each snapshot."""
    along_n, along_s = stencil(points.density.log() / LOG_STEP), stencil(points.s / S_STEP, lowest=0)
    log_density, s, volumes = _handed_over(points, along_n, along_s, nsnapshot)
    density = (log_density * LOG_STEP).exp()
    return density, s * S_STEP, volumes / density ** (4 / 3)


def _in_vacuum(points: _Points, nsnapshot: int) -> tuple[Tensor, Tensor, Tensor]:
    """The same, of nodes that are wide apart."""
    along_n = stencil(points.density.log() / VACUUM_LOG_STEP)
    along_s = stencil(points.s.clamp(min=SMALLEST_VACUUM_S).log() / VACUUM_LOG_S_STEP)
    log_density, log_s, volumes = _handed_over(points, along_n, along_s, nsnapshot)
    density = (log_density * VACUUM_LOG_STEP).exp()
    return density, (log_s * VACUUM_LOG_S_STEP).exp(), volumes / density ** (4 / 3)


# The first node around each position, and the weights of it and of the following.
_Stencil = tuple[Tensor, list[Tensor]]


def _handed_over(
    points: _Points, along_n: _Stencil, along_s: _Stencil, nsnapshot: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Both coordinates of the nodes that are used, and n^(4/3) times the volume at them in each snapshot."""
    (first_n, weights_n), (first_s, weights_s) = along_n, along_s
    start_n, start_s = int(first_n.min()), int(first_s.min())
    shape = (int(first_n.max()) - start_n + DEGREE + 1, int(first_s.max()) - start_s + DEGREE + 1)
    corners = [
        ((first_n - start_n + i) * shape[1] + first_s - start_s + j, weights_n[i] * weights_s[j])
        for i in range(DEGREE + 1)
        for j in range(DEGREE + 1)
    ]
    used = torch.zeros(shape[0] * shape[1], dtype=torch.bool)
    for places, _ in corners:
        used[places] = True
    number, nnode = used.cumsum(0) - 1, int(used.sum())
    scaled = points.volumes * points.density ** (4 / 3)
    sums = torch.zeros(nsnapshot * nnode, dtype=torch.float64)
    for places, weights in corners:
        sums.index_add_(0, points.owners * nnode + number[places], scaled * weights)
    grid = used.nonzero()[:, 0]
    return (grid // shape[1] + start_n).double(), (grid % shape[1] + start_s).double(), sums.view(nsnapshot, nnode)


def stencil(position: Tensor, lowest: int | None = None) -> tuple[Tensor, list[Tensor]]:
    """How positions are shared among nodes at whole numbers, so that a smooth function of them is one of the nodes.

    Args:
        position: Where the points are, in units of the distance of nodes.
        lowest: The first node that there is; by default there is one at every whole number.

    Returns:
        the number of the first node for each point, and the weights of this one and of the ``DEGREE`` that follow.
    """
    first = position.floor().long() - DEGREE // 2
    if lowest is not None:
        first = first.clamp(min=lowest)
    distance = position - first
    weights = []
    for node in range(DEGREE + 1):
        weight = torch.ones_like(distance)
        for other in range(DEGREE + 1):
            if other != node:
                weight = weight * (distance - other) / (node - other)
        weights.append(weight)
    return first, weights
