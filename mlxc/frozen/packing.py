"""A curve as few tensors: what semilocal functionals see of a density, in half the bytes.

A functional sees the gradients of the spin densities only through their scalar products, so each point keeps these, as
the components of vectors in a plane. Densities are rounded to single precision. The roundings of different points have
nothing to do with each other, so that of the energy is far below the relative 6e-8 of a point; the volumes of points,
whose roundings would add up, stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mlxc.frozen.snapshot import Snapshot
from mlxc.xc.identity import FunctionalIdentity

PACKED = ("density", "gradient", "tau", "volumes", "counts", "numbers")


def pack(snapshots: Sequence[Snapshot]) -> dict[str, Tensor]:
    """The tensors that :func:`unpack` makes snapshots of again.

    Returns:
        ``density`` and ``tau``, shape ``(nspin, npoint)`` over the points of all snapshots, ``gradient``, shape
        ``(1, npoint)``, or ``(3, npoint)`` with spin, ``volumes``, ``counts`` of points by snapshot, and ``numbers``,
        shape ``(nsnapshot, 2)``: the volume of the cell, cubic angstrom, and F - E_xc, hartree.
    """
    together = {name: _together(snapshots, name) for name in ("rho", "grad", "tau")}
    return {
        "density": together["rho"].float(),
        "gradient": _in_a_plane(together["grad"]).float(),
        "tau": together["tau"].float(),
        "volumes": torch.cat([one.volumes for one in snapshots]),
        "counts": torch.tensor([len(one.volumes) for one in snapshots]),
        "numbers": torch.tensor([[one.volume_ang3, one.rest_ha] for one in snapshots], dtype=torch.float64),
    }


def unpack(tensors: dict[str, Tensor], functional: FunctionalIdentity | None) -> tuple[Snapshot, ...]:
    """Snapshots whose gradients are turned in space; arguments as :func:`pack` returns them."""
    counts = tensors["counts"].tolist()
    ingredients = {
        "rho": tensors["density"].double(),
        "grad": _vectors(tensors["gradient"].double()),
        "tau": tensors["tau"].double(),
    }
    split = {name: values.split(counts, dim=-1) for name, values in ingredients.items()}
    volumes = tensors["volumes"].split(counts)
    return tuple(
        Snapshot(volume, rest, {name: pieces[index] for name, pieces in split.items()}, volumes[index], functional)
        for index, (volume, rest) in enumerate(tensors["numbers"].tolist())
    )


def _together(snapshots: Sequence[Snapshot], name: str) -> Tensor:
    return torch.cat([one.ingredients[name] for one in snapshots], dim=-1)


def _in_a_plane(gradients: Tensor) -> Tensor:
    """The components of gradients ``(nspin, 3, npoint)`` in a plane of their own: u = (u1, 0), d = (d1, d2)."""
    first = gradients[0].norm(dim=0)
    if len(gradients) == 1:
        return first[None]
    along = (gradients[0] * gradients[1]).sum(0) / first.clamp(min=1e-300)
    direction = gradients[0] / first.clamp(min=1e-300)
    across = (gradients[1] - along * direction).norm(dim=0)
    return torch.stack([first, along, across])


def _vectors(components: Tensor) -> Tensor:
    """Gradients ``(nspin, 3, npoint)`` from what :func:`_in_a_plane` returns."""
    zero = torch.zeros_like(components[0])
    first = torch.stack([components[0], zero, zero])
    if len(components) == 1:
        return first[None]
    return torch.stack([first, torch.stack([components[1], components[2], zero])])
