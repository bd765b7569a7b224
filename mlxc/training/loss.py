"""How far a functional's predictions are from what is known of some solids."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from mlxc.errors import InputError
from mlxc.properties.birch_murnaghan import FitError
from mlxc.training.config import Target
from mlxc.training.curve import SolidCurve

PERCENT = 0.01
# What a solid without a minimum counts for, so that losing it is no gain.
SKIPPED_PERCENT = 20.0


@dataclass(frozen=True)
class Assessment:
    """Of a functional on some solids.

    Attributes:
        loss: weighted mean squared relative error in percent, attached to the functional's parameters.
        errors: relative errors in percent by solid and quantity.
        skipped: solids whose energies have no minimum in the range of volumes.
    """

    loss: Tensor
    errors: dict[str, dict[str, float]]
    skipped: tuple[str, ...] = field(default=())

    def mean_absolute_error(self, quantity: str) -> float:
        """Mean absolute relative error, percent, over the solids that have this quantity; NaN if none has."""
        values = [abs(found[quantity]) for found in self.errors.values() if quantity in found]
        return sum(values) / len(values) if values else float("nan")


def assess(functional: nn.Module, curves: Sequence[SolidCurve], targets: Sequence[Target]) -> Assessment:
    """Compare with the references of each solid; one without a minimum is skipped with a warning."""
    total, weight = torch.zeros((), dtype=torch.float64), 0.0
    errors: dict[str, dict[str, float]] = {}
    skipped = []
    for curve in curves:
        try:
            predicted = curve.predictions(functional)
        except FitError:
            warnings.warn(f"{curve.solid.name} has no minimum with this functional; it is skipped.", stacklevel=2)
            skipped.append(curve.solid.name)
            total, weight = total + SKIPPED_PERCENT**2, weight + 1
            continue
        found = errors.setdefault(curve.solid.name, {})
        for target in targets:
            known = curve.solid.references.get(target.quantity)
            if known is None or target.quantity not in predicted:
                continue
            error = (predicted[target.quantity] / known - 1) / PERCENT
            total, weight = total + target.weight * error.square(), weight + target.weight
            found[target.quantity] = float(error.detach())
    if curves and not weight:
        raise InputError("None of the solids has a reference value of what is to be trained.")
    return Assessment(total / max(weight, 1e-300), errors, tuple(skipped))
