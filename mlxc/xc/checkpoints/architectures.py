"""The forms of functionals that a checkpoint can hold: what builds each from plain data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import nn

from mlxc.errors import InputError
from mlxc.xc.checkpoints.files import checkpoint_path
from mlxc.xc.enhancement import NeuralEnhancement
from mlxc.xc.expression import split_sum
from mlxc.xc.gga import PBE
from mlxc.xc.hybrid import HybridXC
from mlxc.xc.unconstrained import NNLDA, NNPBE, softplus_network


def _trainable_pbe() -> PBE:
    return PBE(trainable=True)


def _network_lda(hidden: Sequence[int] = (10,), ninpmode: int = 1, outmultmode: int = 1) -> NNLDA:
    return NNLDA(softplus_network(NNLDA.nfeature, hidden), ninpmode, outmultmode)


def _network_pbe(hidden: Sequence[int] = (10,), ninpmode: int = 1, outmultmode: int = 1) -> NNPBE:
    return NNPBE(softplus_network(NNPBE.nfeature, hidden), ninpmode, outmultmode)


def _hybrid(baseline: str, **settings: Any) -> HybridXC:
    # A file must not make mlxc open other files, least of all itself.
    if any(checkpoint_path(name) is not None for _, name in split_sum(baseline)):
        raise InputError(f"baseline: {baseline!r} is a checkpoint; a hybrid in a file has a conventional baseline.")
    return HybridXC(baseline, **settings)


ARCHITECTURES: dict[str, Callable[..., nn.Module]] = {
    "neural-enhancement": NeuralEnhancement,
    "pbe-kappa-mu": _trainable_pbe,
    "hybrid": _hybrid,
    "nnlda": _network_lda,
    "nnpbe": _network_pbe,
}
_CLASSES = {NeuralEnhancement: "neural-enhancement", HybridXC: "hybrid", NNLDA: "nnlda", NNPBE: "nnpbe"}


def build_architecture(name: str, config: dict[str, Any]) -> nn.Module:
    """A functional of this form, with initial weights.

    Raises:
        InputError: an unknown form, or settings that it does not have.
    """
    if name not in ARCHITECTURES:
        raise InputError(f"architecture: {name!r} is not known; there are {', '.join(ARCHITECTURES)}.")
    try:
        return ARCHITECTURES[name](**config)
    except InputError:
        raise
    except (TypeError, ValueError, AttributeError):
        raise InputError(f"architecture: {name} cannot be built with the settings {config!r}.") from None


def describe_architecture(functional: nn.Module) -> tuple[str, dict[str, Any]]:
    """The name and the settings from which :func:`build_architecture` makes a functional of the same form.

    Raises:
        InputError: checkpoints know no such form.
    """
    if isinstance(functional, PBE) and functional.kappa.requires_grad:
        return "pbe-kappa-mu", {}
    if isinstance(functional, HybridXC) and not isinstance(functional.baseline, str):
        raise InputError("A checkpoint holds a hybrid whose baseline was given by name.")
    if isinstance(functional, NeuralEnhancement | HybridXC | NNLDA | NNPBE):
        return _CLASSES[type(functional)], functional.config()
    raise InputError(f"A checkpoint holds {', '.join(ARCHITECTURES)}, not a {type(functional).__name__}.")
