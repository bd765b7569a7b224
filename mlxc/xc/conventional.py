"""Conventional functionals by name: those written here, and every semilocal one of libxc.

They need no file and no other package. Torch is imported only when a functional is built, so that names can be listed
and checked at once.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING

from mlxc.errors import InputError
from mlxc.xc.cards.card import FunctionalCard
from mlxc.xc.libxc.named import card_in_libxc, listed_names
from mlxc.xc.libxc.names import find_libxc
from mlxc.xc.sums.expression import split_sum

if TYPE_CHECKING:
    from torch import nn

TRAINABLE = "pbe-kappa-mu"
# Under which other packages offer functionals.
GROUP = "mlxc.functionals"
# What each functional is, and what makes it: a module and a name in it that is called without arguments.
FUNCTIONALS = {
    "lda": (
        FunctionalCard(
            "local density: Slater exchange, Perdew-Wang 1992 correlation",
            "non-empirical",
            "J. P. Perdew, Y. Wang, Phys. Rev. B 45, 13244 (1992)",
        ),
        "mlxc.xc.lda:LDA",
    ),
    "lda_xc_teter93": (
        FunctionalCard(
            "local density: Teter's rational fit",
            "non-empirical",
            "S. Goedecker, M. Teter, J. Hutter, Phys. Rev. B 54, 1703 (1996)",
        ),
        "mlxc.xc.lda:Teter93",
    ),
    "pbe": (
        FunctionalCard(
            "generalised gradient: Perdew, Burke, Ernzerhof 1996",
            "non-empirical",
            "J. P. Perdew, K. Burke, M. Ernzerhof, Phys. Rev. Lett. 77, 3865 (1996)",
        ),
        "mlxc.xc.gga:PBE",
    ),
    "pbesol": (
        FunctionalCard(
            "generalised gradient: PBE for solids, 2008",
            "non-empirical",
            "J. P. Perdew et al., Phys. Rev. Lett. 100, 136406 (2008)",
        ),
        "mlxc.xc.gga:pbesol",
    ),
    "rpbe": (
        FunctionalCard(
            "generalised gradient: PBE revised for adsorption by Hammer, Hansen, Norskov 1999",
            "non-empirical",
            "B. Hammer, L. B. Hansen, J. K. Norskov, Phys. Rev. B 59, 7413 (1999)",
        ),
        "mlxc.xc.gga:RPBE",
    ),
    "scan": (
        FunctionalCard(
            "meta-generalised gradient: strongly constrained and appropriately normed, 2015",
            "non-empirical",
            "J. Sun, A. Ruzsinszky, J. P. Perdew, Phys. Rev. Lett. 115, 036402 (2015)",
            ("Its switch is stiff around alpha = 1; r2scan is the same without that.",),
        ),
        "mlxc.xc.mgga:SCAN",
    ),
    "r2scan": (
        FunctionalCard(
            "meta-generalised gradient: SCAN regularised, 2020",
            "non-empirical",
            "J. W. Furness et al., J. Phys. Chem. Lett. 11, 8208 (2020)",
        ),
        "mlxc.xc.mgga:R2SCAN",
    ),
    "lak": (
        FunctionalCard(
            "meta-generalised gradient for binding and gaps: LAK, 2024",
            "non-empirical",
            "T. Lebeda, T. Aschebrock, S. Kummel, Phys. Rev. Lett. 133, 136402 (2024)",
        ),
        "mlxc.xc.lak.functional:LAK",
    ),
    TRAINABLE: (
        FunctionalCard(
            "PBE whose two parameters kappa and mu can be trained",
            "fitted",
            "J. P. Perdew, K. Burke, M. Ernzerhof, Phys. Rev. Lett. 77, 3865 (1996)",
            ("It is PBE until somebody trains it.",),
        ),
        "mlxc.xc.gga:PBE.from_config",
    ),
}
DESCRIPTIONS = {name: card.summary for name, (card, _) in FUNCTIONALS.items()} | listed_names()


def is_conventional(name: str) -> bool:
    """Whether a functional of this name, in upper or lower case, is written here or in libxc.

    Raises:
        InputError: libxc has the functional, but it is not semilocal.
    """
    return name.lower() in DESCRIPTIONS or find_libxc(name) is not None


def conventional_card(name: str) -> FunctionalCard | None:
    """What is known of a conventional functional, in upper or lower case; None for most of libxc."""
    if name.lower() in FUNCTIONALS:
        return FUNCTIONALS[name.lower()][0]
    return card_in_libxc(name)


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
