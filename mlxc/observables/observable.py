"""What there is to say of an observable. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from mlxc.crystal.crystal import Crystal

# What the name of a column may end with.
COLUMN_UNITS = ("_ang3", "_ang2", "_ang", "_gpa", "_n_per_m", "_mev", "_ev", "_bohr_magneton", "_percent", "_ha_bohr")

Source = Literal["energy", "curve", "difference", "orders", "state"]


@dataclass(frozen=True)
class Observable:
    """Something that a calculation says of a crystal, as a differentiable function of the functional's parameters.

    Attributes:
        name: The word for it, for instance on the command line.
        title: The same in words that say exactly what it is.
        unit: Its unit in words.
        source: What it follows from: the free ``energy`` of one state; energies at several volumes, a ``curve``; a
            ``difference`` of energies; the energies of two magnetic ``orders`` of one cell; or a self-consistent
            ``state``. All but the last are variational: their first derivatives need no response of the density.
        evaluate: The function that computes it, in its unit, as a tensor without dimensions attached to autograd; None
            where a crystal has no such thing. It takes a ground state for the source ``energy`` or ``state``; an
            :class:`~mlxc.observables.energy_curve.EnergyCurve` for ``curve``; the difference per cell, electronvolt,
            and the number of atoms for ``difference``; both energies per cell, hartree, that of the given moments
            first, and the number of atoms for ``orders``; and, if it is a distance, also what it is measured from.
        column: Its name in results and in tables of solids, which ends with the unit; None where it is in none.
        relative: Whether errors are relative, and in percent, or in the unit.
        scale: The error that counts as one, in percent or in the unit.
        is_distance: Whether it measures how far two curves or densities are apart, so that the reference value is zero.
        is_target: Whether a functional can be trained with it.
        hint: What it is, for people who do not know the name; empty where everybody does.
        loss_label: What it is called in a list of losses to differentiate; empty where it is no such loss.
        needs_fixed_occupations: Whether it has a gradient with fixed occupations only.
        needs_spin: Whether only a spin-polarised calculation has it.
        held_by: The setting that would hold it at a value, or the moments that it is about, so that it has no gradient;
            empty where none does.
        check_crystal: A function that raises an :class:`~mlxc.InputError` for a crystal that has no such thing.
    """

    name: str
    title: str
    unit: str
    source: Source
    evaluate: Callable[..., Any]
    column: str | None = None
    relative: bool = False
    scale: float = 1.0
    is_distance: bool = False
    is_target: bool = False
    hint: str = ""
    loss_label: str = ""
    needs_fixed_occupations: bool = False
    needs_spin: bool = False
    held_by: str = ""
    check_crystal: Callable[[Crystal], None] = lambda crystal: None

    @property
    def deviation_column(self) -> str | None:
        """The name of its standard deviation in results, which ends with the unit too; None where it is in none."""
        if self.column is None:
            return None
        unit = next((unit for unit in COLUMN_UNITS if self.column.endswith(unit)), "")
        return f"{self.column.removesuffix(unit)}_standard_deviation{unit}"

    @property
    def is_variational(self) -> bool:
        """Whether it follows from energies alone."""
        return self.source != "state"

    @property
    def words(self) -> str:
        """The name in a sentence."""
        return self.name.replace("_", " ")
