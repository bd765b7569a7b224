"""A leaderboard as files to take away: a table, all numbers with what makes them again, and a picture."""

from __future__ import annotations

import json
import tempfile
import time
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

from mlxc import __version__
from mlxc.frozen.screener import Screener
from mlxc.frozen.screening import Screening
from mlxc.frozen.screening_report import write_csv, write_plot
from mlxc.xc.identity import identity_of

STEM = "mlxc-leaderboard"


def report(screener: Screener, functionals: Sequence[str]) -> dict[str, str]:
    """The files by name, each as base64.

    Args:
        screener: The densities.
        functionals: The names of the functionals.
    """
    screening = _screening(screener, functionals)
    made = {"date": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "mlxc": __version__}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_csv(screening, folder / f"{STEM}.csv")
        (folder / f"{STEM}.json").write_text(json.dumps(made | screening.to_dict(), indent=1), encoding="utf-8")
        write_plot(screening, folder / f"{STEM}.png")
        return {path.name: b64encode(path.read_bytes()).decode() for path in sorted(folder.iterdir())}


def _screening(screener: Screener, functionals: Sequence[str]) -> Screening:
    started = time.perf_counter()
    candidates = {name: screener.candidate(name) for name in functionals}
    rows = tuple(
        screener.row(candidate, solid, name)
        for name, candidate in candidates.items()
        for solid in screener.library.names
    )
    return Screening(
        rows,
        {name: identity_of(candidate.module).content_hash for name, candidate in candidates.items()},
        screener.library.hash,
        screener.library.functional.name,
        time.perf_counter() - started,
    )
