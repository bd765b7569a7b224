"""How large a run may be on a server that many people use. Imports no torch."""

from __future__ import annotations

import os
from dataclasses import dataclass

from mlxc.calculation.calculation import Calculation
from mlxc.errors import InputError

ECUT, ATOMS, SECONDS = "MLXC_MAX_ECUT", "MLXC_MAX_ATOMS", "MLXC_MAX_SECONDS"


@dataclass(frozen=True)
class Limits:
    """The limits of a run; each is None where there is no limit.

    Attributes:
        ecut_ha: The largest cutoff, hartree.
        atoms: The largest number of atoms in the cell.
        seconds: The longest time of a run.
    """

    ecut_ha: float | None = None
    atoms: float | None = None
    seconds: float | None = None

    @classmethod
    def from_environment(cls) -> Limits:
        """The limits that ``MLXC_MAX_ECUT``, ``MLXC_MAX_ATOMS`` and ``MLXC_MAX_SECONDS`` give.

        Raises:
            InputError: one of them is no positive number.
        """
        return cls(*(_positive(name) for name in (ECUT, ATOMS, SECONDS)))

    def check(self, calculation: Calculation) -> None:
        """Find what is larger than allowed here.

        Raises:
            InputError: something is larger; one sentence says what.
        """
        atoms = len(calculation.structure["species"])
        if self.ecut_ha is not None and calculation.ecut_ha > self.ecut_ha:
            raise InputError(
                f"ecut_ha: {calculation.ecut_ha:g} hartree is more than the {self.ecut_ha:g} hartree that this server "
                "allows; lower the cutoff."
            )
        if self.atoms is not None and atoms > self.atoms:
            raise InputError(
                f"structure: {atoms} atoms are more than the {self.atoms:g} that this server allows; "
                "take a smaller cell."
            )


def _positive(name: str) -> float | None:
    given = os.environ.get(name)
    if given is None:
        return None
    try:
        value = float(given)
    except ValueError:
        value = 0.0
    if not value > 0:
        raise InputError(f"{name}: {given!r} is not allowed: give a positive number.")
    return value
