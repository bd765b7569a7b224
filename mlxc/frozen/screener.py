"""Functionals that answer again and again: what has been evaluated at the densities of a library is kept.

A functional is known to a screening by one energy for each density, 237 numbers for 30 solids at seven volumes and 27
atoms. These are linear in the weights of a sum, so a sum whose parts are known is there at once, whatever its weights;
and so is the functional halfway between a network and what the network corrects.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import cached_property
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn

from mlxc.errors import InputError
from mlxc.frozen.batch import Batch
from mlxc.frozen.library import FrozenLibrary
from mlxc.frozen.moved.exchange import ExchangeTable
from mlxc.frozen.moved.line import Line
from mlxc.frozen.moved.move import Move
from mlxc.frozen.moved.near import Near
from mlxc.frozen.moved.on_line import Moving, OnLine
from mlxc.frozen.screening_row import ScreeningRow, energies_or_reason, outside_share, screening_row, without_result
from mlxc.frozen.self_consistency import GradientPotential, SelfConsistencyEstimate
from mlxc.frozen.snapshot import Snapshot
from mlxc.xc.analysis.domain import training_domains
from mlxc.xc.catalogue import content_hashes, functional
from mlxc.xc.checkpoints.files import split_member
from mlxc.xc.functional import declared_ingredients
from mlxc.xc.gga import PBE
from mlxc.xc.sums.expression import split_sum
from mlxc.xc.sums.weighted_sum import WeightedSum

Kept = TypeVar("Kept")

# Functionals that are kept; what a hand moves is a new one at each place.
MOST_FUNCTIONALS = 256
# Lines that are kept, each with a few numbers for each density, and functionals that they are around.
MOST_LINES = 32


class Candidate(Protocol):
    """A functional at the densities of a library."""

    @property
    def module(self) -> nn.Module:
        """The functional itself."""

    @property
    def potential(self) -> GradientPotential | None:
        """Its de/d(grad n), from which follows what self-consistency may change; None where nobody asks for that."""

    def energies(self, solid: str) -> Tensor | str:
        """F at each volume of a solid, hartree per cell, or a sentence that says why there is none.

        Raises:
            InputError: the densities of this solid cannot be read.
        """


class Screener:
    """Evaluates functionals at the densities of a library, each only once.

    Args:
        library: The densities.
    """

    def __init__(self, library: FrozenLibrary) -> None:
        self.library = library
        self._batches: dict[str, Batch] = {}
        self._exchange: dict[str, ExchangeTable] = {}
        self._candidates: OrderedDict[Hashable, Candidate] = OrderedDict()
        self._lines: OrderedDict[Hashable, Moving] = OrderedDict()
        self._neighbourhoods: OrderedDict[Hashable, Near] = OrderedDict()
        self._outside: dict[tuple[Snapshot, str], float | None] = {}

    def candidate(self, name: str, parameters: Mapping[str, float] | None = None) -> Candidate:
        """A functional, found again if it has been asked for before.

        Args:
            name: Its name, the file of a checkpoint, or a weighted sum of some.
            parameters: New values of parameters, each a single number, by name.

        Raises:
            InputError: there is no such functional, or it has no such parameter.
        """
        moved = parameters or {}
        # A checkpoint that has changed since is another functional.
        key = (name, tuple(sorted(moved.items())), tuple(content_hashes(name)))
        return _kept(self._candidates, key, MOST_FUNCTIONALS, lambda: self._make(name, moved))

    def moved(self, name: str, move: Move, place: float) -> Candidate:
        """A functional on a line; the line is found again if it has been asked for before.

        Args:
            name: The name of the functional, or the file of a checkpoint.
            move: What of it moves.
            place: The place on the line, between -1 and 1.

        Raises:
            InputError: there is no such functional, or it cannot be moved so.
        """
        near = self._near(name)
        key = (name, move, tuple(content_hashes(name)))
        line = _kept(self._lines, key, MOST_LINES, lambda: Moving(Line.of(near.functional, move), near))
        return OnLine(line, place)

    def row(self, candidate: Candidate, solid: str, called: str) -> ScreeningRow:
        """What a functional makes of one solid; where something is missing, the row says why.

        Args:
            candidate: The functional.
            solid: The name of the solid.
            called: How the functional is called in the row.
        """
        try:
            curve, weight = self.library.curve(solid), self._weight(candidate, solid)
            with torch.no_grad():
                return screening_row(
                    called, candidate.module, self.library, curve, candidate.energies, weight, self.outside
                )
        except InputError as error:
            return without_result(called, solid, str(error))

    def uncertain_row(self, candidate: Candidate, solid: str, called: str) -> ScreeningRow:
        """The same with standard deviations, of a functional that carries an ensemble; it takes several times as long.

        Arguments as of :meth:`row`.
        """

        def energies(name: str) -> Tensor | str:
            return energies_or_reason(candidate.module, self.batch(name).energies)

        try:
            curve, weight = self.library.curve(solid), self._weight(candidate, solid)
            return screening_row(called, candidate.module, self.library, curve, energies, weight)
        except InputError as error:
            return without_result(called, solid, str(error))

    def _weight(self, candidate: Candidate, solid: str) -> float | None:
        potential = candidate.potential
        return None if potential is None else self.estimate.weight(potential, solid)

    def outside(self, module: nn.Module, snapshot: Snapshot) -> float | None:
        """The share of electrons outside of what a functional has seen, which does not move with its parameters."""
        key = (snapshot, repr((training_domains(module), declared_ingredients(module))))
        if key not in self._outside:
            self._outside[key] = outside_share(module, snapshot)
        return self._outside[key]

    @cached_property
    def estimate(self) -> SelfConsistencyEstimate:
        """What self-consistency may change for the solids of the library."""
        return SelfConsistencyEstimate(self.library, self.library.names)

    def batch(self, solid: str) -> Batch:
        """The densities of one solid, put together once.

        Raises:
            InputError: they cannot be read.
        """
        if solid not in self._batches:
            self._batches[solid] = Batch.of(self.library.curve(solid).snapshots)
        return self._batches[solid]

    def exchange(self, solid: str) -> ExchangeTable:
        """What exchange of PBE's form needs of one solid, put together once.

        Raises:
            InputError: the densities cannot be read.
        """
        if solid not in self._exchange:
            self._exchange[solid] = ExchangeTable.of(self.batch(solid))
        return self._exchange[solid]

    def _near(self, name: str) -> Near:
        key = (name, tuple(content_hashes(name)))
        return _kept(self._neighbourhoods, key, MOST_LINES, lambda: Near(self.library, functional(name)))

    def _make(self, name: str, moved: Mapping[str, float]) -> Candidate:
        terms = split_sum(name)
        if len(terms) == 1 and terms[0][0] == 1:
            whole, member = split_member(name)
            if member is not None:
                near = self._near(whole)
                return _Evaluated(self, functional(name), lambda solid: near(solid).in_order)
            module = _with_parameters(functional(name), name, moved)
            # The form itself: another class may have another enhancement, or parameters beyond kappa and mu.
            if moved and type(module) is PBE:
                return _MovedExchange(self, module, self.candidate(name))
            return _Evaluated(self, module, lambda solid: self.batch(solid).energies, bool(moved))
        return _Sum(self, [weight for weight, _ in terms], [self.candidate(part) for _, part in terms])


class _Evaluated:
    """A functional that is evaluated at the densities of a solid when it is asked for the first time."""

    def __init__(
        self,
        screener: Screener,
        module: nn.Module,
        evaluate_at: Callable[[str], Callable[[nn.Module], Tensor]],
        moved: bool = False,
    ) -> None:
        self.module = module
        self._screener, self._evaluate_at, self._moved = screener, evaluate_at, moved
        self._energies: dict[str, Tensor | str] = {}

    @cached_property
    def potential(self) -> GradientPotential | None:
        # What a hand moves is another one in a moment.
        return None if self._moved else self._screener.estimate.potential(self.module)

    def energies(self, solid: str) -> Tensor | str:
        if solid not in self._energies:
            evaluate = self._evaluate_at(solid)
            with torch.no_grad():
                self._energies[solid] = energies_or_reason(self.module, evaluate)
        return self._energies[solid]


class _MovedExchange:
    """PBE with other kappa and mu than a functional whose energies are known."""

    # What a hand moves is another one in a moment.
    potential: GradientPotential | None = None

    def __init__(self, screener: Screener, module: PBE, base: Candidate) -> None:
        self.module = module
        self._screener, self._base = screener, base

    def energies(self, solid: str) -> Tensor | str:
        known, base = self._base.energies(solid), self._base.module
        assert isinstance(base, PBE)
        with torch.no_grad():
            if isinstance(known, str):
                return known
            return known + self._screener.exchange(solid).difference(self.module, base)


class _Sum:
    """A weighted sum, whose energies follow from those of its parts."""

    def __init__(self, screener: Screener, weights: Sequence[float], parts: Sequence[Candidate]) -> None:
        self.module = WeightedSum(weights, [part.module for part in parts])
        self._screener, self._shares, self._parts = screener, weights, parts

    @cached_property
    def potential(self) -> GradientPotential | None:
        parts = [part.potential for part in self._parts]
        known = [part for part in parts if part is not None]
        return GradientPotential.of_sum(self._shares, known) if len(known) == len(parts) else None

    def energies(self, solid: str) -> Tensor | str:
        rest = self._screener.batch(solid).rest_ha
        total = rest.clone()
        for weight, part in zip(self._shares, self._parts, strict=True):
            energies = part.energies(solid)
            if isinstance(energies, str):
                return energies
            total += weight * (energies - rest)
        return total


def _kept(known: OrderedDict[Hashable, Kept], key: Hashable, most: int, make: Callable[[], Kept]) -> Kept:
    """What is known under a key, made if it is not; of more than ``most``, what was asked for longest ago goes."""
    if key not in known:
        known[key] = make()
        if len(known) > most:
            known.popitem(last=False)
    known.move_to_end(key)
    return known[key]


@torch.no_grad()
def _with_parameters(module: nn.Module, name: str, moved: Mapping[str, float]) -> nn.Module:
    """The functional whose parameters have been given other values."""
    known = dict(module.named_parameters())
    for parameter, value in moved.items():
        if parameter not in known or known[parameter].numel() != 1:
            raise InputError(f"xc: {name!r} has no single number called {parameter[:60]!r} among its parameters.")
        known[parameter].fill_(value)
    return module
