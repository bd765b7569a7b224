"""The equation of state of one solid in snapshots, and what a functional makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from mlxc.errors import InputError, MlxcError
from mlxc.properties.differentiable_fit import DifferentiableEquationOfState, differentiable_birch_murnaghan
from mlxc.scf.ground_state import GroundState
from mlxc.scf.loop import run_calculation
from mlxc.symmetry import cells_per_cube
from mlxc.training.snapshot import Snapshot
from mlxc.training.solids import Solid
from mlxc.units import EV_PER_ANG3_GPA, HARTREE_EV

# Volumes of an equation of state, in units of that of the solid's crystal.
RATIOS = (0.91, 0.944, 0.978, 1.012, 1.046, 1.08, 1.114)
# Of the density; the error of the energy is of second order in it.
TOLERANCE = 1e-5


class CurveError(MlxcError):
    """A volume of a solid did not converge."""


@dataclass(frozen=True)
class SolidCurve:
    """Snapshots of one solid at several volumes.

    Attributes:
        solid: whose they are.
        snapshots: from the smallest to the largest volume.
    """

    solid: Solid
    snapshots: tuple[Snapshot, ...]

    def energies(self, functional: nn.Module) -> Tensor:
        """F at each volume, hartree per cell, attached to the functional's parameters."""
        return torch.stack([snapshot.energy(functional) for snapshot in self.snapshots])

    def equation_of_state(self, functional: nn.Module) -> DifferentiableEquationOfState:
        """In electronvolt and cubic angstrom, per cell.

        Raises:
            FitError: the energies have no minimum between the smallest and the largest volume.
        """
        volumes = [snapshot.volume_ang3 for snapshot in self.snapshots]
        return differentiable_birch_murnaghan(volumes, self.energies(functional) * HARTREE_EV)

    def predictions(self, functional: nn.Module) -> dict[str, Tensor]:
        """``volume_ang3``, ``bulk_modulus_gpa`` and, for cubic solids, ``lattice_constant_ang``."""
        found = self.equation_of_state(functional)
        known = {"volume_ang3": found.volume0, "bulk_modulus_gpa": found.bulk_modulus * EV_PER_ANG3_GPA}
        if (cells := cells_per_cube(self.solid.crystal)) is not None:
            known["lattice_constant_ang"] = (cells * found.volume0) ** (1 / 3)
        return known

    def save(self, folder: Path) -> None:
        """Write the snapshots into a folder of their own."""
        folder.mkdir(parents=True, exist_ok=True)
        for index, snapshot in enumerate(self.snapshots):
            snapshot.save(folder / f"{index}.safetensors")

    @classmethod
    def load(cls, solid: Solid, folder: Path) -> SolidCurve | None:
        """What :meth:`save` wrote; None where it is missing, incomplete or damaged, and has to be computed again."""
        try:
            return cls(solid, tuple(Snapshot.load(folder / f"{index}.safetensors") for index in range(len(RATIOS))))
        except InputError:
            return None


def compute_curve(solid: Solid, xc: str | nn.Module = "pbe") -> SolidCurve:
    """Converge a solid at every volume, each starting from those before.

    Args:
        solid: to compute.
        xc: name of a functional, or a module that is one.

    Raises:
        CurveError: a volume did not converge.
        InputError: the solid cannot be computed, for want of a pseudopotential, for instance.
    """
    name, module = (xc, None) if isinstance(xc, str) else ("pbe", xc)
    calculation = solid.calculation(name, tolerance=TOLERANCE)
    states: list[GroundState] = []
    snapshots = []
    for ratio, scaled in zip(RATIOS, calculation.at_volumes(RATIOS), strict=True):
        ground = run_calculation(scaled, start=states, xc=module)
        if not ground.converged:
            raise CurveError(f"{solid.name} at {ratio:g} times its volume: {ground.message}")
        states = [*states[-2:], ground]
        snapshots.append(Snapshot.of(ground))
    return SolidCurve(solid, tuple(snapshots))
