"""What only a self-consistent state tells: the gap, the magnetisation, the density and the forces of a solid.

Each prediction converges the solid anew with the functional as it is, and takes part in autograd through the adjoint of
the SCF, so nothing is held fixed, not even in the first round of a training.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, ClassVar, Literal, TypeAlias

from torch import Tensor, nn

from mlxc.calculation.run import run_calculation
from mlxc.errors import InputError
from mlxc.frozen.curve import SolidError
from mlxc.frozen.snapshot import NONE_KNOWN, Snapshot
from mlxc.kohn_sham.monitor import AdjointRecord
from mlxc.kohn_sham.saved_state import SavedState
from mlxc.kohn_sham.state import GroundState
from mlxc.observables.catalogue import targets_of
from mlxc.observables.observable import Source
from mlxc.solids.known_quantities import is_known
from mlxc.solids.table import Solid

# Is told the name of a solid and a step of its adjoint.
TellAdjoint: TypeAlias = Callable[[str, AdjointRecord], None]
# Of the density, to which these quantities are of first order.
TOLERANCE = 1e-7


@dataclass(frozen=True)
class SelfConsistentState:
    """A solid, and a state from which its SCF starts.

    Attributes:
        solid: The solid to compute.
        start: A state that has converged before, the same for every prediction, so that predictions depend on the
            functional alone.
        reference: A state whose density, on the same grid, and forces the solid's are compared with.
        tell: A function that is told of each step of an adjoint.
    """

    solid: Solid
    start: GroundState
    reference: SavedState | None
    tell: TellAdjoint | None = None
    source: ClassVar[Source] = "state"

    @classmethod
    def of(cls, solid: Solid, xc: str | nn.Module, tell: TellAdjoint | None = None) -> SelfConsistentState:
        """Converge a solid.

        Args:
            solid: The solid; one whose references include a gap is computed with fixed occupations, and a magnet's
                moment is then that of its references.
            xc: The name of a functional, or a module that is one.
            tell: A function that is told of each step of an adjoint, with the name of the solid.

        Raises:
            SolidError: it does not converge.
            InputError: its reference density is of another crystal, or on another grid.
        """
        start = converged(solid, xc)
        if solid.density is None:
            return cls(solid, start, None, tell)
        ground = SavedState.load(solid.density)
        if not ground.crystal.same_as(solid.crystal):
            raise InputError(f"{solid.name}: the density in {solid.density.name} is that of another crystal.")
        reference = ground.density
        if reference.shape != start.density.shape:
            raise InputError(
                f"{solid.name}: its density is on a grid {tuple(start.density.shape)}, the reference in "
                f"{solid.density.name} on {tuple(reference.shape)}; choose the same cutoff and spin."
            )
        return cls(solid, start, ground, tell)

    @cached_property
    def snapshots(self) -> tuple[Snapshot, ...]:
        """The density that the SCF starts from."""
        return (Snapshot.of(self.start),)

    def predictions(self, functional: nn.Module, known: Mapping[Snapshot, Tensor] = NONE_KNOWN) -> dict[str, Tensor]:
        """What a state says that the solid has references for, see :mod:`mlxc.observables.of_states`, by column.

        Args:
            functional: The functional.
            known: Energies at fixed densities, of which a state that is converged anew has no need.

        Raises:
            SolidError: the solid does not converge with this functional.
        """
        ground = converged(self.solid, functional, self.start, differentiate="implicit")
        if ground.adjoint is not None and self.tell is not None:
            ground.adjoint.monitor = partial(self.tell, self.solid.name)
        found: dict[str, Tensor] = {}
        for column, kind in targets_of("state").items():
            if not is_known(self.solid, column):
                continue
            value = kind.evaluate(ground, self.reference) if kind.is_distance else kind.evaluate(ground)
            if value is not None:
                found[column] = value
        return found


def converged(
    solid: Solid,
    xc: str | nn.Module,
    start: GroundState | Sequence[GroundState] = (),
    *,
    forces: bool = False,
    differentiate: Literal["implicit"] | None = None,
) -> GroundState:
    """The self-consistent state of a solid.

    Args:
        solid: The solid; one whose references include a gap is computed with fixed occupations.
        xc: The name of a functional, or a module that is one.
        start: A state to start from, or several.
        forces: Whether to compute forces as well.
        differentiate: The way to gradients of what is not an energy; None for none.

    Raises:
        SolidError: it does not converge.
    """
    settings: dict[str, Any] = {}
    if "gap_ev" in solid.references:
        settings = {"smearing": "none", "width_ha": None}
        if solid.calculation().spin:
            # With whole numbers of electrons in each spin the moment of an insulator cannot find its value.
            settings["total_moment"] = solid.references.get("magnetisation_bohr_magneton", 0.0)
    calculation = solid.calculation(tolerance=TOLERANCE, **settings)
    ground = run_calculation(calculation, start=start, xc=xc, forces=forces, differentiate=differentiate)
    if not ground.converged:
        raise SolidError(f"{solid.name}: {ground.message}")
    return ground
