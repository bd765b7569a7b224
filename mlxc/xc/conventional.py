"""Conventional functionals by name: those written here, and every semilocal one of libxc.

They need no file and no other package. Torch is imported only when a functional is built, so that names can be listed
and checked at once.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING

from mlxc.errors import InputError
from mlxc.xc.libxc.names import find_libxc
from mlxc.xc.sums.expression import split_sum

if TYPE_CHECKING:
    from torch import nn

TRAINABLE = "pbe-kappa-mu"
# Under which other packages offer functionals.
GROUP = "mlxc.functionals"
# What each functional is, and what makes it: a module and a name in it that is called without arguments.
FUNCTIONALS = {
    "lda": ("local density: Slater exchange, Perdew-Wang 1992 correlation", "mlxc.xc.lda:LDA"),
    "lda_xc_teter93": ("local density: Teter's rational fit", "mlxc.xc.lda:Teter93"),
    "pbe": ("generalised gradient: Perdew, Burke, Ernzerhof 1996", "mlxc.xc.gga:PBE"),
    "pbesol": ("generalised gradient: PBE for solids, 2008", "mlxc.xc.gga:pbesol"),
    "rpbe": (
        "generalised gradient: PBE revised for adsorption by Hammer, Hansen, Norskov 1999",
        "mlxc.xc.gga:RPBE",
    ),
    "scan": (
        "meta-generalised gradient: strongly constrained and appropriately normed, 2015",
        "mlxc.xc.mgga:SCAN",
    ),
    "r2scan": ("meta-generalised gradient: SCAN regularised, 2020", "mlxc.xc.mgga:R2SCAN"),
    TRAINABLE: ("PBE whose two parameters kappa and mu can be trained", "mlxc.xc.gga:PBE.from_config"),
}
DESCRIPTIONS = {name: description for name, (description, _) in FUNCTIONALS.items()}


def is_conventional(name: str) -> bool:
    """Whether a functional of this name, in upper or lower case, is written here or in libxc.

    Raises:
        InputError: libxc has the functional, but it is not semilocal.
    """
    return name.lower() in DESCRIPTIONS or find_libxc(name) is not None


def build_conventional(name: str) -> nn.Module:
    """The functional of this name.

    Raises:
        InputError: there is no such functional, or libxc's is not semilocal.
    """
    from mlxc.xc.libxc.functional import LibXC

    if name.lower() in FUNCTIONALS:
        _, place = FUNCTIONALS[name.lower()]
        functional: nn.Module = EntryPoint(name, place, GROUP).load()()
        return functional
    if not is_conventional(name):
        raise InputError(f"xc: {name!r} is not a conventional functional.")
    return LibXC(name)


def build_sum(expression: str, build: Callable[[str], nn.Module]) -> nn.Module:
    """The functional that a name, or a sum of names with weights, stands for.

    Args:
        expression: A name or a sum, such as ``pbe`` or ``0.75*pbe + 0.25*scan``.
        build: The function that makes the functional of each name.

    Raises:
        InputError: the expression is no sum, or there is no functional of one of its names.
    """
    from mlxc.xc.sums.weighted_sum import WeightedSum

    terms = [(weight, build(name)) for weight, name in split_sum(expression)]
    if len(terms) == 1 and terms[0][0] == 1:
        return terms[0][1]
    return WeightedSum([weight for weight, _ in terms], [part for _, part in terms])
