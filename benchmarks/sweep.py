"""Many self-consistent calculations, each a JSON line of a file, from which an interrupted sweep goes on."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from mlxc.calculation.calculation import Calculation

Record = dict[str, Any]
KEPT = ("converged", "message", "free_energy_ha", "iterations", "magnetisation_bohr_magneton")


def outcome(settings: dict[str, Any]) -> Record:
    """What a calculation with these settings ends with, its cutoff, mesh and seconds; a failure is an outcome too."""
    started = time.perf_counter()
    record: Record = {"converged": False, "message": "", "free_energy_ha": None, "iterations": 0}
    try:
        calculation = Calculation.from_dict(settings)
        record |= {"ecut_ha": calculation.ecut_ha, "kmesh": list(calculation.kmesh)}
        state = calculation.run(forces=False, differentiate=None)
    except Exception as error:  # whatever goes wrong with one crystal is a result of the sweep, not its end
        record["message"] = f"{type(error).__name__}: {error}"
    else:
        summary = state.summary()
        record |= {key: summary[key] for key in KEPT}
    return record | {"seconds": time.perf_counter() - started}


def read(results: Path, key: str) -> dict[str, Record]:
    """The records in a file by one of their fields; the last one counts."""
    lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
    return {record[key]: record for record in map(json.loads, lines)}


def append(results: Path, record: Record) -> None:
    """Add a record to a file, which is made where there is none."""
    results.parent.mkdir(parents=True, exist_ok=True)
    with results.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
