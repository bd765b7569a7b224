"""Functionals compared at frozen densities: lattice constants, moduli and cohesive energies of many solids in seconds.

F is stationary in the orbitals, so what a self-consistent calculation with another functional would change is of second
order in the difference of the potentials; see :mod:`mlxc.frozen.snapshot`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn

from mlxc.errors import InputError
from mlxc.frozen.batch import Batch
from mlxc.frozen.curve import SolidCurve
from mlxc.frozen.library import FrozenLibrary
from mlxc.frozen.screening_row import QUANTITIES, ScreeningRow, energies_or_reason, screening_row, without_result
from mlxc.frozen.self_consistency import SelfConsistencyEstimate
from mlxc.solids.error_statistics import statistics
from mlxc.utils.job_pool import HERE, Where, finished
from mlxc.xc.catalogue import check_name, without_ensemble
from mlxc.xc.catalogue import functional as functional_named
from mlxc.xc.identity import identity_of
from mlxc.xc.uncertainty import is_uncertain


@dataclass(frozen=True)
class Screening:
    """Many solids with several functionals.

    Attributes:
        rows: The rows, those of one functional after those of another.
        identities: The content hash of each functional by its name.
        references: What is known of each solid, see :class:`~mlxc.solids.table.Solid`.
        library: The hash of the library.
        density_functional: The name of the functional that has made the densities.
        seconds: The time that it took, reading the library included.
    """

    rows: tuple[ScreeningRow, ...]
    identities: Mapping[str, str]
    references: Mapping[str, Mapping[str, float]]
    library: str
    density_functional: str
    seconds: float

    @property
    def summary(self) -> dict[str, dict[str, Any]]:
        """The number, mean, mean absolute and largest error of lattice constants in percent, by functional, and of how
        many solids with a measured value they should be.

        The same of bulk moduli stands there as ``bulk_modulus``, that of cohesive energies as ``cohesive_energy``.
        """
        edges, *others = QUANTITIES
        return {
            called: self.statistics(called, edges)
            | {quantity: self.statistics(called, quantity) for quantity in others}
            for called in self.identities
        }

    def statistics(self, functional: str, quantity: str) -> dict[str, Any]:
        """The statistics of one functional's errors of one quantity, see
        :func:`~mlxc.solids.error_statistics.statistics`.
        """
        return statistics(self.errors(quantity)[functional], self.measured(quantity))

    def measured(self, quantity: str) -> int:
        """The number of solids of which one of :data:`~mlxc.frozen.screening_row.QUANTITIES` is known."""
        return measured_solids(self.references.values(), quantity)

    def errors(self, quantity: str) -> dict[str, dict[str, float]]:
        """The errors of one of :data:`~mlxc.frozen.screening_row.QUANTITIES` in percent, by functional and solid."""
        found: dict[str, dict[str, float]] = {name: {} for name in self.identities}
        for row in self.rows:
            error = getattr(row, f"{quantity}_error_percent")
            if error is not None:
                found[row.functional][row.solid] = error
        return found

    def scores(self, quantity: str) -> dict[str, dict[str, float]]:
        """The errors over their standard deviations, by functional and solid; those that have both."""
        found: dict[str, dict[str, float]] = {name: {} for name in self.identities}
        for row in self.rows:
            if (score := row.score(quantity)) is not None:
                found[row.functional][row.solid] = score
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
    uncertainty: bool = False,
    where: Where = HERE,
    on_row: Callable[[ScreeningRow], None] | None = None,
) -> Screening:
    """Evaluate functionals at the densities of a library.

    What goes wrong with one solid or one functional, a file that is damaged, a functional that gives no number or has
    no minimum, stands in its rows; the others stay.

    Args:
        functionals: Names, files of checkpoints, weighted sums, or modules.
        library: The densities; by default those that come with mlxc.
        solids: Names of solids of the library that have an equation of state; all by default.
        uncertainty: Whether rows tell standard deviations, of the functionals that carry an ensemble.
        where: Where functionals are evaluated: of several processes, each takes one functional at a time.
        on_row: A function that is told each row when it is there.

    Raises:
        InputError: there is no functional, one is not known, two have the same name, a solid is not in the library,
            standard deviations are wanted and no functional carries an ensemble, or the scheduler does not answer.
        MlxcError: a worker died again and again.
    """
    started = time.perf_counter()
    library = FrozenLibrary() if library is None else library
    names = library.chosen(solids)
    modules = _by_name(functionals)
    uncertain = [called for called, module in modules.items() if uncertainty and is_uncertain(module)]
    if uncertainty and not uncertain:
        raise without_ensemble(", ".join(modules))
    rows: dict[str, list[ScreeningRow]] = {}
    jobs = [_Job(called, module, str(library.folder), names, called in uncertain) for called, module in modules.items()]
    each = _evaluated(jobs, library) if where == HERE else finished(_elsewhere, jobs, where.processes, where.scheduler)
    for called, found in each:
        rows[called] = found
        if on_row is not None:
            for row in found:
                on_row(row)
    identities = {called: identity_of(module).content_hash for called, module in modules.items()}
    ordered = tuple(row for called in modules for row in rows[called])
    references = {name: library.solids[name].references for name in names}
    seconds = time.perf_counter() - started
    return Screening(ordered, identities, references, library.hash, library.functional.name, seconds)


def measured_solids(references: Iterable[Mapping[str, float]], quantity: str) -> int:
    """The number of solids of which one of :data:`~mlxc.frozen.screening_row.QUANTITIES` is known.

    Args:
        references: What is known of each solid.
        quantity: The name of the quantity.
    """
    return sum(f"{quantity}_{QUANTITIES[quantity]}" in known for known in references)


@dataclass(frozen=True)
class _Job:
    """A functional to evaluate, which another process can unpickle."""

    called: str
    module: nn.Module
    library: str
    solids: Sequence[str]
    is_uncertain: bool


def _evaluated(jobs: Sequence[_Job], library: FrozenLibrary) -> Iterator[tuple[str, list[ScreeningRow]]]:
    """The name and the rows of each functional, all of them at the same densities of a library."""
    names = jobs[0].solids
    needed = dict.fromkeys([*names, *(other for name in names for other in library.solids[name].relative_to)])
    curves = {name: _readable(library, name) for name in needed if name in library.solids}
    together = Batch.of([one for curve in curves.values() if isinstance(curve, SolidCurve) for one in curve.snapshots])
    estimate = SelfConsistencyEstimate(library, names)
    for job in jobs:
        batch = None if job.is_uncertain else together
        yield job.called, _rows(job.called, job.module, library, names, curves, batch, estimate)


def _elsewhere(job: _Job) -> tuple[str, list[ScreeningRow]]:
    return next(_evaluated([job], FrozenLibrary(job.library)))


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
    names: Sequence[str],
    curves: Mapping[str, SolidCurve | str],
    together: Batch | None,
    estimate: SelfConsistencyEstimate,
) -> list[ScreeningRow]:
    """The rows of one functional.

    Args:
        called: How it is called.
        module: The functional.
        library: The densities.
        names: The solids that have a row.
        curves: The curve of each solid, and of the atoms that they are compared with, or why there is none.
        together: The snapshots of all curves; None where gradients are wanted, which take too much memory for that.
        estimate: What self-consistency may change.
    """
    potential = estimate.potential(module)
    with torch.set_grad_enabled(together is None):
        energies = _Energies(module, curves, together)
        return [
            without_result(called, name, curve)
            if isinstance(curve := curves[name], str)
            else screening_row(called, module, library, curve, energies, estimate.weight(potential, name))
            for name in names
        ]


class _Energies:
    """F at the volumes of each solid, or why there is none.

    All solids together are fastest; where that fails, each by itself says which it is.
    """

    def __init__(self, module: nn.Module, curves: Mapping[str, SolidCurve | str], together: Batch | None) -> None:
        self._module, self._curves = module, curves
        self._known: dict[str, Tensor | str] = {}
        counts = {name: len(curve.snapshots) for name, curve in curves.items() if isinstance(curve, SolidCurve)}
        if together is not None:
            with suppress(Exception):  # a functional of a user may raise anything
                self._known |= zip(counts, together.energies(module).split(list(counts.values())), strict=True)

    def __call__(self, name: str) -> Tensor | str:
        if name not in self._known:
            curve = self._curves[name]
            if isinstance(curve, str):
                self._known[name] = curve
            else:
                self._known[name] = energies_or_reason(self._module, Batch.of(curve.snapshots).energies)
        return self._known[name]
