"""A converged state reduced to what its XC energy is made of: energies of other functionals at the same density.

F is stationary in the orbitals, so to first order in the change of the potential the free energy with another
functional is F - E_xc[n] + E_xc'[n]. Hartree, ion and kinetic terms stay fixed while the functional learns, as in the
hybrid loss of arXiv 2602.15923; with the snapshot's own functional both energy and gradient are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from mlxc.errors import InputError
from mlxc.kohn_sham.state import GroundState
from mlxc.units import BOHR_ANG
from mlxc.utils.replacing import replacing
from mlxc.xc.functional import INGREDIENTS, declared_ingredients


@dataclass(frozen=True)
class Snapshot:
    """A density and the energy around it.

    Attributes:
        volume_ang3: of the cell.
        rest_ha: F - E_xc per cell.
        ingredients: ``rho``, ``grad`` and ``tau`` at points that are not equivalent, see :mod:`mlxc.xc.functional`.
        volumes: that each point stands for, bohr^3, shape ``(npoint,)``.
    """

    volume_ang3: float
    rest_ha: float
    ingredients: dict[str, Tensor]
    volumes: Tensor

    @classmethod
    def of(cls, ground: GroundState) -> Snapshot:
        """Of a converged state that was computed in this process.

        Raises:
            InputError: it has not converged, or was read from a file.
        """
        problem = ground.problem
        if problem is None or not ground.converged:
            raise InputError(f"There is no snapshot of a state that has not converged. {ground.message}")
        with torch.no_grad():
            ingredients, volumes = problem.xc.points(problem.xc.all_fields(ground.orbitals, ground.occupations))
        rest = sum(ground.energies.values()) - ground.energies["xc"]
        return cls(ground.crystal.volume * BOHR_ANG**3, rest, ingredients, volumes)

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
            temporary.write_bytes(safetensors.torch.save(contiguous))

    @classmethod
    def load(cls, path: Path) -> Snapshot:
        """Read what :meth:`save` wrote.

        Raises:
            InputError: the file is damaged.
        """
        try:
            with safe_open(path, framework="pt") as file:
                tensors = {name: file.get_tensor(name) for name in (*INGREDIENTS, "volumes", "numbers")}
        except (SafetensorError, OSError):
            raise InputError(f"{path} is missing or damaged: it is no snapshot.") from None
        volume, rest = tensors.pop("numbers").tolist()
        volumes = tensors.pop("volumes")
        return cls(volume, rest, tensors, volumes)
