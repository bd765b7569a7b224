"""A leaderboard as files to take away: a table, all numbers with what makes them again, and a picture."""

from __future__ import annotations

import csv
import json
import tempfile
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from mlxc import __version__
from mlxc.frozen.screener import Screener
from mlxc.frozen.screening import Screening
from mlxc.frozen.screening_report import write_plot
from mlxc.xc.identity import identity_of
from mlxc.xc.uncertainty import is_uncertain


def report(screener: Screener, functionals: Mapping[str, str]) -> dict[str, str]:
    """The files by name, each as base64.

    Args:
        screener: The densities.
        functionals: What each functional is called in the files, by its name.
    """
    screening, stem = _screening(screener, functionals), f"mlxc-leaderboard-{time.strftime('%Y-%m-%d')}"
    made = {"date": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "mlxc": __version__}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_csv(screening, made, folder / f"{stem}.csv")
        (folder / f"{stem}.json").write_text(json.dumps(made | screening.to_dict(), indent=1), encoding="utf-8")
        write_plot(screening, folder / f"{stem}.png")
        return {path.name: b64encode(path.read_bytes()).decode() for path in sorted(folder.iterdir())}


def _write_csv(screening: Screening, made: Mapping[str, str], path: Path) -> None:
    """Write all rows; each says what makes it again."""
    rows = [
        asdict(row) | {"functional_hash": screening.identities[row.functional], "library": screening.library, **made}
        for row in screening.rows
    ]
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
        screener.library.hash,
        screener.library.functional.name,
        time.perf_counter() - started,
    )
