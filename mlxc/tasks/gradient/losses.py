"""Losses of converged states, as functions of a functional's parameters."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor, nn

from mlxc.console.record_table import Tell
from mlxc.crystal.resizing import lattice_constant, natural_variation
from mlxc.errors import MlxcError
from mlxc.kohn_sham.loop import run_calculation
from mlxc.kohn_sham.monitor import Monitor
from mlxc.kohn_sham.state import GroundState
from mlxc.properties.birch_murnaghan import FitError
from mlxc.properties.differentiable_fit import differentiable_birch_murnaghan
from mlxc.response.differentiable import attach_implicitly, attach_unrolled
from mlxc.response.dyson import ResponseError
from mlxc.response.levels import band_gap
from mlxc.response.unrolled import UnrolledError
from mlxc.tasks.eos.run import nearest_to_given, states_at_volumes
from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc.tasks.gradient.result import Evaluation
from mlxc.tasks.gradient.task import GradientTask
from mlxc.units import BOHR_ANG, HARTREE_EV

PERCENT = 0.01
# Of an equation of state, in units of the given volume: wide, since models that have yet to learn are far off.
LOWEST, HIGHEST = 0.91, 1.114
# Cells on either side, in which the nucleus that is nearest to a point may lie.
NEIGHBOURS = range(-2, 3)


class LossError(MlxcError):
    """There is no loss to differentiate; the message says why."""


def evaluate(
    task: GradientTask,
    xc: nn.Module,
    start: Sequence[GroundState],
    monitor: Monitor | None,
    tell: Tell,
) -> Evaluation:
    """Converge what the loss needs, and compute it.

    Args:
        task: says which loss.
        xc: the functional of the task, whose parameters may have moved.
        start: states of an earlier evaluation to start from; or none.
        monitor: told of every SCF step.
        tell: told of the points of an equation of state.
    """
    if task.loss == "lattice_constant":
        curve = EquationOfStateTask(calculation=task.calculation, lowest_volume=LOWEST, highest_volume=HIGHEST)
        states = states_at_volumes(curve, monitor, tell, xc, start)
        main = nearest_to_given(states, curve)
    else:
        states = [run_calculation(task.calculation, monitor, start, xc)]
        (main,) = states
    try:
        quantity = _quantity(task, states)
    except (LossError, FitError, ResponseError, UnrolledError) as error:
        return Evaluation(states, main, None, None, str(error))
    return Evaluation(states, main, quantity, _loss(task, quantity), "")


def _loss(task: GradientTask, quantity: Tensor) -> Tensor:
    target, _ = task.target_and_source
    if target is None:
        return quantity
    if task.loss == "lattice_constant":
        return ((quantity / target - 1) / PERCENT).square()
    return (quantity - target).square()


def _quantity(task: GradientTask, states: Sequence[GroundState]) -> Tensor:
    unconverged = [state.message for state in states if not state.converged]
    if unconverged:
        raise LossError(unconverged[0])
    if task.loss == "lattice_constant":
        return _lattice_constant(states)
    (ground,) = states
    if task.loss == "energy":
        return ground.energy / len(ground.crystal.species) * HARTREE_EV
    (attach_implicitly if task.mode == "implicit" else attach_unrolled)(ground)
    if task.loss == "gap":
        return band_gap(ground) * HARTREE_EV
    if task.loss == "density_moment":
        return density_spread(ground) * BOHR_ANG**2
    up, down = ground.basis.grid.integrate(ground.density)
    return up - down


def _lattice_constant(states: Sequence[GroundState]) -> Tensor:
    """Of the fit that ``mlxc eos`` makes, angstrom."""
    crystal = states[0].crystal
    energies = torch.stack([state.energy for state in states])
    volumes = [state.crystal.volume * BOHR_ANG**3 for state in states]
    volume0 = differentiable_birch_murnaghan(volumes, energies).volume0
    edge = lattice_constant(crystal, volume0, natural_variation(crystal))
    assert edge is not None  # the task has seen to that
    return edge


def density_spread(ground: GroundState) -> Tensor:
    """Integral of n(r) d(r)^2 over that of n(r), d the distance from the nearest nucleus, bohr^2."""
    grid = ground.basis.grid
    crystal = ground.crystal
    points = np.stack(np.meshgrid(*(np.arange(n) / n for n in grid.shape), indexing="ij"), axis=-1) @ crystal.lattice
    cells = np.array(list(product(NEIGHBOURS, repeat=3)))
    nuclei = (crystal.positions % 1.0)[:, None] + cells
    distances, _ = cKDTree(nuclei.reshape(-1, 3) @ crystal.lattice).query(points)
    squares = torch.as_tensor(distances**2, device=ground.density.device)
    density = ground.density.sum(0)
    return (density * squares).sum() / density.sum()
