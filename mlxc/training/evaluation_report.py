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
        known = record["references"].get(quantity)
        if known is not None and quantity in record:
            found[record["solid"]] = 100 * (record[quantity] / known - 1)
    return errors


def statistics(errors: dict[str, float]) -> dict[str, float | None]:
    """The number of errors, their mean, mean absolute and largest absolute value; None where there are none."""
    values = list(errors.values())
    if not values:
        return {"count": 0, "mean": None, "mean_absolute": None, "largest": None}
    sizes = [abs(value) for value in values]
    return {
        "count": len(values),
        "mean": sum(values) / len(values),
        "mean_absolute": sum(sizes) / len(sizes),
        "largest": max(sizes),
    }


def summary(records: Sequence[Record]) -> dict[str, dict[str, dict[str, float | None]]]:
    """The statistics by quantity and functional."""
    return {
        quantity: {xc: statistics(found) for xc, found in errors_percent(group, quantity).items()}
        for quantity, group in by_quantity(records).items()
    }


def markdown_tables(records: Sequence[Record]) -> str:
    """A table for each quantity."""
    return "\n".join(_markdown_table(group, quantity) for quantity, group in by_quantity(records).items())


def _markdown_table(records: Sequence[Record], quantity: str) -> str:
    """One row for each solid with the errors of all functionals in percent, and the statistics below."""
    errors = errors_percent(records, quantity)
    references = {record["solid"]: record["references"].get(quantity) for record in records}
    rows = [["solid", quantity, *(f"{xc} (%)" for xc in errors)], ["---"] * (2 + len(errors))]
    for name, known in references.items():
        cells = [_shown(errors[xc].get(name), "+.2f") for xc in errors]
        rows.append([name, _shown(known, "g"), *cells])
    for label, key in (("mean", "mean"), ("mean absolute", "mean_absolute"), ("largest", "largest")):
        rows.append([label, "", *(_shown(statistics(errors[xc])[key], ".2f") for xc in errors)])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _shown(value: float | None, style: str) -> str:
    return "-" if value is None else f"{value:{style}}"


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
    _plot(records, folder / "results.png")


def _names(record: Record) -> str:
    return " ".join(f"{symbol}={name}" for symbol, name in record["pseudopotentials"].items())


def _finite(value: Any) -> Any:
    """None for what is no number in JSON."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _plot(records: Sequence[Record], path: Path) -> None:
    from matplotlib.figure import Figure

    groups = by_quantity(records)
    longest = max(len({record["solid"] for record in group}) for group in groups.values())
    figure = Figure(figsize=(max(6.0, 0.45 * longest), 4 * len(groups)), layout="constrained")
    for axes, (quantity, group) in zip(figure.subplots(len(groups), squeeze=False)[:, 0], groups.items(), strict=True):
        _plot_errors(axes, errors_percent(group, quantity), _LABELS[quantity])
    figure.savefig(path, dpi=150)


def _plot_errors(axes: Any, errors: dict[str, dict[str, float]], what: str) -> None:
    names = list(dict.fromkeys(name for found in errors.values() for name in found))
    axes.axhline(0, color="black", linewidth=0.8)
    for xc, found in errors.items():
        functional = Path(xc).stem if xc.endswith(".safetensors") else xc
        label = f"{functional}: {_shown(statistics(found)['mean_absolute'], '.2f')} %"
        axes.plot([names.index(name) for name in found], list(found.values()), "o-", linewidth=0.8, label=label)
    axes.set_xticks(range(len(names)), [name.replace("_", " ") for name in names], rotation=60, ha="right")
    axes.set_ylabel(f"error of the {what} (%)")
    axes.legend(title="mean absolute error")
