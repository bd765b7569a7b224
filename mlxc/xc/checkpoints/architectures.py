"""The forms of functionals that a checkpoint can hold, and sums of these and of conventional functionals.

The settings of a sum name what is added: a conventional functional by its name, a form by its name and settings.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from mlxc.errors import InputError
from mlxc.xc.checkpoints.record import SUM
from mlxc.xc.conventional import TRAINABLE, build_conventional, is_conventional
from mlxc.xc.enhancement import NeuralEnhancement
from mlxc.xc.functional import CheckpointFunctional
from mlxc.xc.gga import PBE
from mlxc.xc.hybrid import HybridXC
from mlxc.xc.identity import identity_of, name_functional
from mlxc.xc.published.hm import HMGGA, HMLDA, HMMGGA
from mlxc.xc.published.kanungo import KanungoNNGGA, KanungoNNGGAUEG, KanungoNNLDA
from mlxc.xc.published.pcnn import PCNN
from mlxc.xc.published.xcdiff import XCDIFF
from mlxc.xc.sums.weighted_sum import WeightedSum
from mlxc.xc.unconstrained import NNLDA, NNPBE

FORMS: tuple[type[CheckpointFunctional], ...] = (
    NeuralEnhancement, PBE, HybridXC, NNLDA, NNPBE, PCNN, XCDIFF, HMLDA, HMGGA, HMMGGA,
    KanungoNNLDA, KanungoNNGGA, KanungoNNGGAUEG,
)  # fmt: skip
ARCHITECTURES = {form.architecture: form for form in FORMS}
MOST_TERMS = 16


def build_architecture(name: str, config: dict[str, Any]) -> nn.Module:
    """A functional of this form, with initial weights.

    Raises:
        InputError: an unknown form, or settings that it does not have.
    """
    if name not in (*ARCHITECTURES, SUM):
        raise InputError(f"architecture: {name!r} is not known; there are {', '.join(ARCHITECTURES)}, {SUM}.")
    try:
        return _build_sum(**config) if name == SUM else ARCHITECTURES[name].from_config(**config)
    except InputError:
        raise
    except (TypeError, ValueError, KeyError, AttributeError):
        raise InputError(f"architecture: {name} cannot be built with the settings {config!r}.") from None


def describe_architecture(functional: nn.Module) -> tuple[str, dict[str, Any]]:
    """The name and the settings from which :func:`build_architecture` makes a functional of the same form.

    Raises:
        InputError: checkpoints know no such form.
    """
    if isinstance(functional, WeightedSum):
        terms = zip(functional.weights.tolist(), functional.functionals, strict=True)
        return SUM, {"terms": [{"weight": weight, **_describe_term(part)} for weight, part in terms]}
    if not isinstance(functional, CheckpointFunctional) or type(functional) not in FORMS:
        raise InputError(f"A checkpoint holds {', '.join(ARCHITECTURES)}, not a {type(functional).__name__}.")
    return functional.architecture, functional.config()


def _describe_term(part: nn.Module) -> dict[str, Any]:
    """A conventional functional by its name, any other by its form."""
    name = identity_of(part).name
    if name != TRAINABLE and is_conventional(name):
        return {"conventional": name}
    architecture, config = describe_architecture(part)
    if architecture == SUM:
        raise InputError(f"A checkpoint holds no sum in which {name!r}, a sum itself, is a term.")
    return {"architecture": architecture, "config": config}


def _build_sum(*, terms: list[dict[str, Any]]) -> WeightedSum:
    """The sum of such terms; a file makes mlxc open no other file, and no sum is in another one."""
    if not 1 <= len(terms) <= MOST_TERMS:
        raise InputError(f"terms: a sum has 1 to {MOST_TERMS} terms, not {len(terms)}.")
    return WeightedSum([float(term["weight"]) for term in terms], [_build_term(**term) for term in terms])


def _build_term(
    *, weight: float, conventional: str = "", architecture: str = "", config: dict[str, Any] | None = None
) -> nn.Module:
    if conventional:
        made = build_conventional(conventional)
        name_functional(made, conventional)
        return made
    if architecture == SUM:
        raise InputError("terms: a sum stands in a sum.")
    return build_architecture(architecture, config or {})
