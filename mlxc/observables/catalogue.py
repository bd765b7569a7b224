"""All observables: what losses are made of, and what functionals are trained and judged by. Imports no torch."""

from __future__ import annotations

from mlxc.observables.observable import Observable, Source
from mlxc.observables.of_curves import OF_CURVES
from mlxc.observables.of_energies import ENERGY, OF_DIFFERENCES
from mlxc.observables.of_orders import OF_ORDERS
from mlxc.observables.of_states import OF_STATES

_ALL = (ENERGY, *OF_CURVES, *OF_DIFFERENCES, *OF_ORDERS, *OF_STATES)
# By name.
OBSERVABLES = {observable.name: observable for observable in _ALL}
# By name, those that can be differentiated as a loss of one crystal.
LOSSES = {name: observable for name, observable in OBSERVABLES.items() if observable.loss_label}
# By column of a table of solids, those that a functional can be trained with.
TARGETS = {
    observable.column: observable
    for observable in OBSERVABLES.values()
    if observable.is_target and observable.column is not None
}


def targets_of(source: Source) -> dict[str, Observable]:
    """The targets that follow from one kind of source, by column."""
    return {column: observable for column, observable in TARGETS.items() if observable.source == source}
