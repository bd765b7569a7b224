"""What came of an evaluation: CSV, JSON, a Markdown table and a plot."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlxc.training.evaluation import Record

QUANTITY = "lattice_constant_ang"


def errors_percent(records: Sequence[Record], quantity: str = QUANTITY) -> dict[str, dict[str, float]]:
    """Relative errors by functional and solid, of what was computed and has a reference."""
    errors: dict[str, dict[str, float]] = {}
    for record in records:
        found = errors.setdefault(record["xc"], {})
        known = record["references"].get(quantity)
        if known is not None and quantity in record:
            found[record["solid"]] = 100 * (record[quantity] / known - 1)
    return errors


def statistics(errors: dict[str, float]) -> dict[str, float]:
    """Number, mean, mean absolute and largest absolute error; NaN where there are none."""
    values = list(errors.values())
    if not values:
        nan = float("nan")
        return {"count": 0, "mean": nan, "mean_absolute": nan, "largest": nan}
    sizes = [abs(value) for value in values]
    return {
        "count": len(values),
        "mean": sum(values) / len(values),
        "mean_absolute": sum(sizes) / len(sizes),
        "largest": max(sizes),
    }


def markdown_table(records: Sequence[Record], quantity: str = QUANTITY) -> str:
    """One row for each solid with the errors of all functionals in percent, and the statistics below."""
    errors = errors_percent(records, quantity)
    names = list(dict.fromkeys(record["solid"] for record in records))
    references = {record["solid"]: record["references"].get(quantity) for record in records}
    rows = [["solid", quantity, *(f"{xc} (%)" for xc in errors)], ["---"] * (2 + len(errors))]
    for name in names:
        known = references[name]
        cells = [f"{errors[xc][name]:+.2f}" if name in errors[xc] else "-" for xc in errors]
        rows.append([name, "-" if known is None else f"{known:g}", *cells])
    for label, key in (("mean", "mean"), ("mean absolute", "mean_absolute"), ("largest", "largest")):
        rows.append([label, "", *(f"{statistics(errors[xc])[key]:.2f}" for xc in errors)])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def write_report(records: Sequence[Record], folder: Path) -> None:
    """Write ``results.csv``, ``results.json``, ``results.md`` and ``results.png``."""
    columns = ["solid", "xc", QUANTITY, "bulk_modulus_gpa", "volume_ang3", "seconds", "message"]
    with (folder / "results.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(records)
    errors = errors_percent(records)
    summary: dict[str, Any] = {xc: statistics(found) for xc, found in errors.items()}
    plain = [{key: value for key, value in record.items() if key != "identity"} for record in records]
    (folder / "results.json").write_text(json.dumps({"summary": summary, "results": plain}, indent=1), encoding="utf-8")
    (folder / "results.md").write_text(markdown_table(records), encoding="utf-8")
    _plot(errors, folder / "results.png")


def _plot(errors: dict[str, dict[str, float]], path: Path) -> None:
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(name for found in errors.values() for name in found))
    figure = Figure(figsize=(max(6.0, 0.45 * len(names)), 4), layout="constrained")
    axes = figure.subplots()
    axes.axhline(0, color="black", linewidth=0.8)
    for xc, found in errors.items():
        label = f"{Path(xc).stem if xc.endswith('.safetensors') else xc}: {statistics(found)['mean_absolute']:.2f} %"
        axes.plot([names.index(name) for name in found], list(found.values()), "o-", linewidth=0.8, label=label)
    axes.set_xticks(range(len(names)), [name.replace("_", " ") for name in names], rotation=60, ha="right")
    axes.set_ylabel("error of the lattice constant (%)")
    axes.legend(title="mean absolute error")
    figure.savefig(path, dpi=150)
