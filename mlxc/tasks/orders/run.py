"""Computes the magnetic orders of a crystal, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mlxc.calculation.calculation import Calculation
from mlxc.calculation.run import run_calculation
from mlxc.console.record_table import Tell
from mlxc.crystal.magnetic_orders import MagneticOrder
from mlxc.kohn_sham.monitor import Monitor, SCFRecord
from mlxc.kohn_sham.state import GroundState
from mlxc.properties.band_edges import gap_of_mesh_ev
from mlxc.tasks.orders.result import OrderedStates, became, ground, pattern_of
from mlxc.tasks.orders.task import MagneticOrdersTask


def run_orders(task: MagneticOrdersTask, monitor: Monitor | None, tell: Tell) -> OrderedStates:
    """Compute all orders; see :meth:`MagneticOrdersTask.run`."""
    calculations = [task.calculation_of(order) for order in task.orders]
    for calculation in calculations:
        calculation.check()
    rows: list[dict[str, Any]] = []
    seconds = 0.0
    lowest: GroundState | None = None

    def told(record: SCFRecord) -> None:
        assert monitor is not None
        monitor(replace(record, point=len(rows)))

    for order, calculation in zip(task.orders, calculations, strict=True):
        state = run_calculation(calculation, None if monitor is None else told)
        seconds += state.seconds["total"]
        row = order_row(order, calculation, state)
        tell({"kind": "order", "index": len(rows), "orders": len(calculations), **row})
        rows.append(row)
        # Only one state is kept: those of large supercells take much memory.
        if lowest is None or ground(rows) is row:
            lowest = state
    assert lowest is not None
    return OrderedStates(rows, lowest, task.kmesh, seconds, task.calculation.model_dump(mode="json"))


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
