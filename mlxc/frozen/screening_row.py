"""What a functional makes of one solid at frozen densities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mlxc.errors import MlxcError
from mlxc.frozen.curve import SolidCurve
from mlxc.frozen.library import FrozenLibrary
from mlxc.frozen.self_consistency import percent_of_lattice_constant
from mlxc.frozen.snapshot import Snapshot
from mlxc.observables.energy_curve import EnergyCurve
from mlxc.observables.of_curves import bulk_modulus, lattice_constant
from mlxc.observables.of_energies import cohesive_energy
from mlxc.properties.birch_murnaghan import FitError
from mlxc.solids.error_statistics import error_percent
from mlxc.solids.table_values import reason_of
from mlxc.units import HARTREE_EV
from mlxc.xc.analysis.domain import outside_fractions, training_domains
from mlxc.xc.functional import declared_ingredients
from mlxc.xc.uncertainty import standard_deviation

# What functionals are judged by, and the unit that the names of fields and of references end with.
QUANTITIES = {"lattice_constant": "ang", "bulk_modulus": "gpa", "cohesive_energy": "ev"}
# F at the volumes of a solid with one functional, hartree per cell, or a sentence that says why there is none.
EnergiesOf = Callable[[str], Tensor | str]
# The share of electrons of a density where a functional has to guess.
OutsideOf = Callable[[nn.Module, Snapshot], float | None]
# Of the range of the energies: equations of state of solids leave less than a hundredth of it to their fit, whatever
# the functional; one that oscillates with the density leaves more than this.
LARGEST_SCATTER = 0.015
# Why a solid has no result, in two or three words.
NOT_EVALUATED, NO_NUMBER, NO_MINIMUM, NO_SOUND_FIT = "not evaluated", "no number", "no minimum", "no sound fit"


@dataclass(frozen=True)
class ScreeningRow:
    """One solid with one functional; what there is not is None.

    Attributes:
        functional: The name of the functional.
        solid: The name of the solid.
        lattice_constant_ang: The edge of the conventional cube, or the lattice vectors' length of a sheet, angstrom.
        lattice_constant_standard_deviation_ang: How uncertain it is, see :mod:`mlxc.xc.uncertainty`; None where nobody
            asked, or the functional carries no ensemble, as for the others.
        lattice_constant_error_percent: Its deviation from the reference.
        bulk_modulus_gpa: The bulk modulus at the equilibrium volume, gigapascal.
        bulk_modulus_standard_deviation_gpa: How uncertain it is.
        bulk_modulus_error_percent: Its deviation from the reference.
        energy_per_atom_ha: F per atom at equilibrium, hartree.
        cohesive_energy_ev: The energy of free atoms less that of the solid, electronvolt per atom.
        cohesive_energy_standard_deviation_ev: How uncertain it is.
        cohesive_energy_error_percent: Its deviation from the reference.
        self_consistency_percent: By how much a self-consistent lattice constant may differ, either way, see
            :mod:`mlxc.frozen.self_consistency`.
        outside_domain_fraction: The share of electrons, near equilibrium, where the functional is asked for what it has
            not seen in its training.
        message: Why something is missing; empty where nothing is.
        missing: The same in two or three words where the whole solid is.
    """

    functional: str
    solid: str
    lattice_constant_ang: float | None = None
    lattice_constant_standard_deviation_ang: float | None = None
    lattice_constant_error_percent: float | None = None
    bulk_modulus_gpa: float | None = None
    bulk_modulus_standard_deviation_gpa: float | None = None
    bulk_modulus_error_percent: float | None = None
    energy_per_atom_ha: float | None = None
    cohesive_energy_ev: float | None = None
    cohesive_energy_standard_deviation_ev: float | None = None
    cohesive_energy_error_percent: float | None = None
    self_consistency_percent: float | None = None
    outside_domain_fraction: float | None = None
    message: str = ""
    missing: str = ""

    def score(self, quantity: str) -> float | None:
        """The error of one of :data:`QUANTITIES` over its standard deviation; None without either."""
        unit = QUANTITIES[quantity]
        percent = getattr(self, f"{quantity}_error_percent")
        deviation = getattr(self, f"{quantity}_standard_deviation_{unit}")
        if percent is None or not deviation:
            return None
        value: float = getattr(self, f"{quantity}_{unit}")
        return (value - value / (1 + percent / 100)) / deviation


def energies_or_reason(module: nn.Module, evaluate: Callable[[nn.Module], Tensor]) -> Tensor | str:
    """F of some snapshots, hartree per cell, or a sentence that says why there is none.

    Args:
        module: The functional.
        evaluate: F of the snapshots with a functional.
    """
    try:
        return evaluate(module)
    except MlxcError as error:
        return str(error)
    except Exception as error:  # see above
        return f"The functional ended with {type(error).__name__}: {reason_of(error)}."


def screening_row(
    called: str,
    module: nn.Module,
    library: FrozenLibrary,
    curve: SolidCurve,
    energies_of: EnergiesOf,
    weight: float | None = None,
    outside: OutsideOf | None = None,
) -> ScreeningRow:
    """What a functional makes of one solid, with standard deviations where the energies are attached to its parameters.

    Args:
        called: How the functional is called.
        module: The functional.
        library: The densities, those of free atoms among them.
        curve: The solid.
        energies_of: F at the volumes of any solid of the library, hartree per cell, or why there is none.
        weight: What self-consistency may change, see :class:`~mlxc.frozen.self_consistency.SelfConsistencyEstimate`.
        outside: The share of electrons outside of what the functional has seen; :func:`outside_share` by default.
    """
    solid = curve.solid
    energies = energies_of(solid.name)
    if isinstance(energies, str):
        return without_result(called, solid.name, energies)
    bad = ~torch.isfinite(energies)
    if bool(bad.any()):
        return without_result(called, solid.name, _no_number(module, curve, int(bad.nonzero()[0])), NO_NUMBER)
    volumes = [snapshot.volume_ang3 for snapshot in curve.snapshots]
    points = EnergyCurve(solid.crystal, volumes, energies * HARTREE_EV)
    try:
        edge, modulus, lowest = lattice_constant(points), bulk_modulus(points), points.fit.energy0
    except FitError as error:
        return without_result(called, solid.name, str(error), NO_MINIMUM)
    if (scatter := points.scatter) > LARGEST_SCATTER:
        return without_result(called, solid.name, no_sound_fit(scatter), NO_SOUND_FIT)
    cohesive, message = _cohesive_energy(energies_of, library, curve, lowest)
    deviations = [_deviation(value, module) for value in (edge, modulus, cohesive)]
    near = curve.snapshots[int((torch.tensor(volumes) - points.fit.volume0).abs().argmin())]
    return ScreeningRow(
        functional=called,
        solid=solid.name,
        lattice_constant_ang=_number(edge),
        lattice_constant_standard_deviation_ang=deviations[0],
        lattice_constant_error_percent=error_percent(_number(edge), solid.references.get("lattice_constant_ang")),
        bulk_modulus_gpa=_number(modulus),
        bulk_modulus_standard_deviation_gpa=deviations[1],
        bulk_modulus_error_percent=error_percent(_number(modulus), solid.references.get("bulk_modulus_gpa")),
        energy_per_atom_ha=float(lowest.detach()) / HARTREE_EV / len(solid.crystal.species),
        cohesive_energy_ev=_number(cohesive),
        cohesive_energy_standard_deviation_ev=deviations[2],
        cohesive_energy_error_percent=error_percent(_number(cohesive), solid.references.get("cohesive_energy_ev")),
        self_consistency_percent=None
        if weight is None or modulus is None
        else percent_of_lattice_constant(weight, float(modulus.detach()), float(points.fit.volume0.detach())),
        outside_domain_fraction=(outside or outside_share)(module, near),
        message=message,
    )


def without_result(called: str, solid: str, message: str, missing: str = NOT_EVALUATED) -> ScreeningRow:
    """The row of a solid of which a functional gives nothing.

    Args:
        called: How the functional is called.
        solid: The name of the solid.
        message: Why there is nothing.
        missing: The same in two or three words.
    """
    return ScreeningRow(called, solid, message=message, missing=missing)


def no_sound_fit(scatter: float) -> str:
    """What is said of energies that lie on no equation of state.

    Args:
        scatter: How far they are from the fit, as a share of their range.
    """
    return (
        f"No sound fit: the energies are {100 * scatter:.0f} % of their range away from the equation of state "
        "through them, so that its lattice constant and its modulus mean nothing."
    )


def _number(value: Tensor | None) -> float | None:
    return None if value is None else float(value.detach())


def _deviation(value: Tensor | None, module: nn.Module) -> float | None:
    """How uncertain a value is; None where it is not attached to the functional's parameters."""
    return None if value is None or not value.requires_grad else standard_deviation(value, module)


