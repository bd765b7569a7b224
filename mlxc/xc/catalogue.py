"""Functionals by name: those written here, and every semilocal one of libxc.

Torch is imported only when a functional is built, so that a page can list and check names at once.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING

from mlxc.errors import InputError
from mlxc.xc.libxc_names import close_libxc_name, find_libxc

if TYPE_CHECKING:
    from torch import nn

_DESCRIPTIONS = {
    "lda": "local density: Slater exchange, Perdew-Wang 1992 correlation",
    "lda_xc_teter93": "local density: Teter's rational fit",
    "pbe": "generalised gradient: Perdew, Burke, Ernzerhof 1996",
    "pbesol": "generalised gradient: PBE for solids, 2008",
    "rpbe": "generalised gradient: PBE revised for adsorption by Hammer, Hansen, Norskov 1999",
    "scan": "meta-generalised gradient: strongly constrained and appropriately normed, 2015",
    "r2scan": "meta-generalised gradient: SCAN regularised, 2020",
    "pbe-kappa-mu": "PBE whose two parameters kappa and mu can be trained",
}
# As much of a wrong name as an error shows.
SHOWN_LENGTH = 60


def functional_names() -> dict[str, str]:
    """Each name with one line that says what it is; the names of libxc are understood as well."""
    return dict(_DESCRIPTIONS)


def check_name(name: str) -> None:
    """Raise an :class:`InputError` with one sentence unless ``name`` is a functional, in upper or lower case."""
    if name.lower() in _DESCRIPTIONS or find_libxc(name) is not None:
        return
    shown = name if len(name) <= SHOWN_LENGTH else f"{name[:SHOWN_LENGTH]}..."
    close = get_close_matches(shown.lower(), _DESCRIPTIONS, n=1)
    meant = close[0] if close else close_libxc_name(shown)
    names = f"there are {', '.join(_DESCRIPTIONS)}, and the names of libxc such as gga_x_b88,gga_c_lyp."
    hint = f"did you mean '{meant}'?" if meant else names
    raise InputError(f"xc: {shown!r} is not a known functional; {hint}")


def functional(source: str | nn.Module) -> nn.Module:
    """The functional of this name, or the module itself if it is one already.

    Args:
        source: one of :func:`functional_names`; a name in libxc or two of them with a comma in between, such as
            ``gga_x_pbe,gga_c_pbe``; or a module.

    Raises:
        InputError: the name is unknown, libxc's functional is not semilocal, or the module does not declare its
            ingredients.
    """
    from mlxc.xc.functional import declared_ingredients
    from mlxc.xc.gga import PBE, RPBE, pbesol
    from mlxc.xc.lda import LDA, Teter93
    from mlxc.xc.libxc import LibXC
    from mlxc.xc.mgga import R2SCAN, SCAN

    if not isinstance(source, str):
        declared_ingredients(source)
        return source
    check_name(source)
    builders: dict[str, Callable[[], nn.Module]] = {
        "lda": LDA,
        "lda_xc_teter93": Teter93,
        "pbe": PBE,
        "pbesol": pbesol,
        "rpbe": RPBE,
        "scan": SCAN,
        "r2scan": R2SCAN,
        "pbe-kappa-mu": lambda: PBE(trainable=True),
    }
    build = builders.get(source.lower())
    return build() if build else LibXC(source)
