"""The terms of Kohn-Sham density-functional theory with pseudopotentials."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from mlxc.terms.entropy import Entropy
from mlxc.terms.ewald import Ewald
from mlxc.terms.exchange_correlation import ExchangeCorrelation
from mlxc.terms.hartree import Hartree
from mlxc.terms.kinetic import Kinetic
from mlxc.terms.local_pseudopotential import LocalPseudopotential, PseudopotentialCore
from mlxc.terms.nonlocal_pseudopotential import NonlocalPseudopotential
from mlxc.terms.term import TermDefinition


def standard_terms(functional: nn.Module, further: Sequence[TermDefinition] = ()) -> list[TermDefinition]:
    """The terms of every calculation, in the order in which their energies are listed.

    Args:
        functional: the exchange-correlation functional.
        further: terms that a person has selected, which stand before the entropy.
    """
    return [
        Kinetic(),
        LocalPseudopotential(),
        NonlocalPseudopotential(),
        Hartree(),
        ExchangeCorrelation(functional),
        *further,
        Entropy(),
        Ewald(),
        PseudopotentialCore(),
    ]
