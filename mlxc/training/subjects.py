"""What solids are judged by: their curves, energies relative to others, and self-consistent states.

Curves that have been computed are kept, so that a run that is killed goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from torch import Tensor, nn

from mlxc.errors import InputError
from mlxc.training.curve import SolidCurve, SolidError, compute_curve
from mlxc.training.energy_difference import EnergyDifference
from mlxc.training.quantities import Source
from mlxc.training.self_consistent_state import SelfConsistentState
from mlxc.training.snapshot import Snapshot
from mlxc.training.solids import Solid


class Subject(Protocol):
    """Something about a solid that a functional predicts."""

    @property
    def solid(self) -> Solid:
        """Whose references the predictions are compared with."""
        ...

    @property
    def snapshots(self) -> tuple[Snapshot, ...]:
        """The densities that a functional is evaluated at."""
        ...

    def predictions(self, functional: nn.Module) -> dict[str, Tensor]:
        """Values by quantity, attached to the functional's parameters."""
        ...


@dataclass(frozen=True)
class Preparation:
    """Makes subjects with the densities of one functional.

    Attributes:
        table: all solids, by name.
        xc: name of a functional, or a module that is one.
        folder: for the curves of this functional.
    """

    table: Mapping[str, Solid]
    xc: str | nn.Module
    folder: Path

    def subjects(self, names: Sequence[str], sources: set[Source]) -> tuple[list[Subject], list[str]]:
        """Those of some solids, and the names of the solids that did not converge.

        Args:
            names: of the solids.
            sources: of the quantities that are wanted.

        Raises:
            InputError: none of the solids could be computed.
        """
        makers: dict[Source, Callable[[Solid], Subject]] = {
            "curve": self.curve, "difference": self._difference, "state": self._state,
        }  # fmt: skip
        found: list[Subject] = []
        failed = []
        for solid in (self.table[name] for name in names):
            try:
                found += [makers[source](solid) for source in sorted(sources) if _has(solid, source)]
            except SolidError as error:
                warnings.warn(f"{error} {solid.name} is left out.", stacklevel=2)
                failed.append(solid.name)
        if failed and not found:
            raise InputError(f"None of the solids converged: {', '.join(failed)}.")
        return found, failed

    def curve(self, solid: Solid) -> SolidCurve:
        """From the folder if it is there."""
        place = self.folder / _key(solid)
        curve = SolidCurve.load(solid, place)
        if curve is None:
            curve = compute_curve(solid, self.xc)
            curve.save(place)
        return curve

    def _difference(self, solid: Solid) -> EnergyDifference:
        others = {name: self.curve(self.table[name]) for name in solid.relative_to}
        return EnergyDifference(self.curve(solid), others)

    def _state(self, solid: Solid) -> SelfConsistentState:
        return SelfConsistentState.of(solid, self.xc)


def _has(solid: Solid, source: Source) -> bool:
    return {"curve": not solid.rigid, "difference": bool(solid.relative_to), "state": True}[source]


def _key(solid: Solid) -> str:
    """A name for what is computed: another crystal or other settings make another one."""
    described = json.dumps([solid.crystal.to_dict(), solid.settings], sort_keys=True)
    return f"{solid.name}-{hashlib.sha256(described.encode()).hexdigest()[:8]}"
