"""The electrons' energy in the separable nonlocal part of the pseudopotentials.

E = sum_n f_n sum_a sum_lm sum_ij <psi_n|p_ai> h_ij <p_aj|psi_n>.
"""

from __future__ import annotations

from dataclasses import dataclass

from mlxc.basis.protocol import Basis, OneElectronOperator
from mlxc.pseudo.ions import Ions
from mlxc.terms.term import OrbitalTermDefinition


@dataclass(frozen=True)
class NonlocalPseudopotential(OrbitalTermDefinition):
    """The nonlocal part of the ions' pseudopotentials."""

    name = "nonlocal"

    def operator(self, basis: Basis, ions: Ions) -> OneElectronOperator:
        """See :class:`~mlxc.terms.term.OrbitalTermDefinition`."""
        return basis.nonlocal_operator(ions)
