"""Observables of a self-consistent state, whose gradients flow through its response. Imports no torch."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from mlxc.observables.distance import root_mean_square
from mlxc.observables.observable import Observable
from mlxc.units import BOHR_ANG, HARTREE_EV

if TYPE_CHECKING:
    from torch import Tensor

    from mlxc.kohn_sham.solved_state import SolvedState
    from mlxc.kohn_sham.state import GroundState

PERCENT = 0.01
# Cells on either side, in which the nucleus that is nearest to a point may lie.
NEIGHBOURS = range(-2, 3)


def gap(ground: GroundState) -> Tensor:
    """The gap of the k mesh, electronvolt, of a state with fixed occupations."""
    from mlxc.response.levels import band_gap

    return band_gap(ground) * HARTREE_EV


def density_moment(ground: GroundState) -> Tensor:
    """Integral of n(r) d(r)^2 over that of n(r), d the distance from the nearest nucleus, square angstrom."""
    from scipy.spatial import cKDTree

    crystal = ground.crystal
    shape = ground.basis.grid.shape
    points = np.stack(np.meshgrid(*(np.arange(n) / n for n in shape), indexing="ij"), axis=-1) @ crystal.lattice
    cells = np.array(list(product(NEIGHBOURS, repeat=3)))
    nuclei = (crystal.positions % 1.0)[:, None] + cells
    distances, _ = cKDTree(nuclei.reshape(-1, 3) @ crystal.lattice).query(points)
    density = ground.density.sum(0)
    return (density * density.new_tensor(distances**2)).sum() / density.sum() * BOHR_ANG**2


def magnetisation(ground: GroundState) -> Tensor | None:
    """Electrons of spin up minus those of spin down in the cell, Bohr magneton; None without spin."""
    if len(ground.density) == 1:
        return None
    up, down = ground.basis.grid.integrate(ground.density)
    return up - down


def density(ground: GroundState, reference: SolvedState) -> Tensor:
    """Root mean square of n - n_reference over that of n_reference, percent.

    Args:
        ground: A state.
        reference: A state whose density is on the same grid.
    """
    known = reference.density.to(ground.density)
    return root_mean_square(ground.density - known) / root_mean_square(known) / PERCENT


def forces(ground: GroundState, reference: SolvedState) -> Tensor | None:
    """Root mean square of F - F_reference, hartree/bohr.

    Args:
        ground: A state that takes part in autograd, so that the forces do.
        reference: A state of the same crystal that has forces.
    """
    from mlxc.properties.forces import forces_and_stress

    if reference.forces is None or not ground.basis.gives_forces:
        return None
    found = forces_and_stress(ground)[0]
    return root_mean_square(found - found.mean(0) - reference.forces.to(found))


OF_STATES = (
    Observable(
        name="gap",
        title="gap of the k mesh",
        unit="eV",
        source="state",
        evaluate=gap,
        column="gap_ev",
        scale=0.1,
        is_target=True,
        loss_label="gap (eV), with fixed occupations",
        needs_fixed_occupations=True,
    ),
    Observable(
        name="density_moment",
        title="mean squared distance of the electrons from the nearest nucleus",
        unit="ang^2",
        source="state",
        evaluate=density_moment,
        hint="how far electrons are from nuclei",
        loss_label="spread of the density (Å²)",
    ),
    Observable(
        name="magnetisation",
        title="magnetisation of the cell",
        unit="Bohr magneton",
        source="state",
        evaluate=magnetisation,
        column="magnetisation_bohr_magneton",
        scale=0.1,
        is_target=True,
        loss_label="magnetisation (μB), with spin",
        needs_spin=True,
        held_by="total_moment",
    ),
    Observable(
        name="density",
        title="distance of the density from that of the reference",
        unit="percent",
        source="state",
        evaluate=density,
        column="density_percent",
        is_distance=True,
        is_target=True,
    ),
    Observable(
        name="forces",
        title="distance of the forces from those of the reference",
        unit="hartree/bohr",
        source="state",
        evaluate=forces,
        column="forces_ha_bohr",
        scale=0.001,
        is_distance=True,
        is_target=True,
    ),
)
