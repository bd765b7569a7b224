"""The equation of state of one solid in snapshots, and what a functional makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from mlxc.atoms.free_atom import ANGLES, ELLS, OF_OTHERS, OF_SCF, OF_SPHERICAL, FreeAtomError, free_atom
from mlxc.atoms.shells import RADIUS
from mlxc.calculation.calculation import Calculation
from mlxc.calculation.volumes import states_at_volumes
from mlxc.crystal.resizing import natural_variation
from mlxc.errors import InputError, MlxcError
from mlxc.frozen.snapshot import NONE_KNOWN, Snapshot, energies_of
from mlxc.observables.catalogue import targets_of
from mlxc.observables.energy_curve import EnergyCurve
from mlxc.observables.observable import Source
from mlxc.properties.birch_murnaghan import BirchMurnaghan
from mlxc.pseudo.library import find_pseudopotentials
from mlxc.pseudo.make import make_pseudopotential
from mlxc.solids.known_quantities import reference_curve
from mlxc.solids.table import Solid
from mlxc.units import BOHR_ANG, HARTREE_EV
from mlxc.xc.catalogue import functional as functional_named
from mlxc.xc.identity import FunctionalIdentity, identity_of

# Volumes of an equation of state, or areas of a sheet, in units of that of the solid's crystal.
RATIOS = (0.91, 0.944, 0.978, 1.012, 1.046, 1.08, 1.114)
# Of the density; the error of the energy is of second order in it.
TOLERANCE = 1e-5


class SolidError(MlxcError):
    """A solid did not converge."""


@dataclass(frozen=True)
class SolidCurve:
    """Snapshots of one solid at several volumes.

    Attributes:
        solid: The solid whose snapshots they are.
        snapshots: The snapshots from the smallest to the largest volume; a rigid solid has a single one.
    """

    solid: Solid
    snapshots: tuple[Snapshot, ...]
    source: ClassVar[Source] = "curve"

    @property
    def functional(self) -> FunctionalIdentity | None:
        """The functional that has made the densities; None where a file of version 0.1.0 does not say."""
        return self.snapshots[0].functional

    def energies(self, functional: nn.Module, known: Mapping[Snapshot, Tensor] = NONE_KNOWN) -> Tensor:
        """F at each volume, hartree per cell, attached to the functional's parameters; see :func:`energies_of`."""
        return energies_of(self.snapshots, functional, known)

    def energy_curve(self, functional: nn.Module, known: Mapping[Snapshot, Tensor] = NONE_KNOWN) -> EnergyCurve:
        """The energies over the volumes, whose observables can be differentiated."""
        return self.curve_of(self.energies(functional, known))

    def curve_of(self, energies: Tensor) -> EnergyCurve:
        """Energies at each volume, hartree per cell, over the volumes."""
        return EnergyCurve(self.solid.crystal, [one.volume_ang3 for one in self.snapshots], energies * HARTREE_EV)

    def lowest_energy(self, functional: nn.Module, known: Mapping[Snapshot, Tensor] = NONE_KNOWN) -> Tensor:
        """F per cell at the equilibrium volume, electronvolt; of a rigid solid at its only one."""
        return self.lowest_of(self.energies(functional, known))

    def lowest_of(self, energies: Tensor) -> Tensor:
        """The same as :meth:`lowest_energy`, of energies at each volume, hartree per cell."""
        curve = self.curve_of(energies)
        return curve.energies_ev[0] if self.solid.rigid else curve.fit.energy0

    @cached_property
    def _reference(self) -> BirchMurnaghan | None:
        """The curve of the table, else that of the functional which teaches, at the same densities."""
        known = reference_curve(self.solid)
        if known is not None or not self.solid.teacher:
            return known
        with torch.no_grad():
            taught = self.energy_curve(functional_named(self.solid.teacher)).fit
        return BirchMurnaghan(*(float(value) for value in astuple(taught)))

    def predictions(self, functional: nn.Module, known: Mapping[Snapshot, Tensor] = NONE_KNOWN) -> dict[str, Tensor]:
        """What a curve says, see :mod:`mlxc.observables.of_curves`, by column, as far as the crystal has such things.

        A distance from a curve needs the reference of a complete one.

        Args:
            functional: The functional.
            known: Energies of snapshots with this functional, as far as they were computed before.

        Raises:
            FitError: the energies have no minimum between the smallest and the largest volume.
        """
        curve, reference = self.energy_curve(functional, known), self._reference
        found: dict[str, Tensor] = {}
        for column, kind in targets_of("curve").items():
            if kind.is_distance and reference is None:
                continue
            value = kind.evaluate(curve, reference) if kind.is_distance else kind.evaluate(curve)
            if value is not None:
                found[column] = value
        return found

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
    if solid.is_free_atom:
        return [RADIUS, ELLS, OF_SCF, OF_SPHERICAL, OF_OTHERS, ANGLES]
    # Nothing is said of volumes, so that what is stored of bulk crystals stays valid.
    vary = natural_variation(solid.crystal)
    return [ratios(solid), TOLERANCE, *([] if vary == "volume" else [vary])]


def compute_curve(solid: Solid, xc: str | nn.Module = "pbe") -> SolidCurve:
    """Converge a solid at every volume, each starting from those before.

    Args:
        solid: The solid to compute.
        xc: The name of a functional, or a module that is one.

    Raises:
        SolidError: a volume, or a free atom, did not converge.
        InputError: the solid cannot be computed, for want of a pseudopotential, for instance.
    """
    calculation = solid.calculation(tolerance=TOLERANCE)
    if solid.is_free_atom:
        return SolidCurve(solid, (_free_atom(solid, calculation, xc),))
    wanted = ratios(solid)
    snapshots = []
    for ratio, ground in zip(wanted, states_at_volumes(calculation.at_volumes(wanted), xc), strict=True):
        if not ground.converged:
            raise SolidError(f"{solid.name} at {ratio:g} times its volume: {ground.message}")
        snapshots.append(Snapshot.of(ground))
    return SolidCurve(solid, tuple(snapshots))


def _free_atom(solid: Solid, calculation: Calculation, xc: str | nn.Module) -> Snapshot:
    """What is stored of a free atom, with the cutoff and the pseudopotential of a calculation of its crystal."""
    module = functional_named(xc) if isinstance(xc, str) else xc
    name = xc if isinstance(xc, str) else calculation.xc
    (symbol,) = solid.crystal.species
    data = find_pseudopotentials((symbol,), calculation.pseudo, name, calculation.pseudo_names)[symbol]
    try:
        atom = free_atom(make_pseudopotential(data), module, calculation.ecut_ha, calculation.cutoff_smoothing_ha)
    except FreeAtomError as error:
        raise SolidError(str(error)) from None
    volume = solid.crystal.volume * BOHR_ANG**3
    return Snapshot(volume, atom.energy_ha - atom.energies["xc"], atom.ingredients, atom.volumes, identity_of(module))
