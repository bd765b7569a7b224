"""The equation of state of one solid in snapshots, and what a functional makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from mlxc.calculation.volumes import states_at_volumes
from mlxc.crystal.resizing import lattice_constant, natural_variation
from mlxc.errors import InputError, MlxcError
from mlxc.properties.differentiable_fit import differentiable_birch_murnaghan
from mlxc.training.quantities import Source
from mlxc.training.solids import Solid
from mlxc.training.subjects.snapshot import Snapshot
from mlxc.training.tables.known_quantities import reference_curve
from mlxc.units import EV_PER_ANG3_GPA, HARTREE_EV

# Volumes of an equation of state, or areas of a sheet, in units of that of the solid's crystal.
RATIOS = (0.91, 0.944, 0.978, 1.012, 1.046, 1.08, 1.114)
# Of the density; the error of the energy is of second order in it.
TOLERANCE = 1e-5
MILLI = 1e-3
# Keeps the slope of a square root finite.
TINY = 1e-24


class SolidError(MlxcError):
    """A solid did not converge."""


@dataclass(frozen=True)
class SolidCurve:
    """Snapshots of one solid at several volumes.

    Attributes:
        solid: whose they are.
        snapshots: from the smallest to the largest volume; of a rigid solid a single one.
    """

    solid: Solid
    snapshots: tuple[Snapshot, ...]
    source: ClassVar[Source] = "curve"

    def energies(self, functional: nn.Module) -> Tensor:
        """F at each volume, hartree per cell, attached to the functional's parameters."""
        return torch.stack([snapshot.energy(functional) for snapshot in self.snapshots])

    def lowest_energy(self, functional: nn.Module) -> Tensor:
        """F per cell at the equilibrium volume, electronvolt; of a rigid solid at its only one."""
        energies = self.energies(functional) * HARTREE_EV
        if self.solid.rigid:
            return energies[0]
        return differentiable_birch_murnaghan([snapshot.volume_ang3 for snapshot in self.snapshots], energies).energy0

    def predictions(self, functional: nn.Module) -> dict[str, Tensor]:
        """``volume_ang3``, ``bulk_modulus_gpa`` and, for cubic solids, ``lattice_constant_ang``.

        A sheet, whose volumes differ in the area alone, has no bulk modulus; its lattice constant is that in the plane,
        if it is hexagonal or square. Where the reference of a curve is complete, ``energy_curve_mev`` as well.

        Raises:
            FitError: the energies have no minimum between the smallest and the largest volume.
        """
        energies = self.energies(functional) * HARTREE_EV
        volumes = [snapshot.volume_ang3 for snapshot in self.snapshots]
        found = differentiable_birch_murnaghan(volumes, energies)
        known, vary = {"volume_ang3": found.volume0}, natural_variation(self.solid.crystal)
        if vary == "volume":
            known["bulk_modulus_gpa"] = found.bulk_modulus * EV_PER_ANG3_GPA
        if (edge := lattice_constant(self.solid.crystal, found.volume0, vary)) is not None:
            known["lattice_constant_ang"] = edge
        if (reference := reference_curve(self.solid)) is not None:
            change = energies - torch.tensor(reference(np.array(volumes)))
            deviation = (change - change.mean()) / len(self.solid.crystal.species) / MILLI
            known["energy_curve_mev"] = root_mean_square(deviation)
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
            files = [folder / f"{index}.safetensors" for index in range(len(ratios(solid)))]
            return cls(solid, tuple(Snapshot.load(file) for file in files))
        except InputError:
            return None


def ratios(solid: Solid) -> tuple[float, ...]:
    """The volumes of a solid's curve in units of that of its crystal."""
    return (1.0,) if solid.rigid else RATIOS


def protocol(solid: Solid) -> list[Any]:
    """What a curve depends on besides the solid and the functional, as plain data."""
    # Nothing is said of volumes, so that what is stored of bulk crystals stays valid.
    vary = natural_variation(solid.crystal)
    return [ratios(solid), TOLERANCE, *([] if vary == "volume" else [vary])]


def root_mean_square(values: Tensor) -> Tensor:
    """With a gradient everywhere."""
    return (values.square().mean() + TINY).sqrt()


def compute_curve(solid: Solid, xc: str | nn.Module = "pbe") -> SolidCurve:
    """Converge a solid at every volume, each starting from those before.

    Args:
        solid: to compute.
        xc: name of a functional, or a module that is one.

    Raises:
        SolidError: a volume did not converge.
        InputError: the solid cannot be computed, for want of a pseudopotential, for instance.
    """
    name, module = (xc, None) if isinstance(xc, str) else ("pbe", xc)
    calculation = solid.calculation(name, tolerance=TOLERANCE)
    wanted = ratios(solid)
    snapshots = []
    for ratio, ground in zip(wanted, states_at_volumes(calculation.at_volumes(wanted), module), strict=True):
        if not ground.converged:
            raise SolidError(f"{solid.name} at {ratio:g} times its volume: {ground.message}")
        snapshots.append(Snapshot.of(ground))
    return SolidCurve(solid, tuple(snapshots))
