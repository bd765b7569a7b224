"""What a person should know of a calculation before it runs, beyond what is wrong with it. Imports no torch."""

from __future__ import annotations

import numpy as np

from mlxc.calculation.settings import CalculationSettings
from mlxc.crystal.magnetism import moments_by_element, often_magnetic
from mlxc.units import BOHR_ANG


def notes(calculation: CalculationSettings) -> list[str]:
    """Sentences about what was chosen for a person, and about what may be wrong with what the person chose."""
    sentences = (cell_note(calculation), spin_note(calculation), basis_note(calculation))
    return [sentence for sentence in sentences if sentence]


def cell_note(calculation: CalculationSettings) -> str:
    """Which cell is computed in the place of the one that was given, and with which k mesh; empty if it is that one."""
    cell = calculation.given_cell
    if cell is None:
        return ""
    *others, last = (f"{length:.3f}" for length in np.linalg.norm(calculation.crystal.lattice, axis=1) * BOHR_ANG)
    sentence = (
        "The given cell is very skewed; computed is the same crystal, not turned, in a cell with vectors of "
        f"{', '.join(others)} and {last} angstrom: energies, forces and stress are the same"
    )
    if cell.kmesh is None:
        return f"{sentence}."
    given, own = (" x ".join(map(str, mesh)) for mesh in (cell.kmesh, calculation.kmesh))
    what = "the same k points" if cell.same_kpoints else "as many k points or more, none of its meshes having the same"
    return f"{sentence}. The k mesh {given} is that of the given cell; {own} in the computed one has {what}."


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
