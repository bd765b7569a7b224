"""Functionals compared at frozen densities: lattice constants, moduli and cohesive energies of many solids in seconds.

F is stationary in the orbitals, so what a self-consistent calculation with another functional would change is of second
order in the difference of the potentials; see :mod:`mlxc.frozen.snapshot`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn

from mlxc.errors import InputError, MlxcError
from mlxc.frozen.batch import Batch
from mlxc.frozen.curve import SolidCurve
from mlxc.frozen.library import FrozenLibrary
from mlxc.frozen.self_consistency import SelfConsistencyEstimate, percent_of_lattice_constant
from mlxc.frozen.snapshot import Snapshot
from mlxc.observables.energy_curve import EnergyCurve
from mlxc.observables.of_curves import bulk_modulus, lattice_constant
from mlxc.observables.of_energies import cohesive_energy
from mlxc.properties.birch_murnaghan import FitError
from mlxc.solids.error_statistics import error_percent, statistics
from mlxc.solids.table_values import reason_of
from mlxc.units import HARTREE_EV
from mlxc.xc.analysis.domain import outside_fractions, training_domains
from mlxc.xc.catalogue import check_name
from mlxc.xc.catalogue import functional as functional_named
from mlxc.xc.functional import declared_ingredients
from mlxc.xc.identity import identity_of


@dataclass(frozen=True)
class ScreeningRow:
    """One solid with one functional; what there is not is None.

    Attributes:
        functional: The name of the functional.
        solid: The name of the solid.
        lattice_constant_ang: The edge of the conventional cube, or the lattice vectors' length of a sheet, angstrom.
        lattice_constant_error_percent: Its deviation from the reference.
        bulk_modulus_gpa: The bulk modulus at the equilibrium volume, gigapascal.
        bulk_modulus_error_percent: Its deviation from the reference.
        energy_per_atom_ha: F per atom at equilibrium, hartree.
        cohesive_energy_ev: The energy of free atoms less that of the solid, electronvolt per atom.
        self_consistency_percent: By how much a self-consistent lattice constant may differ, either way, see
            :mod:`mlxc.frozen.self_consistency`.
        outside_domain_fraction: The share of electrons, near equilibrium, where the functional is asked for what it has
            not seen in its training.
        message: Why something is missing; empty where nothing is.
    """

    functional: str
    solid: str
    lattice_constant_ang: float | None = None
    lattice_constant_error_percent: float | None = None
    bulk_modulus_gpa: float | None = None
    bulk_modulus_error_percent: float | None = None
    energy_per_atom_ha: float | None = None
    cohesive_energy_ev: float | None = None
    self_consistency_percent: float | None = None
    outside_domain_fraction: float | None = None
    message: str = ""


@dataclass(frozen=True)
class Screening:
    """Many solids with several functionals.

    Attributes:
        rows: The rows, those of one functional after those of another.
        identities: The content hash of each functional by its name.
        library: The hash of the library.
        density_functional: The name of the functional that has made the densities.
        seconds: The time that it took, reading the library included.
    """

    rows: tuple[ScreeningRow, ...]
    identities: Mapping[str, str]
    library: str
    density_functional: str
    seconds: float

    @property
    def summary(self) -> dict[str, dict[str, Any]]:
        """The number, mean, mean absolute and largest error of lattice constants in percent, by functional.

        The same of bulk moduli stands there as ``bulk_modulus``.
        """
        edges, moduli = self.errors("lattice_constant"), self.errors("bulk_modulus")
        return {name: statistics(edges[name]) | {"bulk_modulus": statistics(moduli[name])} for name in self.identities}

    def errors(self, quantity: str) -> dict[str, dict[str, float]]:
        """The errors of ``lattice_constant`` or ``bulk_modulus`` in percent, by functional and solid."""
        found: dict[str, dict[str, float]] = {name: {} for name in self.identities}
        for row in self.rows:
            error = getattr(row, f"{quantity}_error_percent")
            if error is not None:
                found[row.functional][row.solid] = error
        return found

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        own = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "rows"}
        return {"rows": [asdict(row) for row in self.rows], "summary": self.summary} | own


def screen(
    functionals: Sequence[str | nn.Module],
    library: FrozenLibrary | None = None,
    *,
    solids: Sequence[str] | None = None,
    on_row: Callable[[ScreeningRow], None] | None = None,
) -> Screening:
    """Evaluate functionals at the densities of a library.

    What goes wrong with one solid or one functional, a file that is damaged, a functional that gives no number or has
    no minimum, stands in its rows; the others stay.

    Args:
        functionals: Names, files of checkpoints, weighted sums, or modules.
        library: The densities; by default those that come with mlxc.
        solids: Names of solids of the library that have an equation of state; all by default.
        on_row: A function that is told each row when it is there.

    Raises:
        InputError: there is no functional, one is not known, two have the same name, or a solid is not in the library.
    """
    started = time.perf_counter()
    library = FrozenLibrary() if library is None else library
    names = library.chosen(solids)
    modules = _by_name(functionals)
    curves = {name: _readable(library, name) for name in names}
    together = Batch.of([one for curve in curves.values() if isinstance(curve, SolidCurve) for one in curve.snapshots])
    estimate = SelfConsistencyEstimate(library, names)
    rows = []
    for called, module in modules.items():
        for row in _rows(called, module, library, curves, together, estimate):
            rows.append(row)
            if on_row is not None:
                on_row(row)
    identities = {called: identity_of(module).content_hash for called, module in modules.items()}
    return Screening(
        tuple(rows), identities, library.hash, library.functional.name, seconds=time.perf_counter() - started
    )


def _by_name(functionals: Sequence[str | nn.Module]) -> dict[str, nn.Module]:
    if not functionals:
        raise InputError("xc: there is no functional to compare.")
    for xc in functionals:
        if isinstance(xc, str):
            check_name(xc)
    found: dict[str, nn.Module] = {}
    for xc in functionals:
        module = functional_named(xc) if isinstance(xc, str) else xc
        name = xc if isinstance(xc, str) else identity_of(xc).name
        if name in found and identity_of(found[name]) != identity_of(module):
            raise InputError(f"Two functionals are called {name!r}; save them as checkpoints with names of their own.")
        found[name] = module
    return found


def _readable(library: FrozenLibrary, name: str) -> SolidCurve | str:
    """The curve of a solid, or why there is none."""
    try:
        return library.curve(name)
    except InputError as error:
        return str(error)


def _rows(
    called: str,
    module: nn.Module,
    library: FrozenLibrary,
    curves: Mapping[str, SolidCurve | str],
    together: Batch,
    estimate: SelfConsistencyEstimate,
) -> list[ScreeningRow]:
    weights = estimate.weights(estimate.potential(module))
    there = [curve for curve in curves.values() if isinstance(curve, SolidCurve)]
    with torch.no_grad():
        energies = iter(_energies(module, there, together))
        rows = []
        for name, curve in curves.items():
            if isinstance(curve, str):
                rows.append(ScreeningRow(called, name, message=curve))
                continue
            rows.append(screening_row(called, module, library, curve, next(energies), weights.get(name)))
    return rows


def _energies(module: nn.Module, curves: Sequence[SolidCurve], together: Batch) -> list[Tensor | str]:
    """F at the volumes of each curve, or why there is none.

    All solids together are fastest; where that fails, each by itself says which it is.
    """
    counts = [len(curve.snapshots) for curve in curves]
    try:
        return list(together.energies(module).split(counts))
    except Exception:  # a functional of a user may raise anything
        return [energies_or_reason(module, Batch.of(curve.snapshots)) for curve in curves]


def energies_or_reason(module: nn.Module, batch: Batch) -> Tensor | str:
    """F of each snapshot of a batch, hartree per cell, or a sentence that says why there is none."""
    try:
        return batch.energies(module)
    except MlxcError as error:
        return str(error)
    except Exception as error:  # see above
        return f"The functional ended with {type(error).__name__}: {reason_of(error)}."


def screening_row(
    called: str,
    module: nn.Module,
    library: FrozenLibrary,
    curve: SolidCurve,
    energies: Tensor | str,
    weight: float | None = None,
) -> ScreeningRow:
    """What a functional makes of one solid.

    Args:
        called: How the functional is called.
        module: The functional.
        library: The densities, those of free atoms among them.
        curve: The solid.
        energies: F at the volumes of the curve, hartree per cell, or why there is none.
        weight: What self-consistency may change, see :class:`~mlxc.frozen.self_consistency.SelfConsistencyEstimate`.
    """
    solid = curve.solid
    if isinstance(energies, str):
        return ScreeningRow(called, solid.name, message=energies)
    bad = ~torch.isfinite(energies)
    if bool(bad.any()):
        return ScreeningRow(called, solid.name, message=_no_number(module, curve, int(bad.nonzero()[0])))
    volumes = [snapshot.volume_ang3 for snapshot in curve.snapshots]
    points = EnergyCurve(solid.crystal, volumes, energies * HARTREE_EV)
    try:
        edge, modulus, lowest = lattice_constant(points), bulk_modulus(points), points.fit.energy0
    except FitError as error:
        return ScreeningRow(called, solid.name, message=str(error))
    cohesive, message = _cohesive_energy(module, library, curve, lowest)
    near = curve.snapshots[int((torch.tensor(volumes) - points.fit.volume0).abs().argmin())]
    return ScreeningRow(
        functional=called,
        solid=solid.name,
        lattice_constant_ang=_number(edge),
        lattice_constant_error_percent=error_percent(_number(edge), solid.references.get("lattice_constant_ang")),
        bulk_modulus_gpa=_number(modulus),
        bulk_modulus_error_percent=error_percent(_number(modulus), solid.references.get("bulk_modulus_gpa")),
        energy_per_atom_ha=float(lowest) / HARTREE_EV / len(solid.crystal.species),
        cohesive_energy_ev=cohesive,
        self_consistency_percent=None
        if weight is None or modulus is None
        else percent_of_lattice_constant(weight, float(modulus), float(points.fit.volume0)),
        outside_domain_fraction=_outside(module, near),
        message=message,
    )


def _number(value: Tensor | None) -> float | None:
    return None if value is None else float(value)


def _no_number(module: nn.Module, curve: SolidCurve, index: int) -> str:
    """Where a functional gives no number: the largest density of which that is so."""
    snapshot = curve.snapshots[index]
    names = declared_ingredients(module)
    values = module(**{name: snapshot.ingredients[name] for name in names})
    densities = snapshot.ingredients["rho"].sum(0)[~torch.isfinite(values)]
    where = f" at {float(densities.max()):.3g} electrons/bohr^3" if len(densities) else ""
    return f"The functional's energy is not a finite number{where}."


def _cohesive_energy(
    module: nn.Module, library: FrozenLibrary, curve: SolidCurve, lowest_ev: Tensor
) -> tuple[float | None, str]:
    """The cohesive energy per atom, electronvolt, and why there is none where atoms are there."""
    try:
        difference = library.difference(curve.solid.name)
        if difference is None:
            return None, ""
        atoms = sum(
            count * float(difference.others[name].lowest_energy(module))
            for name, count in curve.solid.relative_to.items()
        )
    except MlxcError as error:
        return None, str(error)
    value = float(cohesive_energy(lowest_ev - atoms, len(curve.solid.crystal.species)))
    finite = abs(value) < float("inf")
    return (value, "") if finite else (None, "The functional gives no number for a free atom.")


def _outside(module: nn.Module, snapshot: Snapshot) -> float | None:
    domains = training_domains(module)
    if not domains:
        return None
    seen = {name: snapshot.ingredients[name] for name in declared_ingredients(module)}
    return outside_fractions(domains, seen, snapshot.volumes)["electrons"]
