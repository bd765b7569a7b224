"""What the bench answers, computed at frozen densities."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import cache
from math import isfinite
from typing import Any

import torch
from torch import nn

from mlxc.errors import InputError
from mlxc.frozen.library import FrozenLibrary
from mlxc.frozen.moved.line import movable
from mlxc.frozen.moved.move import Move
from mlxc.frozen.screener import Candidate, Screener
from mlxc.frozen.screening import measured_solids
from mlxc.frozen.screening_row import QUANTITIES, ScreeningRow
from mlxc.frozen.uncertainty.calibrated import calibration, seen_solids
from mlxc.runs.bench.cell import EXPLAINED, cell, recorded_settings
from mlxc.runs.bench.report import report
from mlxc.runs.folder import runs_directory
from mlxc.solids.classes import CLASSES, class_of
from mlxc.solids.error_statistics import statistics
from mlxc.xc.analysis.constraints import check_constraints
from mlxc.xc.analysis.probe import enhancement_at
from mlxc.xc.catalogue import functional
from mlxc.xc.checkpoints.files import checkpoint_path, named_checkpoints
from mlxc.xc.identity import identity_of
from mlxc.xc.sums.expression import split_sum
from mlxc.xc.uncertainty import is_uncertain

# How often somebody hears of rows that are ready.
TELL_SECONDS = 0.1
# Where F_xc is drawn: a usual density of valence electrons, metallic.
CURVE_RS, CURVE_ALPHA, LARGEST_S, CURVE_POINTS = 2.0, 1.0, 4.0, 81


def answers(request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The pieces of the answer to a request, see :mod:`mlxc.runs.bench.protocol`.

    Raises:
        InputError: it cannot be answered.
    """
    yield from _ASKED[request["ask"]](the_screener(), request)


@cache
def the_screener() -> Screener:
    """The screener of the library that comes with mlxc, made when it is asked for the first time."""
    return Screener(FrozenLibrary())


def _about(screener: Screener, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    library = screener.library
    solids = [
        {
            "name": name,
            "kind": class_of(library.solids[name].crystal),
            "references": library.solids[name].references,
            "settings": recorded_settings(library, name),
        }
        for name in library.names
    ]
    solids.sort(key=lambda solid: CLASSES.index(str(solid["kind"])))
    yield {"solids": solids, "library": library.hash, "density_functional": library.functional.name}


def _screen(screener: Screener, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    started = time.monotonic()
    candidate, called = _candidate(screener, request), request["functional"]
    rows: list[ScreeningRow] = []
    yield from _told(rows, (screener.row(candidate, solid, called) for solid in screener.library.names))
    yield {
        "summary": {quantity: _statistics(screener, rows, quantity) for quantity in QUANTITIES},
        "content_hash": identity_of(candidate.module).content_hash,
        "curve": _enhancement(candidate.module),
        "seconds": time.monotonic() - started,
    }
    if request.get("uncertainty") and is_uncertain(candidate.module):
        uncertain: list[ScreeningRow] = []
        names = screener.library.names
        yield from _told(uncertain, (screener.uncertain_row(candidate, solid, called) for solid in names))
        yield {"calibration": calibration(uncertain, seen_solids(called, names))}


def _told(rows: list[ScreeningRow], found: Iterator[ScreeningRow]) -> Iterator[dict[str, Any]]:
    """Tell rows as they come, several together, and gather them."""
    told, sent = time.monotonic(), 0
    for row in found:
        rows.append(row)
        if time.monotonic() - told > TELL_SECONDS:
            yield {"rows": [asdict(row) for row in rows[sent:]]}
            told, sent = time.monotonic(), len(rows)
    yield {"rows": [asdict(row) for row in rows[sent:]]}


def _resolve(screener: Screener, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    (solid,) = screener.library.chosen([request["solid"]])
    quantity = request.get("quantity", "lattice_constant")
    if quantity not in EXPLAINED:
        raise InputError(f"quantity: {str(quantity)[:40]!r} is none of {', '.join(EXPLAINED)}.")
    yield cell(screener, _candidate(screener, request), request["functional"], solid, quantity)


def _report(screener: Screener, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name in request["functionals"]:
        _check_allowed(name)
    yield {"files": report(screener, request["functionals"], request.get("confirmed", ()))}


def _examine(screener: Screener, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    _check_allowed(request["functional"])
    check_constraints(functional(request["functional"]))
    yield {}


def _movable(screener: Screener, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield movable(_candidate(screener, request).module)


def _candidate(screener: Screener, request: Mapping[str, Any]) -> Candidate:
    _check_allowed(request["functional"])
    if "move" not in request:
        return screener.candidate(request["functional"], request.get("parameters"))
    place = float(request.get("place", 0.0))
    if not -1 <= place <= 1:
        raise InputError(f"place: {place:g} is not between -1 and 1.")
    return screener.moved(request["functional"], Move.from_dict(request["move"]), place)


def _check_allowed(expression: str) -> None:
    """Raise an :class:`InputError` unless all files in a sum are what a person has brought to the page."""
    uploads = (runs_directory() / "checkpoints").resolve()
    for _, name in split_sum(expression):
        path = checkpoint_path(name)
        if path is not None and path not in named_checkpoints().values() and uploads not in path.resolve().parents:
            raise InputError(f"xc: {name[:60]!r} is not among the checkpoints that were brought to the page.")


def _statistics(screener: Screener, rows: list[ScreeningRow], quantity: str) -> dict[str, float | None]:
    errors = {row.solid: getattr(row, f"{quantity}_error_percent") for row in rows}
    of = measured_solids([screener.library.solids[row.solid].references for row in rows], quantity)
    return statistics({solid: error for solid, error in errors.items() if error is not None}, of)


@torch.no_grad()
def _enhancement(module: nn.Module) -> dict[str, list[float | None]]:
    """F_xc along s, null where it is no number."""
    s = torch.linspace(0, LARGEST_S, CURVE_POINTS, dtype=torch.float64)
    try:
        values = enhancement_at(module, torch.full_like(s, CURVE_RS), None, s, torch.full_like(s, CURVE_ALPHA))
    except Exception:  # a functional of a user may raise anything; its rows say what
        values = torch.full_like(s, torch.nan)
    return {"s": s.tolist(), "f_xc": [value if isfinite(value) else None for value in values.tolist()]}


_ASKED: dict[str, Callable[[Screener, Mapping[str, Any]], Iterator[dict[str, Any]]]] = {
    "about": _about,
    "screen": _screen,
    "resolve": _resolve,
    "report": _report,
    "examine": _examine,
    "movable": _movable,
}
