"""Magnetic orders as a kind of task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlxc.console.record_table import Tell
from mlxc.kohn_sham.monitor import Monitor
from mlxc.tasks.command import SCHEDULER, Command, Option
from mlxc.tasks.kind import ITERATION, ITERATIONS, Ending, Figure, Kind
from mlxc.tasks.orders.presentation import (
    ORDERS,
    advice_about_moments,
    orders_outcome,
    orders_report,
    orders_sentence,
)
from mlxc.tasks.orders.task import MagneticOrdersTask
from mlxc.tasks.parts import Parts

if TYPE_CHECKING:
    from mlxc.tasks.orders.result import OrderedStates


def _run(task: MagneticOrdersTask, monitor: Monitor | None, tell: Tell) -> OrderedStates:
    from mlxc.tasks.orders.run import run_orders

    return run_orders(task, monitor, tell)


def _ending(states: OrderedStates) -> Ending:
    return Ending(states.converged, states.message, states.lowest)


# How the work grows with the number of cells: more bands on a larger grid, at fewer k points.
GROWTH = 2.0


def _parts(task: MagneticOrdersTask) -> Parts:
    # Spins double the work of all orders but the non-magnetic one.
    lengths = (order.cells**GROWTH * (1 if order.kind == "non-magnetic" else 2) for order in task.orders)
    return Parts(tuple(lengths), "order")


MAGNETIC_ORDERS = Kind(
    name="orders",
    title="magnetic orders",
    task=MagneticOrdersTask,
    run=_run,
    ending=_ending,
    records={ITERATION: ITERATIONS, "order": ORDERS},
    report=orders_report,
    headline=orders_sentence,
    outcome=orders_outcome,
    figures=(Figure("ground", "order of lowest energy"),),
    command=Command(
        "orders",
        "energies of the ferromagnet, of antiferromagnets and of the non-magnetic state",
        (
            Option(
                "--magnetic",
                ("magnetic",),
                "elements whose moments are up or down (those that often have one)",
                {"nargs": "+", "metavar": "ELEMENT"},
            ),
            Option(
                "--max-cells",
                ("max_cells",),
                "largest number of cells in a supercell (2)",
                {"type": int, "metavar": "N"},
            ),
            Option(
                "--max-atoms", ("max_atoms",), "largest number of atoms in a supercell", {"type": int, "metavar": "N"}
            ),
            Option(
                "--max-orders",
                ("max_orders",),
                "largest number of orders to compute (20)",
                {"type": int, "metavar": "N"},
            ),
            SCHEDULER,
        ),
    ),
    advice=advice_about_moments,
    parts=_parts,
)
