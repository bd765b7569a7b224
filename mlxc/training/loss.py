"""How far a functional's predictions are from what is known of some solids."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from mlxc.errors import InputError
from mlxc.frozen.curve import SolidError
from mlxc.frozen.snapshot import NONE_KNOWN, Snapshot
from mlxc.observables.catalogue import TARGETS
from mlxc.properties.birch_murnaghan import FitError
from mlxc.properties.differentiable_fit import NoMinimumError
from mlxc.solids.known_quantities import is_known
from mlxc.solids.table import Solid
from mlxc.training.config import Target
from mlxc.training.subjects.subjects import Subject

PERCENT = 0.01
# The error that a solid without a minimum counts for, so that losing it is no gain; and by how much it grows with each
# electronvolt per cubic angstrom by which energies fall at the end of their volumes, so that there is a way back: one
# percent of the lattice constant of a common metal, whose bulk modulus is 170 GPa, takes 0.032.
SKIPPED, FALL = 20.0, 1 / 0.032
# Absolute errors well below one count as squared ones, so that they have a gradient everywhere.
NEGLIGIBLE = 0.1


@dataclass(frozen=True)
class Assessment:
    """The assessment of a functional on some solids.

    Attributes:
        loss: The weighted mean of squared or absolute errors, each in its unit, attached to the functional's
            parameters.
        errors: The errors by solid and quantity, in percent for what is relative, else in the unit that the name ends
            with.
        skipped: The solids whose energies have no minimum in the range of volumes, or that do not converge.
    """

    loss: Tensor
    errors: dict[str, dict[str, float]]
    skipped: tuple[str, ...] = field(default=())

    def mean_absolute_error(self, quantity: str) -> float:
        """The mean of the absolute values of ``errors`` over the solids that have this quantity; NaN if none has."""
        values = [abs(found[quantity]) for found in self.errors.values() if quantity in found]
        return sum(values) / len(values) if values else float("nan")


def squared(error: Tensor) -> Tensor:
    """What an error counts for in the mean: its square."""
    return error.square()


def absolute(error: Tensor) -> Tensor:
    """What an error counts for in the mean if large ones shall not outweigh the others: its smoothed absolute value."""
    return torch.sqrt(error.square() + NEGLIGIBLE**2) - NEGLIGIBLE


MEASURES: dict[str, Callable[[Tensor], Tensor]] = {"squared": squared, "absolute": absolute}


def assess(
    functional: nn.Module,
    subjects: Sequence[Subject],
    targets: Sequence[Target],
    measure: Callable[[Tensor], Tensor] = squared,
    known: Mapping[Snapshot, Tensor] = NONE_KNOWN,
) -> Assessment:
    """Compare with the references of each solid; what cannot be predicted is skipped with a warning.

    Args:
        functional: The functional to judge.
        subjects: What is known of solids.
        targets: The quantities that count.
        measure: What an error counts for.
        known: Energies of the subjects' snapshots with this functional, as far as they were computed before.

    Raises:
        InputError: there is nothing to compare with.
    """
    total, weight = torch.zeros((), dtype=torch.float64), 0.0
    errors: dict[str, dict[str, float]] = {}
    skipped = []
    for subject in subjects:
        name = subject.solid.name
        try:
            predicted = subject.predictions(functional, known)
        except (FitError, SolidError) as reason:
            warnings.warn(f"{name} is skipped: {reason}", stacklevel=2)
            skipped.append(name)
            missed = sum(target.weight for target in targets if _is_compared(subject, target.quantity))
            total, weight = total + missed * measure(_error_of_skipped(reason)), weight + missed
            continue
        for target in targets:
            error = _error(target.quantity, predicted, subject.solid)
            if error is None:
                continue
            total = total + target.weight * measure(error / target.error_unit)
            weight += target.weight
            errors.setdefault(name, {})[target.quantity] = float(error.detach())
    if subjects and not weight:
        raise InputError("None of the solids has a reference value of what is to be trained.")
    return Assessment(total / max(weight, 1e-300), errors, tuple(skipped))


def _error_of_skipped(reason: Exception) -> Tensor:
    """What a solid that has no prediction counts for, in the units of errors; constant where nothing leads to one."""
    skipped = torch.tensor(SKIPPED, dtype=torch.float64)
    if isinstance(reason, NoMinimumError) and float(reason.fall.detach()) > 0:
        return skipped + FALL * reason.fall
    return skipped


def _is_compared(subject: Subject, quantity: str) -> bool:
    return TARGETS[quantity].source == subject.source and is_known(subject.solid, quantity)


def _error(quantity: str, predicted: dict[str, Tensor], solid: Solid) -> Tensor | None:
    """The error in percent if it is relative, else in the quantity's unit; None where there is nothing to compare."""
    kind = TARGETS[quantity]
    known = 0.0 if kind.is_distance else solid.references.get(quantity)
    if known is None or quantity not in predicted:
        return None
    return (predicted[quantity] / known - 1) / PERCENT if kind.relative else predicted[quantity] - known
