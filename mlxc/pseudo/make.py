"""How what a table or a file holds becomes a pseudopotential that the terms of the energy can use."""

from __future__ import annotations

from mlxc.pseudo.files.radial import RadialPseudopotential
from mlxc.pseudo.gth import GTHPseudopotential
from mlxc.pseudo.library import PseudopotentialData
from mlxc.pseudo.protocol import Pseudopotential
from mlxc.pseudo.tabulated import tabulated


def make_pseudopotential(data: PseudopotentialData) -> Pseudopotential:
    """The pseudopotential in reciprocal space; that of a file is made once and kept."""
    return tabulated(data) if isinstance(data, RadialPseudopotential) else GTHPseudopotential(data)
