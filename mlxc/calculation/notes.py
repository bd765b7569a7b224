"""What a person should know of a calculation before it runs, beyond what is wrong with it. Imports no torch."""

from __future__ import annotations

from mlxc.calculation.settings import CalculationSettings
from mlxc.crystal.magnetism import moments_by_element, often_magnetic


def notes(calculation: CalculationSettings) -> list[str]:
    """Sentences about what was chosen for a person, and about what may be wrong with what the person chose."""
    return [sentence for sentence in (spin_note(calculation), basis_note(calculation)) if sentence]


def basis_note(calculation: CalculationSettings) -> str:
    """What may be wrong with the basis, see :meth:`~mlxc.basis.kind.BasisKind.note`; empty if nothing is."""
    return calculation.basis_kind.note(calculation.crystal, calculation.model_dump())


def spin_note(calculation: CalculationSettings) -> str:
    """Which moments the atoms start with, or that spin is off where it is often needed; empty if neither is so."""
    crystal = calculation.crystal
    if not calculation.spin:
        elements = " and ".join(often_magnetic(crystal.species))
        return f"Spin is off, though crystals with {elements} are often magnetic." if elements else ""
    if crystal.moments.any():
        return ""
    chosen = dict(zip(crystal.species, moments_by_element(crystal.species), strict=True))
    starts = ", ".join(f"{symbol} {moment:g}" for symbol, moment in chosen.items())
    return f"Spin is on; each atom starts with the usual moment of its element (Bohr magneton: {starts})."
