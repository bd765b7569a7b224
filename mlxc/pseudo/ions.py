"""The ions: where they are, and what the electrons see of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mlxc.crystal.crystal import Crystal
from mlxc.pseudo.protocol import Pseudopotential


@dataclass(frozen=True)
class Ions:
    """Nuclei with their core electrons.

    Attributes:
        species: Chemical symbols, one per ion.
        positions: Fractional coordinates, shape ``(nion, 3)``; energies are differentiable in them.
        pseudopotentials: The pseudopotentials by chemical symbol.
    """

    species: tuple[str, ...]
    positions: Tensor
    pseudopotentials: dict[str, Pseudopotential]

    @classmethod
    def of(
        cls, crystal: Crystal, pseudopotentials: dict[str, Pseudopotential], device: torch.device | str = "cpu"
    ) -> Ions:
        """The ions of a crystal."""
        positions = torch.tensor(crystal.positions, dtype=torch.float64, device=device)
        return cls(crystal.species, positions, pseudopotentials)

    @property
    def charges(self) -> list[int]:
        """Charge of each ion, which is the number of valence electrons that it brings."""
        return [self.pseudopotentials[symbol].charge for symbol in self.species]

    @property
    def nelectrons(self) -> int:
        """Valence electrons per cell."""
        return sum(self.charges)

    def positions_of(self, symbol: str) -> Tensor:
        """Positions of the ions of one element, shape ``(n, 3)``."""
        return self.positions[[i for i, s in enumerate(self.species) if s == symbol]]
