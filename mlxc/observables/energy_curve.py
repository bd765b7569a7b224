"""Energies at several volumes as a differentiable function, and their fit. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.resizing import Variation, natural_variation
from mlxc.units import BOHR_ANG, HARTREE_EV

if TYPE_CHECKING:
    from torch import Tensor

    from mlxc.kohn_sham.solved_state import SolvedState
    from mlxc.properties.differentiable_fit import DifferentiableEquationOfState


@dataclass(frozen=True, eq=False)
class EnergyCurve:
    """Free energies of one crystal at several volumes, or areas of a sheet.

    Attributes:
        crystal: The crystal at any of the volumes.
        volumes_ang3: Volumes of the cell.
        energies_ev: F = E - TS per cell, shape ``(npoint,)``, attached to autograd.
    """

    crystal: Crystal
    volumes_ang3: Sequence[float]
    energies_ev: Tensor

    @classmethod
    def of_states(cls, states: Sequence[SolvedState]) -> EnergyCurve:
        """The curve through the energies of ground states."""
        import torch

        energies = torch.stack([state.energy for state in states]) * HARTREE_EV
        return cls(states[0].crystal, [state.crystal.volume * BOHR_ANG**3 for state in states], energies)

    @cached_property
    def varied(self) -> Variation:
        """What differs between the points: ``volume``, or ``area`` for a sheet."""
        return natural_variation(self.crystal)

    @cached_property
    def fit(self) -> DifferentiableEquationOfState:
        """The Birch-Murnaghan curve over the volumes of the cell, in electronvolt and cubic angstrom.

        Raises:
            FitError: the energies have no minimum between the smallest and the largest volume.
        """
        from mlxc.properties.differentiable_fit import differentiable_birch_murnaghan

        return differentiable_birch_murnaghan(self.volumes_ang3, self.energies_ev)

    @property
    def scatter(self) -> float:
        """How far the energies are from the fit, see :meth:`mlxc.properties.birch_murnaghan.BirchMurnaghan.scatter`."""
        from mlxc.properties.birch_murnaghan import BirchMurnaghan

        found = self.fit
        parameters = (found.energy0, found.volume0, found.bulk_modulus, found.bulk_modulus_derivative)
        curve = BirchMurnaghan(*(float(one.detach()) for one in parameters))
        return curve.scatter(self.volumes_ang3, self.energies_ev.detach().cpu().numpy())
