"""What a person should know of a calculation before it runs, beyond what is wrong with it. Imports no torch."""

from __future__ import annotations

from mlxc.calculation.settings import CalculationSettings
from mlxc.crystal.magnetism import moments_by_element, often_magnetic


def notes(calculation: CalculationSettings) -> list[str]:
    """Sentences about what was chosen for a person, and about what may be wrong with what the person chose."""
    told = (_spin_note(calculation), calculation.basis_kind.note(calculation.crystal, calculation.model_dump()))
    return [sentence for sentence in told if sentence]


def _spin_note(calculation: CalculationSettings) -> str:
    crystal = calculation.crystal
    if not calculation.spin:
        elements = " and ".join(often_magnetic(crystal.species))
        return f"Spin is off, though crystals with {elements} are often magnetic." if elements else ""
    if crystal.moments.any():
        return ""
    chosen = dict(zip(crystal.species, moments_by_element(crystal.species), strict=True))
    starts = ", ".join(f"{symbol} {moment:g}" for symbol, moment in chosen.items())
    return f"Spin is on; each atom starts with the usual moment of its element (Bohr magneton: {starts})."
