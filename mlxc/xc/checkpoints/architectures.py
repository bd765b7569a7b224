"""The forms of functionals that a checkpoint can hold."""

from __future__ import annotations

from typing import Any

from torch import nn

from mlxc.errors import InputError
from mlxc.xc.enhancement import NeuralEnhancement
from mlxc.xc.functional import CheckpointFunctional
from mlxc.xc.gga import PBE
from mlxc.xc.hybrid import HybridXC
from mlxc.xc.published.hm import HMGGA, HMLDA, HMMGGA
from mlxc.xc.published.kanungo import KanungoNNGGA, KanungoNNGGAUEG, KanungoNNLDA
from mlxc.xc.published.pcnn import PCNN
from mlxc.xc.published.xcdiff import XCDIFF
from mlxc.xc.unconstrained import NNLDA, NNPBE

FORMS: tuple[type[CheckpointFunctional], ...] = (
    NeuralEnhancement, PBE, HybridXC, NNLDA, NNPBE, PCNN, XCDIFF, HMLDA, HMGGA, HMMGGA,
    KanungoNNLDA, KanungoNNGGA, KanungoNNGGAUEG,
)  # fmt: skip
ARCHITECTURES = {form.architecture: form for form in FORMS}


def build_architecture(name: str, config: dict[str, Any]) -> nn.Module:
    """A functional of this form, with initial weights.

    Raises:
        InputError: an unknown form, or settings that it does not have.
    """
    if name not in ARCHITECTURES:
        raise InputError(f"architecture: {name!r} is not known; there are {', '.join(ARCHITECTURES)}.")
    try:
        return ARCHITECTURES[name].from_config(**config)
    except InputError:
        raise
    except (TypeError, ValueError, AttributeError):
        raise InputError(f"architecture: {name} cannot be built with the settings {config!r}.") from None


def describe_architecture(functional: nn.Module) -> tuple[str, dict[str, Any]]:
    """The name and the settings from which :func:`build_architecture` makes a functional of the same form.

    Raises:
        InputError: checkpoints know no such form.
    """
    if not isinstance(functional, CheckpointFunctional) or type(functional) not in FORMS:
        raise InputError(f"A checkpoint holds {', '.join(ARCHITECTURES)}, not a {type(functional).__name__}.")
    return functional.architecture, functional.config()
