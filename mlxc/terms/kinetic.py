"""The kinetic energy of non-interacting electrons, T = sum_n f_n <psi_n| -nabla^2 / 2 |psi_n>."""

from __future__ import annotations

from dataclasses import dataclass

from mlxc.basis.protocol import Basis, OneElectronOperator
from mlxc.pseudo.ions import Ions
from mlxc.terms.term import OrbitalTermDefinition


@dataclass(frozen=True)
class Kinetic(OrbitalTermDefinition):
    """The kinetic energy."""

    name = "kinetic"

    def operator(self, basis: Basis, ions: Ions) -> OneElectronOperator:
        """See :class:`~mlxc.terms.term.OrbitalTermDefinition`."""
        return basis.kinetic_operator()
