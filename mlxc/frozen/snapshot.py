"""A converged state reduced to what its XC energy is made of: energies of other functionals at the same density.

F is stationary in the orbitals, so to first order in the change of the potential the free energy with another
functional is F - E_xc[n] + E_xc'[n]. Hartree, ion and kinetic terms stay fixed while the functional learns, as in the
hybrid loss of arXiv 2602.15923; with the snapshot's own functional both energy and gradient are exact.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from mlxc.errors import InputError
from mlxc.kohn_sham.state import GroundState
from mlxc.units import BOHR_ANG
from mlxc.utils.replacing import replacing
from mlxc.xc.functional import INGREDIENTS, declared_ingredients
from mlxc.xc.identity import FunctionalIdentity

METADATA_KEY = "functional"
# Where no energies are known before they are asked for.
NONE_KNOWN: Mapping[Snapshot, Tensor] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A density and the energy around it; each is equal to itself alone.

    Attributes:
        volume_ang3: The volume of the cell.
        rest_ha: F - E_xc per cell.
        ingredients: ``rho``, ``grad`` and ``tau`` at points that are not equivalent, see :mod:`mlxc.xc.functional`.
        volumes: The volume that each point stands for, bohr^3, shape ``(npoint,)``.
        functional: The functional that has made the density; None where a file of version 0.1.0 does not say.
    """

    volume_ang3: float
    rest_ha: float
    ingredients: dict[str, Tensor]
    volumes: Tensor
    functional: FunctionalIdentity | None = None

    @classmethod
    def of(cls, ground: GroundState) -> Snapshot:
        """The snapshot of a converged state.

        Raises:
            InputError: it has not converged.
        """
        problem = ground.problem
        if not ground.converged:
            raise InputError(f"There is no snapshot of a state that has not converged. {ground.message}")
        with torch.no_grad():
            ingredients, volumes = problem.xc.points(problem.xc.all_fields(ground.orbitals, ground.occupations))
        rest = sum(ground.energies.values()) - ground.energies["xc"]
        return cls(ground.crystal.volume * BOHR_ANG**3, rest, ingredients, volumes, ground.functional)

    def xc_energy(self, functional: nn.Module) -> Tensor:
        """E_xc per cell at this density, hartree, attached to the functional's parameters."""
        wanted = {name: self.ingredients[name] for name in declared_ingredients(functional)}
        energy: Tensor = (functional(**wanted) * self.volumes).sum()
        return energy

    def energy(self, functional: nn.Module) -> Tensor:
        """F per cell, hartree."""
        return self.rest_ha + self.xc_energy(functional)

    def save(self, path: Path) -> None:
        """Write a safetensors file, replacing it at once when it is complete."""
        numbers = torch.tensor([self.volume_ang3, self.rest_ha], dtype=torch.float64)
        tensors = self.ingredients | {"volumes": self.volumes, "numbers": numbers}
        with replacing(path) as temporary:
            contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
            temporary.write_bytes(safetensors.torch.save(contiguous, self._metadata()))

    def _metadata(self) -> dict[str, str]:
        return {} if self.functional is None else {METADATA_KEY: json.dumps(self.functional.to_dict())}

    @classmethod
    def load(cls, path: Path) -> Snapshot:
        """Read what :meth:`save` wrote.

        Raises:
            InputError: the file is damaged.
        """
        try:
            with safe_open(path, framework="pt") as file:
                tensors = {name: file.get_tensor(name) for name in (*INGREDIENTS, "volumes", "numbers")}
                described = (file.metadata() or {}).get(METADATA_KEY)
        except (SafetensorError, OSError):
            raise InputError(f"{path} is missing or damaged: it is no snapshot.") from None
        volume, rest = tensors.pop("numbers").tolist()
        volumes = tensors.pop("volumes")
        functional = None if described is None else FunctionalIdentity(**json.loads(described))
        return cls(volume, rest, tensors, volumes, functional)


def energies_of(snapshots: Sequence[Snapshot], functional: nn.Module, known: Mapping[Snapshot, Tensor]) -> Tensor:
    """F of each snapshot, hartree per cell, shape ``(nsnapshot,)``.

    Args:
        snapshots: The snapshots.
        functional: The functional.
        known: The energies that were computed before, with the same functional.
    """
    return torch.stack([known[one] if one in known else one.energy(functional) for one in snapshots])
