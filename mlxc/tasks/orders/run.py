"""Computes the magnetic orders of a crystal, one after the other or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlxc.calculation.calculation import Calculation
from mlxc.calculation.elsewhere import bytes_of_state, state_from_bytes
from mlxc.calculation.run import run_calculation
from mlxc.console.record_table import Tell
from mlxc.crystal.magnetic_orders import MagneticOrder
from mlxc.kohn_sham.monitor import Monitor, SCFRecord
from mlxc.kohn_sham.state import GroundState
from mlxc.properties.band_edges import gap_of_mesh_ev
from mlxc.tasks.orders.result import OrderedStates, became, ground, pattern_of
from mlxc.tasks.orders.task import MagneticOrdersTask
from mlxc.utils.job_pool import finished


@dataclass(frozen=True)
class OrderJob:
    """One order of several.

    Attributes:
        index: Its number.
        order: The order.
        calculation: How it is computed.
    """

    index: int
    order: MagneticOrder
    calculation: Calculation


@dataclass(frozen=True)
class ComputedOrder:
    """What is kept of an order.

    Attributes:
        index: Its number.
        row: What is known of it, see :func:`order_row`.
        seconds: How long it took.
        state: Its state, or the content of the file that holds it where another process has computed it.
    """

    index: int
    row: dict[str, Any]
    seconds: float
    state: GroundState | bytes


def run_orders(task: MagneticOrdersTask, monitor: Monitor | None, tell: Tell) -> OrderedStates:
    """Compute all orders; see :meth:`MagneticOrdersTask.run`."""
    calculations = task.calculations()
    for calculation in calculations:
        calculation.check()
    jobs = [OrderJob(n, *job) for n, job in enumerate(zip(task.orders, calculations, strict=True))]
    computed: Iterator[ComputedOrder]
    if task.scheduler is None:
        computed = (_compute(job, monitor) for job in jobs)
    else:
        computed = finished(compute_elsewhere, jobs, scheduler=task.scheduler)
    rows: dict[int, dict[str, Any]] = {}
    seconds, lowest = 0.0, None
    for order in computed:
        seconds += order.seconds
        tell({"kind": "order", "index": order.index, "orders": len(jobs), **order.row})
        rows[order.index] = order.row
        # Only one state is kept: those of large supercells take much memory.
        if lowest is None or ground(list(rows.values())) is order.row:
            lowest = order.state
    assert lowest is not None
    state = state_from_bytes(lowest) if isinstance(lowest, bytes) else lowest
    settings = task.calculation.model_dump(mode="json")
    return OrderedStates([rows[job.index] for job in jobs], state, task.kmesh, seconds, settings)


def _compute(job: OrderJob, monitor: Monitor | None) -> ComputedOrder:
    def told(record: SCFRecord) -> None:
        assert monitor is not None
        monitor(replace(record, point=job.index))

    state = run_calculation(job.calculation, None if monitor is None else told)
    row = order_row(job.order, job.calculation, state)
    return ComputedOrder(job.index, row, state.seconds["total"], state)


def compute_elsewhere(job: OrderJob) -> ComputedOrder:
    """Compute an order in a process that cannot hand over a live state."""
    computed = _compute(job, None)
    assert isinstance(computed.state, GroundState)
    return replace(computed, state=bytes_of_state(computed.state))


def order_row(order: MagneticOrder, calculation: Calculation, state: GroundState) -> dict[str, Any]:
    """What is known of an order, as plain data; see :meth:`~mlxc.tasks.orders.result.OrderedStates.summary`."""
    species, signs = state.crystal.species, order.signs.ravel().tolist()
    moments = None if state.atomic_moments is None else state.atomic_moments.tolist()
    return {
        "name": order.name,
        "order_kind": order.kind,
        "pattern": pattern_of(species, signs),
        "cells": order.cells,
        "natoms": len(species),
        "multiplicity": order.multiplicity,
        "free_energy_per_atom_ha": float(state.energy.detach()) / len(species),
        "magnetisation_bohr_magneton": None if state.magnetisation is None else state.magnetisation / order.cells,
        "mean_moments_bohr_magneton": _mean_moments(species, signs, moments),
        "gap_ev": gap_of_mesh_ev(state),
        "converged": state.converged,
        "message": state.message,
        "iterations": len(state.history),
        "became": became(order, moments),
        "signs": signs,
        "moments": moments,
        "kmesh": list(calculation.kmesh),
        "structure": calculation.structure,
    }


def _mean_moments(
    species: Sequence[str], signs: Sequence[int], moments: Sequence[float] | None
) -> dict[str, float] | None:
    """The mean size of the moments of each magnetic element."""
    if moments is None:
        return None
    found: dict[str, list[float]] = {}
    for symbol, sign, moment in zip(species, signs, moments, strict=True):
        if sign:
            found.setdefault(symbol, []).append(abs(moment))
    return {symbol: sum(sizes) / len(sizes) for symbol, sizes in found.items()}
