"""The energy against the moment, computed here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.magnetism import often_magnetic
from mlxc.properties.moment_curve import MomentCurve

if TYPE_CHECKING:
    from mlxc.kohn_sham.state import GroundState


@dataclass(frozen=True)
class MomentsResult:
    """Free energies at several total moments that were held.

    Attributes:
        curve: The points, and what follows from them.
        state: The state with the lowest energy.
        crystal: The crystal.
        seconds: The time of all points together.
        calculation: The settings that all points share, as plain data.
    """

    curve: MomentCurve
    state: GroundState
    crystal: Crystal
    seconds: float
    calculation: dict[str, Any]

    @property
    def converged(self) -> bool:
        """Whether all points have converged."""
        return not self.message

    @property
    def message(self) -> str:
        """One sentence when a point has not converged."""
        points = self.curve.points
        unconverged = sum(not point.converged for point in points)
        return f"{unconverged} of {len(points)} moments did not converge." if unconverged else ""

    @property
    def note(self) -> str:
        """What a person should know about the curve; empty if there is nothing."""
        notes = []
        if not often_magnetic(self.crystal.species):
            elements = ", ".join(dict.fromkeys(self.crystal.species))
            notes.append(f"Nothing in this crystal ({elements}) is known for magnetism.")
        points = self.curve.lowest
        lowest = min(points, key=lambda point: point.free_energy_ha)
        if self.curve.ground is None and lowest in (points[0], points[-1]):
            notes.append(
                f"The energy is lowest at {lowest.moment:g} Bohr magneton, an end of the range: a wider range may hold "
                "the minimum."
            )
        return " ".join(notes)

    def summary(self) -> dict[str, Any]:
        """The result as plain data, the JSON object of the command line; what is not known is None.

        For the curve see :meth:`~mlxc.properties.moment_curve.MomentCurve.to_dict`; all moments are in Bohr magnetons
        per cell, all energies in hartree per cell.
        """
        return {
            "converged": self.converged,
            "message": self.message,
            "note": self.note,
            **self.curve.to_dict(),
            "natoms": len(self.crystal.species),
            "seconds": self.seconds,
            "calculation": self.calculation,
        }
