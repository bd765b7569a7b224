"""A functional that teaches another one its equations of state, and its self-consistent densities and forces."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from mlxc.frozen.curve import SolidError
from mlxc.solids.table import Solid
from mlxc.training.config import CONVERGING
from mlxc.training.subjects.self_consistent_state import converged
from mlxc.utils.stages import stage


@dataclass(frozen=True)
class Teacher:
    """Makes the references of solids that have none of their own: states, each once, and curves of energies.

    Attributes:
        xc: The name of the functional that teaches.
        folder: The folder for the states.
    """

    xc: str
    folder: Path

    def teaches(self, solid: Solid) -> Solid:
        """The solid with its teacher, and the place of its reference state, which need not be there yet.

        A saved result of its own goes before the teacher's.
        """
        place = self.folder / f"{solid.name}.h5" if solid.density is None else solid.density
        return replace(solid, density=place, teacher=self.xc)

    def prepare(self, solid: Solid) -> None:
        """Compute the reference state of a solid if it is one of the teacher's and is not there yet.

        Raises:
            SolidError: it does not converge.
        """
        place = solid.density
        if place is None or place.parent != self.folder or place.exists():
            return
        stage(f"{CONVERGING} {solid.name} with {self.xc}, which teaches")
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            converged(solid, self.xc, forces=True).save(place)
        except SolidError as error:
            raise SolidError(f"With {self.xc}, which teaches, {error}") from None
