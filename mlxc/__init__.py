"""Differentiable density-functional theory for crystals in PyTorch.

Names are imported when first used, so that tools which only describe or watch runs start without loading torch.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlxc.basis.gaussian import GaussianOrbitals as GaussianOrbitals
    from mlxc.basis.planewave import PlaneWaves as PlaneWaves
    from mlxc.calculation import Calculation as Calculation
    from mlxc.calculation import EquationOfStateTask as EquationOfStateTask
    from mlxc.crystal import Crystal as Crystal
    from mlxc.errors import InputError as InputError
    from mlxc.errors import MlxcError as MlxcError
    from mlxc.response.differentiable import differentiable_scf as differentiable_scf
    from mlxc.scf.ground_state import GroundState as GroundState
    from mlxc.scf.loop import scf as scf
    from mlxc.terms.entropy import FermiDirac as FermiDirac
    from mlxc.terms.entropy import Gaussian as Gaussian
    from mlxc.terms.entropy import MarzariVanderbilt as MarzariVanderbilt
    from mlxc.xc.catalogue import functional as functional

# Threads that wait by spinning take the processor from whatever else runs on it: on a machine that also serves a page
# or a second run, an SCF is several times faster with threads that sleep. OpenMP reads this when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

_HOME = {
    "Calculation": "mlxc.calculation",
    "Crystal": "mlxc.crystal",
    "EquationOfStateTask": "mlxc.calculation",
    "FermiDirac": "mlxc.terms.entropy",
    "Gaussian": "mlxc.terms.entropy",
    "GaussianOrbitals": "mlxc.basis.gaussian",
    "GroundState": "mlxc.scf.ground_state",
    "InputError": "mlxc.errors",
    "MarzariVanderbilt": "mlxc.terms.entropy",
    "MlxcError": "mlxc.errors",
    "PlaneWaves": "mlxc.basis.planewave",
    "differentiable_scf": "mlxc.response.differentiable",
    "functional": "mlxc.xc.catalogue",
}

__version__ = "0.1.0"

__all__ = sorted([*_HOME, "__version__", "scf"])


def __getattr__(name: str) -> Any:
    if name == "scf":
        return import_module("mlxc.scf")  # a package that can be called
    if name not in _HOME:
        raise AttributeError(f"module 'mlxc' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
