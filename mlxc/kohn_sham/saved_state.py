"""A self-consistent state that was read from a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor

from mlxc.basis.hamiltonian import EffectivePotential
from mlxc.basis.kinds import saved_settings
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.errors import InputError
from mlxc.kohn_sham.monitor import SCFRecord
from mlxc.kohn_sham.solved_state import VOIGT, Course, Electrons, SolvedState
from mlxc.results.state_file import read_state
from mlxc.xc.identity import FunctionalIdentity


@dataclass(frozen=True, eq=False, kw_only=True)
class SavedState(SolvedState):
    """What a file holds of a state: it can be looked at, and other calculations can start from it.

    It has no gradients, and nothing that needs the Hamiltonian can be computed from it.

    Attributes:
        stored_summary: The result as plain data, as it was written.
    """

    stored_summary: dict[str, Any] = field(repr=False)

    @property
    def problem(self) -> NoReturn:
        """A state that was read from a file has no Kohn-Sham problem.

        Raises:
            InputError: always.
        """
        self._refuse()

    @property
    def smearing(self) -> NoReturn:
        """The smearing belongs to the problem; its name and width are in ``calculation``.

        Raises:
            InputError: always.
        """
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise InputError(
            "Forces, bands, levels and gradients need the Hamiltonian, which a result that was read from a file does "
            "not hold: compute it, with start= from this result."
        )

    def summary(self) -> dict[str, Any]:
        """The result as plain data, the JSON object of the command line, as it was written."""
        return self.stored_summary

    @classmethod
    def load(cls, path: str | Path) -> SavedState:
        """Read what :meth:`~mlxc.kohn_sham.solved_state.SolvedState.save` wrote.

        Raises:
            InputError: the file is missing, damaged, or no such file.
        """
        contents = read_state(path)
        summary = contents.summary
        tensors = {name: torch.tensor(values) for name, values in contents.arrays.items()}
        functional = summary.get("functional")
        return cls(
            crystal=contents.crystal,
            basis=saved_settings(contents.basis).discretise(contents.crystal, contents.kpoints, SpaceGroup.identity()),
            energy=torch.tensor(summary["free_energy_ha"], dtype=torch.float64),
            energies=summary["energies_ha"],
            electrons=Electrons(
                density=tensors["density"],
                density_gradient=tensors.get("density_gradient"),
                kinetic_density=tensors.get("kinetic_density"),
                potential=EffectivePotential(
                    tensors["potential"], tensors.get("gradient_potential"), tensors.get("kinetic_potential")
                ),
                eigenvalues=tensors["eigenvalues"],
                occupations=tensors["occupations"],
                orbitals=tensors["orbitals"],
                fermi_levels=contents.fermi_levels,
                magnetisation=summary["magnetisation_bohr_magneton"],
            ),
            course=Course(
                history=[SCFRecord(**record) for record in contents.history],
                seconds=summary["seconds"],
                converged=summary["converged"],
                message=summary["message"],
            ),
            calculation=summary["calculation"],
            functional=functional and FunctionalIdentity(**functional),
            pseudopotentials=summary.get("pseudopotentials", {}),
            forces=_tensor(summary["forces_ha_bohr"]),
            net_force=_tensor(summary.get("net_force_ha_bohr")),
            stress=_from_voigt(summary["stress_ha_bohr3"]),
            atomic_moments=_tensor(summary.get("atomic_moments_bohr_magneton")),
            uncertainty=summary.get("uncertainty"),
            outside_training_domain=summary.get("outside_training_domain"),
            stored_summary=summary,
        )


def _tensor(values: list[Any] | None) -> Tensor | None:
    return None if values is None else torch.tensor(values, dtype=torch.float64)


def _from_voigt(components: list[float] | None) -> Tensor | None:
    if components is None:
        return None
    tensor = torch.zeros(3, 3, dtype=torch.float64)
    for (i, j), value in zip(VOIGT, components, strict=True):
        tensor[i, j] = tensor[j, i] = value
    return tensor
