"""Crystals in DeepChem's data sets: a featurizer that makes calculations of structures.

DeepChem takes seconds to import, and so does this module.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import numpy as np
from deepchem import feat
from numpy.typing import NDArray
from pymatgen.core.structure import Structure

from mlxc.calculation.calculation import Calculation
from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError

logger = logging.getLogger(__name__)


class MaterialStructureFeaturizer(feat.MaterialStructureFeaturizer):
    """Turns pymatgen structures into calculations that are ready to run.

    Args:
        settings: the fields of :class:`mlxc.Calculation` except the structure, such as ``xc`` and ``ecut_ha``; what is
            missing is chosen for each structure.

    ``deepchem.data.NumpyDataset(featurizer.featurize(structures), targets)`` is a data set of crystals.
    """

    def __init__(self, **settings: Any) -> None:
        self.settings = settings

    def featurize(
        self, datapoints: Structure | dict[str, Any] | Iterable[Any] = (), log_every_n: int = 1000, **kwargs: Any
    ) -> NDArray[np.object_]:
        """One :class:`mlxc.Calculation` for each structure, shape ``(nstructure,)``.

        Args:
            datapoints: Structures, or the dictionaries that pymatgen makes of them; a single one is allowed.
            log_every_n: How often progress is logged.
            kwargs: Arguments that are passed to :meth:`_featurize`.

        Raises:
            InputError: a structure cannot be computed. DeepChem's own featurizers put an empty array in its place,
                which would be found out only when the calculation is run.
        """
        structures = [datapoints] if isinstance(datapoints, (Structure, dict)) else list(datapoints)
        features = np.empty(len(structures), dtype=object)
        for index, structure in enumerate(structures):
            if index % log_every_n == 0:
                logger.info("Featurizing structure %d", index)
            try:
                features[index] = self._featurize(structure, **kwargs)
            except InputError as error:
                raise InputError(f"Structure {index}: {error}") from None
        return features

    def _featurize(self, datapoint: Structure | dict[str, Any], **kwargs: Any) -> Calculation:
        crystal = Crystal.from_pymatgen(_structure(datapoint))
        calculation = Calculation.from_dict({"structure": crystal, **self.settings, **kwargs})
        calculation.check()
        return calculation


def _structure(datapoint: Structure | dict[str, Any]) -> Structure:
    if isinstance(datapoint, Structure):
        return datapoint
    try:
        return Structure.from_dict(datapoint)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise InputError(
            f"a {type(datapoint).__name__} is not a pymatgen structure, nor a dictionary of one."
        ) from None
