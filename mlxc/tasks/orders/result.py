"""What the magnetic orders of a crystal come to. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlxc.crystal.magnetic_orders import MagneticOrder
from mlxc.crystal.magnetism import changed_order
from mlxc.units import HARTREE_EV

if TYPE_CHECKING:
    from mlxc.kohn_sham.solved_state import SolvedState

HARTREE_MEV = 1000 * HARTREE_EV
ARROWS = {1: "↑", -1: "↓", 0: ""}


@dataclass(frozen=True)
class OrderedStates:
    """The orders of a crystal with their energies.

    Attributes:
        rows: What is known of each order, as plain data, see :meth:`summary`.
        lowest: The state of the order of lowest energy.
        kmesh: The k mesh of the given cell whose points all orders have.
        seconds: The time of all orders together.
        calculation: The settings, as plain data.
    """

    rows: Sequence[Mapping[str, Any]]
    lowest: SolvedState
    kmesh: tuple[int, int, int]
    seconds: float
    calculation: dict[str, Any]

    @property
    def converged(self) -> bool:
        """Whether all orders have converged."""
        return not self.message

    @property
    def message(self) -> str:
        """One sentence that names the orders that have not converged; empty if all have."""
        left = [row["name"] for row in self.rows if not row["converged"]]
        return f"{len(left)} of {len(self.rows)} orders did not converge: {', '.join(left)}." if left else ""

    def summary(self) -> dict[str, Any]:
        """The result as plain data, the JSON object of the command line; what is not computed is None.

        Each of ``orders`` has ``name``, ``kind``, ``multiplicity``, ``cells`` and ``natoms`` of its supercell,
        ``structure`` with the moments that it started from, ``kmesh``, ``signs`` by atom, the same as a ``pattern`` in
        text, ``free_energy_per_atom_ha``, ``relative_mev_per_atom`` above the ground order,
        ``magnetisation_bohr_magneton`` per given cell, ``moments`` by atom, Bohr magneton,
        ``mean_moments_bohr_magneton``, the mean size by magnetic element, ``gap_ev`` of the k mesh, ``converged``,
        ``message``, ``iterations``, and ``became``: what it turned into where it did not stay what it was, else None.
        """
        found = ground(self.rows)
        return {
            "converged": self.converged,
            "message": self.message,
            "orders": [dict(row) for row in with_relative_energies(self.rows)],
            "ground": None if found is None else found["name"],
            "kmesh": list(self.kmesh),
            "seconds": self.seconds,
            "calculation": self.calculation,
        }


def pattern_of(species: Sequence[str], signs: Sequence[int]) -> str:
    """An order as text, such as ``Mn↑ O Mn↓ O``."""
    return " ".join(f"{symbol}{ARROWS[sign]}" for symbol, sign in zip(species, signs, strict=True))


def became(order: MagneticOrder, moments: Sequence[float] | None) -> str | None:
    """What an order has turned into in its self-consistent field; None if it has stayed what it was.

    Args:
        order: The order from which the field started.
        moments: The moments of the atoms of its supercell, Bohr magneton; None without spin polarisation.
    """
    return None if moments is None else changed_order(order.signs.ravel().tolist(), moments)


def ground(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The row of lowest energy among the orders that converged and stayed what they were; None if there is none."""
    kept = [row for row in rows if row["converged"] and row["became"] is None]
    return min(kept, key=lambda row: row["free_energy_per_atom_ha"], default=None)


def with_relative_energies(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows with their energies above that of the ground order, meV per atom; None where there is no such order."""
    found = ground(rows)
    if found is None:
        return [{**row, "relative_mev_per_atom": None} for row in rows]
    zero = found["free_energy_per_atom_ha"]
    return [{**row, "relative_mev_per_atom": (row["free_energy_per_atom_ha"] - zero) * HARTREE_MEV} for row in rows]
