"""The forms of functionals that a checkpoint can hold: what builds each from plain data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from mlxc.errors import InputError
from mlxc.xc.enhancement import NeuralEnhancement
from mlxc.xc.gga import PBE


def _trainable_pbe() -> PBE:
    return PBE(trainable=True)


ARCHITECTURES: dict[str, Callable[..., nn.Module]] = {
    "neural-enhancement": NeuralEnhancement,
    "pbe-kappa-mu": _trainable_pbe,
}


def build_architecture(name: str, config: dict[str, Any]) -> nn.Module:
    """A functional of this form, with initial weights.

    Raises:
        InputError: an unknown form, or settings that it does not have.
    """
    if name not in ARCHITECTURES:
        raise InputError(f"architecture: {name!r} is not known; there are {', '.join(ARCHITECTURES)}.")
    try:
        return ARCHITECTURES[name](**config)
    except (TypeError, ValueError, AttributeError):
        raise InputError(f"architecture: {name} cannot be built with the settings {config!r}.") from None


def describe_architecture(functional: nn.Module) -> tuple[str, dict[str, Any]]:
    """The name and the settings from which :func:`build_architecture` makes a functional of the same form.

    Raises:
        InputError: checkpoints know no such form.
    """
    if isinstance(functional, PBE) and functional.kappa.requires_grad:
        return "pbe-kappa-mu", {}
    for name, kind in ARCHITECTURES.items():
        if kind is type(functional):
            config: Callable[[], dict[str, Any]] = functional.config  # type: ignore[assignment]
            return name, config()
    raise InputError(f"A checkpoint holds {', '.join(ARCHITECTURES)}, not a {type(functional).__name__}.")
