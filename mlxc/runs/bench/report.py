"""A leaderboard as files to take away: a table, all numbers with what makes them again, and a picture."""

from __future__ import annotations

import csv
import json
import tempfile
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlxc import __version__
from mlxc.frozen.screener import Screener
from mlxc.frozen.screening import Screening
from mlxc.frozen.screening_report import write_plot
from mlxc.frozen.screening_row import QUANTITIES
from mlxc.solids.error_statistics import counted, error_percent
from mlxc.xc.identity import identity_of
from mlxc.xc.uncertainty import is_uncertain

# What an equation of state that is computed self-consistently says.
CONFIRMED = ("lattice_constant", "bulk_modulus")


def report(
    screener: Screener, functionals: Mapping[str, str], confirmed: Sequence[Mapping[str, Any]] = ()
) -> dict[str, str]:
    """The files by name, each as base64.

    Args:
        screener: The densities.
        functionals: What each functional is called in the files, by its name.
        confirmed: What self-consistent calculations have found, the results of equations of state, each with the
            ``functional`` as it is called in the files, and the ``solid``.
    """
    screening, stem = _screening(screener, functionals), f"mlxc-leaderboard-{time.strftime('%Y-%m-%d')}"
    made = {"date": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "mlxc": __version__}
    found = [self_consistent(one, screening) for one in confirmed if one["solid"] in screening.references]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_csv(screening, found, made, folder / f"{stem}.csv")
        content = made | screening.to_dict() | {"self_consistent": found}
        (folder / f"{stem}.json").write_text(json.dumps(content, indent=1), encoding="utf-8")
        write_plot(screening, folder / f"{stem}.png")
        return {path.name: b64encode(path.read_bytes()).decode() for path in sorted(folder.iterdir())}


def self_consistent(result: Mapping[str, Any], screening: Screening) -> dict[str, Any]:
    """What a self-consistent calculation has found of a solid, with its errors; null where it says nothing.

    Args:
        result: The result, see :func:`report`.
        screening: What was found at frozen densities.
    """
    known = screening.references[result["solid"]]
    told = {"functional": result["functional"], "solid": result["solid"]}
    for quantity in CONFIRMED:
        name = f"{quantity}_{QUANTITIES[quantity]}"
        value = result.get(name)
        told |= {name: value, f"{quantity}_error_percent": error_percent(value, known.get(name))}
    return told


def _write_csv(
    screening: Screening, confirmed: Sequence[Mapping[str, Any]], made: Mapping[str, str], path: Path
) -> None:
    """Write all rows; each says what makes it again, and how many solids the functional has a result of."""
    own = {(one["functional"], one["solid"]): one for one in confirmed}
    names = [f"{name}_{end}" for name in CONFIRMED for end in (QUANTITIES[name], "error_percent")]
    rows = []
    for row in screening.rows:
        found = own.get((row.functional, row.solid), {})
        rows.append(
            asdict(row)
            | {f"self_consistent_{name}": found.get(name) for name in names}
            | {f"{name}_solids": counted(screening.statistics(row.functional, name)) for name in QUANTITIES}
            | {"functional_hash": screening.identities[row.functional], "library": screening.library, **made}
        )
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _screening(screener: Screener, functionals: Mapping[str, str]) -> Screening:
    started = time.perf_counter()
    candidates = {called: screener.candidate(name) for name, called in functionals.items()}
    rows = tuple(
        (screener.uncertain_row if is_uncertain(candidate.module) else screener.row)(candidate, solid, called)
        for called, candidate in candidates.items()
        for solid in screener.library.names
    )
    return Screening(
        rows,
        {called: identity_of(candidate.module).content_hash for called, candidate in candidates.items()},
        {name: screener.library.solids[name].references for name in screener.library.names},
        screener.library.hash,
        screener.library.functional.name,
        time.perf_counter() - started,
    )
