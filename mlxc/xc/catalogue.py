"""Functionals by name. Torch is imported only when one is built, so that a page can list them at once."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING

from mlxc.errors import InputError

if TYPE_CHECKING:
    from torch import nn

_DESCRIPTIONS = {
    "lda": "local density: Slater exchange, Perdew-Wang 1992 correlation",
    "lda_xc_teter93": "local density: Teter's rational fit",
    "pbe": "generalised gradient: Perdew, Burke, Ernzerhof 1996",
    "pbesol": "generalised gradient: PBE for solids, 2008",
    "pbe-kappa-mu": "PBE whose two parameters kappa and mu can be trained",
}


def functional_names() -> dict[str, str]:
    """Each name with one line that says what it is."""
    return dict(_DESCRIPTIONS)


def check_name(name: str) -> None:
    """Raise an :class:`InputError` with one sentence unless ``name`` is a functional."""
    if name not in _DESCRIPTIONS:
        close = get_close_matches(name.lower(), _DESCRIPTIONS, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"there are {', '.join(_DESCRIPTIONS)}."
        raise InputError(f"xc: '{name}' is not a known functional; {hint}")


def functional(source: str | nn.Module) -> nn.Module:
    """The functional of this name, or the module itself if it is one already.

    Raises:
        InputError: the name is unknown, or the module does not declare its ingredients.
    """
    from mlxc.xc.functional import declared_ingredients
    from mlxc.xc.gga import PBE, pbesol
    from mlxc.xc.lda import LDA, Teter93

    if not isinstance(source, str):
        declared_ingredients(source)
        return source
    check_name(source)
    builders: dict[str, Callable[[], nn.Module]] = {
        "lda": LDA,
        "lda_xc_teter93": Teter93,
        "pbe": PBE,
        "pbesol": pbesol,
        "pbe-kappa-mu": lambda: PBE(trainable=True),
    }
    return builders[source]()
