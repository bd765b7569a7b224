"""The public name of ASE's calculator, see :mod:`mlxc.adapters.ase`."""

from mlxc.adapters.ase import MLXC as MLXC
