"""The public name of what puts crystals into DeepChem's data sets, see :mod:`mlxc.adapters.deepchem`."""

from mlxc.adapters.deepchem import MaterialStructureFeaturizer as MaterialStructureFeaturizer
