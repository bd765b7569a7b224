"""What came of an evaluation: CSV, JSON, a Markdown table and a plot.

A solid is judged by its lattice constant, or by its volume where it has no lattice constant or no reference of one.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlxc.solids.error_statistics import error_percent, error_table, markdown, plot_errors, statistics
from mlxc.training.evaluation import Record

LATTICE_CONSTANT, VOLUME = "lattice_constant_ang", "volume_ang3"
_LABELS = {LATTICE_CONSTANT: "lattice constant", VOLUME: "volume"}
_UNITS = {LATTICE_CONSTANT: "angstrom", VOLUME: "cubic angstrom"}


def by_quantity(records: Sequence[Record]) -> dict[str, list[Record]]:
    """The records of the solids that are judged by each quantity, lattice constants first."""
    with_volume = {record["solid"] for record in records if _by_volume(record)}
    groups = {
        LATTICE_CONSTANT: [record for record in records if record["solid"] not in with_volume],
        VOLUME: [record for record in records if record["solid"] in with_volume],
    }
    return {quantity: group for quantity, group in groups.items() if group}


def _by_volume(record: Record) -> bool:
    """Whether the volume of a solid can be judged, and its lattice constant cannot."""
    known = record["references"]
    return VOLUME in known and (LATTICE_CONSTANT not in known or (VOLUME in record and LATTICE_CONSTANT not in record))


def errors_percent(records: Sequence[Record], quantity: str) -> dict[str, dict[str, float]]:
    """The relative errors of what was computed and has a reference, by functional and solid."""
    errors: dict[str, dict[str, float]] = {}
    for record in records:
        found = errors.setdefault(record["xc"], {})
        error = error_percent(record.get(quantity), record["references"].get(quantity))
        if error is not None:
            found[record["solid"]] = error
    return errors


def summary(records: Sequence[Record]) -> dict[str, dict[str, dict[str, float | None]]]:
    """The statistics by quantity and functional."""
    return {
        quantity: {
            xc: statistics(found, _measured(group, quantity)) for xc, found in errors_percent(group, quantity).items()
        }
        for quantity, group in by_quantity(records).items()
    }


def _measured(records: Sequence[Record], quantity: str) -> int:
    """The number of solids with a reference."""
    return len({record["solid"] for record in records if record["references"].get(quantity) is not None})


def markdown_tables(records: Sequence[Record]) -> str:
    """A table for each quantity."""
    return "\n".join(_markdown_table(group, quantity) for quantity, group in by_quantity(records).items())


def _markdown_table(records: Sequence[Record], quantity: str) -> str:
    references = {record["solid"]: record["references"].get(quantity) for record in records}
    return markdown(error_table(errors_percent(records, quantity), references, quantity))


def result_line(record: Record) -> str:
    """What a record says, in a few words."""
    quantity = LATTICE_CONSTANT if LATTICE_CONSTANT in record else VOLUME
    return record["message"] or f"{record[quantity]:.4f} {_UNITS[quantity]}"


def write_report(records: Sequence[Record], folder: Path) -> None:
    """Write ``results.csv``, ``results.json``, ``results.md`` and ``results.png``."""
    columns = ["solid", "xc", LATTICE_CONSTANT, "bulk_modulus_gpa", VOLUME, "pseudopotentials", "seconds", "message"]
    with (folder / "results.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(record | {"pseudopotentials": _names(record)} for record in records)
    plain = [{key: _finite(value) for key, value in record.items() if key != "identity"} for record in records]
    content = json.dumps({"summary": summary(records), "results": plain}, indent=1)
    (folder / "results.json").write_text(content, encoding="utf-8")
    (folder / "results.md").write_text(markdown_tables(records), encoding="utf-8")
    groups = by_quantity(records).items()
    plot_errors(
        folder / "results.png",
        {_LABELS[key]: errors_percent(group, key) for key, group in groups},
        {_LABELS[key]: _measured(group, key) for key, group in groups},
    )


def _names(record: Record) -> str:
    return " ".join(f"{symbol}={name}" for symbol, name in record["pseudopotentials"].items())


def _finite(value: Any) -> Any:
    """None for what is no number in JSON."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
