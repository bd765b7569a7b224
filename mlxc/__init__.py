"""Differentiable density-functional theory for crystals in PyTorch.

Names are imported when first used, so that tools which only describe or watch runs start without loading torch.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlxc.basis.gaussian.basis import GaussianOrbitals as GaussianOrbitals
    from mlxc.basis.planewave.basis import PlaneWaves as PlaneWaves
    from mlxc.calculation.calculation import Calculation as Calculation
    from mlxc.crystal.crystal import Crystal as Crystal
    from mlxc.errors import InputError as InputError
    from mlxc.errors import MlxcError as MlxcError
    from mlxc.frozen.library import FrozenLibrary as FrozenLibrary
    from mlxc.frozen.screening import screen as screen
    from mlxc.ground_state import scf as scf
    from mlxc.kohn_sham.mixing.mixers import AndersonMixing as AndersonMixing
    from mlxc.kohn_sham.mixing.mixers import LinearMixing as LinearMixing
    from mlxc.kohn_sham.saved_state import SavedState as SavedState
    from mlxc.kohn_sham.state import GroundState as GroundState
    from mlxc.tasks.bands.task import BandsTask as BandsTask
    from mlxc.tasks.comparison.task import ComparisonTask as ComparisonTask
    from mlxc.tasks.diagnosis.task import DiagnosisTask as DiagnosisTask
    from mlxc.tasks.eos.task import EquationOfStateTask as EquationOfStateTask
    from mlxc.tasks.gradient.task import GradientTask as GradientTask
    from mlxc.tasks.moments.task import MomentsTask as MomentsTask
    from mlxc.tasks.orders.task import MagneticOrdersTask as MagneticOrdersTask
    from mlxc.terms.entropy import FermiDirac as FermiDirac
    from mlxc.terms.entropy import Gaussian as Gaussian
    from mlxc.terms.entropy import MarzariVanderbilt as MarzariVanderbilt
    from mlxc.terms.external_potential import ExternalPotential as ExternalPotential
    from mlxc.utils.processes import distributed as distributed
    from mlxc.xc.catalogue import functional as functional

# Threads that wait by spinning take the processor from whatever else runs on it: on a machine that also serves a page
# or a second run, an SCF is several times faster with threads that sleep. OpenMP reads this when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

_HOME = {
    "AndersonMixing": "mlxc.kohn_sham.mixing.mixers",
    "BandsTask": "mlxc.tasks.bands.task",
    "Calculation": "mlxc.calculation.calculation",
    "ComparisonTask": "mlxc.tasks.comparison.task",
    "Crystal": "mlxc.crystal.crystal",
    "DiagnosisTask": "mlxc.tasks.diagnosis.task",
    "EquationOfStateTask": "mlxc.tasks.eos.task",
    "ExternalPotential": "mlxc.terms.external_potential",
    "FermiDirac": "mlxc.terms.entropy",
    "FrozenLibrary": "mlxc.frozen.library",
    "Gaussian": "mlxc.terms.entropy",
    "GaussianOrbitals": "mlxc.basis.gaussian.basis",
    "GroundState": "mlxc.kohn_sham.state",
    "GradientTask": "mlxc.tasks.gradient.task",
    "InputError": "mlxc.errors",
    "LinearMixing": "mlxc.kohn_sham.mixing.mixers",
    "MagneticOrdersTask": "mlxc.tasks.orders.task",
    "MarzariVanderbilt": "mlxc.terms.entropy",
    "MlxcError": "mlxc.errors",
    "MomentsTask": "mlxc.tasks.moments.task",
    "PlaneWaves": "mlxc.basis.planewave.basis",
    "SavedState": "mlxc.kohn_sham.saved_state",
    "distributed": "mlxc.utils.processes",
    "functional": "mlxc.xc.catalogue",
    "scf": "mlxc.ground_state",
    "screen": "mlxc.frozen.screening",
}

__version__ = "0.1.0"

__all__ = sorted([*_HOME, "__version__"])


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'mlxc' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
