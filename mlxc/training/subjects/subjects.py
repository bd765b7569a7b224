"""What solids are judged by: their curves, energies relative to others, magnetic orders, and self-consistent states.

Curves that have been computed are kept, so that a run that is killed goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from torch import Tensor, nn

from mlxc.errors import InputError
from mlxc.frozen.curve import SolidCurve, SolidError, compute_curve, protocol, ratios
from mlxc.frozen.energy_difference import EnergyDifference
from mlxc.frozen.library import FrozenLibrary
from mlxc.frozen.snapshot import Snapshot
from mlxc.observables.catalogue import TARGETS
from mlxc.observables.observable import Source
from mlxc.solids.known_quantities import is_known
from mlxc.solids.table import Solid
from mlxc.training.config import CONVERGING
from mlxc.training.subjects.curve_job import CurveJob, computed_curve
from mlxc.training.subjects.magnetic_orders import MagneticOrders
from mlxc.training.subjects.self_consistent_state import SelfConsistentState, TellAdjoint
from mlxc.training.subjects.teacher import Teacher
from mlxc.utils.job_pool import HERE, Where, finished
from mlxc.utils.stages import stage
from mlxc.xc.catalogue import content_hashes
from mlxc.xc.identity import identity_of


class Subject(Protocol):
    """Something about a solid that a functional predicts."""

    @property
    def source(self) -> Source:
        """The source of the subject's predictions."""
        ...

    @property
    def solid(self) -> Solid:
        """The solid whose references the predictions are compared with."""
        ...

    @property
    def snapshots(self) -> tuple[Snapshot, ...]:
        """The densities that a functional is evaluated at."""
        ...

    def predictions(self, functional: nn.Module, known: Mapping[Snapshot, Tensor] = ...) -> dict[str, Tensor]:
        """Values by quantity, attached to the functional's parameters.

        ``known`` holds energies of snapshots with this functional that were computed before.
        """
        ...


@dataclass(frozen=True)
class Preparation:
    """Makes subjects with the densities of one functional.

    Attributes:
        table: All solids, by name.
        xc: The name of a functional, or a module that is one.
        folder: The folder for the curves of this functional.
        tell: A function that is told of each step of an adjoint.
        where: Where curves are computed that are not there.
        teacher: What makes the reference densities and forces that are not there; None where all are.
    """

    table: Mapping[str, Solid]
    xc: str | nn.Module
    folder: Path
    tell: TellAdjoint | None = None
    where: Where = HERE
    teacher: Teacher | None = None

    @cached_property
    def _library(self) -> FrozenLibrary:
        return FrozenLibrary()

    def subjects(self, names: Sequence[str], quantities: Sequence[str]) -> list[Subject]:
        """What some solids are judged by; those that do not converge are left out with a warning.

        Args:
            names: The names of the solids.
            quantities: The quantities that are wanted; only those that a solid has a reference for are prepared.

        Raises:
            InputError: none of the solids could be computed, or one lacks a pseudopotential.
        """
        makers: dict[Source, Callable[[Solid], Subject]] = {
            "curve": self.curve, "difference": self._difference, "orders": self._orders, "state": self._state,
        }  # fmt: skip
        self._compute_elsewhere(names, quantities)
        found: list[Subject] = []
        failed = []
        for solid in (self.table[name] for name in names):
            try:
                found += [makers[source](solid) for source in sorted(_sources(solid, quantities))]
            except SolidError as error:
                warnings.warn(f"{error} {solid.name} is left out.", stacklevel=2)
                failed.append(solid.name)
        if failed and not found:
            raise InputError(f"None of the solids converged: {', '.join(failed)}.")
        return found

    def _compute_elsewhere(self, names: Sequence[str], quantities: Sequence[str]) -> None:
        """Put the curves that are missing into the folder, where several processes are there to compute them."""
        if self.where == HERE:
            return
        missing: dict[str, Solid] = {}
        for solid in (self.table[name] for name in names):
            sources = _sources(solid, quantities)
            wanted = [solid] if sources & {"curve", "difference"} else []
            wanted += [self.table[other] for other in solid.relative_to] if "difference" in sources else []
            missing |= {one.name: one for one in wanted if self._stored(one) is None}
        jobs = [CurveJob(solid, self.xc) for solid in missing.values()]
        if jobs:
            stage(f"{CONVERGING} {', '.join(missing)}")
        for computed in finished(computed_curve, jobs, self.where.processes, self.where.scheduler):
            if isinstance(computed.curve, str):
                self._refusals[computed.name] = computed.curve
            else:
                computed.curve.save(self._place(missing[computed.name]))

    @cached_property
    def _refusals(self) -> dict[str, str]:
        """Why solids have no curve that were computed elsewhere."""
        return {}

    def _place(self, solid: Solid) -> Path:
        return self.folder / f"{solid.name}-{self._hash(solid)}"

    def _stored(self, solid: Solid) -> SolidCurve | None:
        """The curve of a solid in the library which comes with mlxc, or in the folder."""
        if isinstance(self.xc, str) and (frozen := self._library.curve_of(solid, self.xc)) is not None:
            return frozen
        return SolidCurve.load(solid, self._place(solid))

    def curve(self, solid: Solid) -> SolidCurve:
        """The curve of a solid: that of the library which comes with mlxc if it is the same, or the folder's, or new.

        Raises:
            SolidError: a volume does not converge.
            InputError: the solid cannot be computed.
        """
        curve = self._stored(solid)
        if curve is None:
            if solid.name in self._refusals:
                raise SolidError(self._refusals[solid.name])
            stage(f"{CONVERGING} {solid.name} at {len(ratios(solid))} volumes")
            curve = compute_curve(solid, self.xc)
            curve.save(self._place(solid))
        return curve

    def _hash(self, solid: Solid) -> str:
        """The hash of all that makes a curve what it is."""
        if isinstance(self.xc, str):
            functional, identity = [self.xc, *content_hashes(self.xc)], solid.identity(self.xc)
        else:
            functional, identity = [identity_of(self.xc).content_hash], solid.identity()
        described = json.dumps([identity, *protocol(solid), functional], sort_keys=True)
        return hashlib.sha256(described.encode()).hexdigest()[:8]

    def _difference(self, solid: Solid) -> EnergyDifference:
        others = {name: self.curve(self.table[name]) for name in solid.relative_to}
        return EnergyDifference(self.curve(solid), others)

    def _orders(self, solid: Solid) -> MagneticOrders:
        return MagneticOrders.of(solid, self.xc)

    def _state(self, solid: Solid) -> SelfConsistentState:
        if self.teacher is not None:
            self.teacher.prepare(solid)
        stage(f"{CONVERGING} {solid.name} as it is")
        return SelfConsistentState.of(solid, self.xc, self.tell)


def _sources(solid: Solid, quantities: Sequence[str]) -> set[Source]:
    return {TARGETS[quantity].source for quantity in quantities if is_known(solid, quantity)}
