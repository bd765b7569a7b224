"""A DeepChem model that learns a functional from a data set of crystals.

DeepChem takes seconds to import, and so does this module.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from deepchem.data import Dataset
from deepchem.models import TorchModel
from deepchem.models.losses import L2Loss
from torch import Tensor, nn

from mlxc.calculation.calculation import Calculation
from mlxc.errors import InputError
from mlxc.frozen.curve import SolidCurve, compute_curve
from mlxc.solids.table import Solid


class LatticeConstants(nn.Module):
    """Lattice constants as a differentiable function of a functional's parameters.

    They are those of cubic solids, and those in the plane of hexagonal or square sheets.

    Args:
        functional: The functional that is learned.
    """

    def __init__(self, functional: nn.Module) -> None:
        super().__init__()
        self.functional = functional

    def forward(self, curves: list[SolidCurve]) -> Tensor:
        """The lattice constants, angstrom, shape ``(ncurve, 1)``.

        Raises:
            InputError: a crystal is of another kind.
        """
        found = []
        for curve in curves:
            predicted = curve.predictions(self.functional)
            if "lattice_constant_ang" not in predicted:
                raise InputError(
                    f"{curve.solid.name} is neither cubic nor a hexagonal or square sheet: it has no single lattice "
                    "constant."
                )
            found.append(predicted["lattice_constant_ang"])
        return torch.stack(found)[:, None]


class SolidsModel(TorchModel):
    """Fits a functional to lattice constants with DeepChem's ``fit(dataset)``.

    The features of the data set are calculations, as
    :class:`~mlxc.adapters.deepchem.MaterialStructureFeaturizer` makes them, its labels lattice constants in angstrom.
    Each crystal is converged once, at several volumes; the functional is then trained at these densities, see
    :mod:`mlxc.frozen.snapshot`.

    Args:
        functional: A functional with parameters.
        densities: The functional that converges the densities; by default the one to train, as it is at the first use.
        settings: The settings of DeepChem's ``TorchModel``, such as ``learning_rate`` and ``model_dir``.
    """

    def __init__(self, functional: nn.Module, densities: str | nn.Module | None = None, **settings: Any) -> None:
        super().__init__(LatticeConstants(functional), loss=L2Loss(), **settings)
        self._densities = functional if densities is None else densities
        self._curves: dict[str, SolidCurve] = {}

    def default_generator(
        self,
        dataset: Dataset,
        epochs: int = 1,
        mode: str = "fit",
        deterministic: bool = True,
        pad_batches: bool = False,
    ) -> Iterator[tuple[list[Any], list[Any], list[Any]]]:
        """Batches as they are: a calculation cannot be padded with zeros."""
        yield from super().default_generator(dataset, epochs, mode, deterministic, pad_batches=False)

    def _prepare_batch(self, batch: tuple[Any, Any, Any]) -> tuple[list[Any], list[Tensor], list[Tensor]]:
        inputs, labels, weights = batch
        curves = [self._curve(calculation) for calculation in inputs[0]]
        numbers = [
            [torch.as_tensor(np.asarray(values, dtype=np.float64)) for values in (group or [])]
            for group in (labels, weights)
        ]
        return [curves], numbers[0], numbers[1]

    def _curve(self, calculation: Calculation) -> SolidCurve:
        key = calculation.model_dump_json()
        if key not in self._curves:
            settings = calculation.model_dump(exclude={"structure", "xc", "fft_grid", "tolerance"})
            crystal = calculation.crystal
            self._curves[key] = compute_curve(Solid(crystal.formula, crystal, {}, settings), self._densities)
        return self._curves[key]