def _no_number(module: nn.Module, curve: SolidCurve, index: int) -> str:
    """Where a functional gives no number: the largest density of which that is so."""
    snapshot = curve.snapshots[index]
    names = declared_ingredients(module)
    values = module(**{name: snapshot.ingredients[name] for name in names})
    densities = snapshot.ingredients["rho"].sum(0)[~torch.isfinite(values)]
    where = f" at {float(densities.max()):.3g} electrons/bohr^3" if len(densities) else ""
    return f"The functional's energy is not a finite number{where}."


def _cohesive_energy(
    energies_of: EnergiesOf, library: FrozenLibrary, curve: SolidCurve, lowest_ev: Tensor
) -> tuple[Tensor | None, str]:
    """The cohesive energy per atom, electronvolt, and why there is none where atoms are there."""
    try:
        difference = library.difference(curve.solid.name)
        if difference is None:
            return None, ""
        for name, count in curve.solid.relative_to.items():
            energies = energies_of(name)
            if isinstance(energies, str):
                return None, energies
            lowest_ev = lowest_ev - count * difference.others[name].lowest_of(energies)
    except MlxcError as error:
        return None, str(error)
    value = cohesive_energy(lowest_ev, len(curve.solid.crystal.species))
    finite = bool(torch.isfinite(value))
    return (value, "") if finite else (None, "The functional gives no number for a free atom.")


def outside_share(module: nn.Module, snapshot: Snapshot) -> float | None:
    """The share of electrons where a functional is asked for what it has not seen; None where that is not known."""
    domains = training_domains(module)
    if not domains:
        return None
    seen = {name: snapshot.ingredients[name] for name in declared_ingredients(module)}
    return outside_fractions(domains, seen, snapshot.volumes)["electrons"]
