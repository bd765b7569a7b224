"""What the errors of a functional on many solids come to: numbers, tables and a plot."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Labels of the statistics that a table ends with.
STATISTICS = {"mean": "mean", "mean_absolute": "mean absolute", "largest": "largest"}
# The label of how many solids these are of.
COUNTED = "solids"

Errors = Mapping[str, Mapping[str, float]]


def error_percent(value: float | None, reference: float | None) -> float | None:
    """The relative error in percent; None where there is no value or nothing to compare it with."""
    return None if value is None or reference is None else 100 * (value / reference - 1)


def statistics(errors: Mapping[str, float], of: int) -> dict[str, float | None]:
    """The number of errors, their mean, mean absolute and largest absolute value; None where there are none.

    Args:
        errors: The errors by solid.
        of: The number of solids that should have one, those without a result among them; it is told beside.
    """
    values = list(errors.values())
    if not values:
        return {"count": 0, "of": of, "mean": None, "mean_absolute": None, "largest": None}
    sizes = [abs(value) for value in values]
    return {
        "count": len(values),
        "of": of,
        "mean": sum(values) / len(values),
        "mean_absolute": sum(sizes) / len(sizes),
        "largest": max(sizes),
    }


def counted(found: Mapping[str, float | None]) -> str:
    """How many solids :func:`statistics` are of, such as ``21 of 30``."""
    return f"{found['count']:g} of {found['of']:g}"


def error_table(errors: Errors, references: Mapping[str, float | None], quantity: str) -> list[list[str]]:
    """One row for each solid with the errors of all functionals in percent, the statistics below, a header above.

    Args:
        errors: The errors by functional and solid.
        references: The reference of each solid, in the order of the rows.
        quantity: The name of the quantity, the header of the references' column.
    """
    rows = [["solid", quantity, *(f"{xc} (%)" for xc in errors)]]
    for name, known in references.items():
        rows.append([name, shown(known, "g"), *(shown(found.get(name), "+.2f") for found in errors.values())])
    of = sum(known is not None for known in references.values())
    columns = [statistics(found, of) for found in errors.values()]
    for key, label in STATISTICS.items():
        rows.append([label, "", *(shown(column[key], ".2f") for column in columns)])
    rows.append([COUNTED, "", *map(counted, columns)])
    return rows


def markdown(table: list[list[str]]) -> str:
    """A table, its header first, in Markdown."""
    header, *rows = table
    return "".join(f"| {' | '.join(row)} |\n" for row in [header, ["---"] * len(header), *rows])


def latex(table: list[list[str]]) -> str:
    """A table, its header first, in LaTeX with the rules of the package booktabs."""
    header, *lines = [f"{' & '.join(map(_escaped, row))} \\\\" for row in table]
    last = len(STATISTICS) + 1
    solids, summary = lines[:-last], lines[-last:]
    begin = f"\\begin{{tabular}}{{l{'r' * (len(table[0]) - 1)}}}"
    body = ["\\toprule", header, "\\midrule", *solids, "\\midrule", *summary, "\\bottomrule"]
    return "\n".join([begin, *body, "\\end{tabular}", ""])


def _escaped(cell: str) -> str:
    special = {"\\": r"\textbackslash{}", "^": r"\^{}", "~": r"\~{}"} | {sign: f"\\{sign}" for sign in "&%$#_{}"}
    escaped = "".join(special.get(sign, sign) for sign in cell)
    # A hyphen before a digit is a sign.
    return f"$-${escaped[1:]}" if len(escaped) > 1 and escaped[0] == "-" and escaped[1].isdigit() else escaped


def shown(value: float | None, style: str) -> str:
    """A number in a table; a dash where there is none."""
    return "-" if value is None else f"{value:{style}}"


def plot_errors(path: Path, errors_by_quantity: Mapping[str, Errors], of: Mapping[str, int]) -> None:
    """Write a figure with the errors in percent over the solids, one below the other for each quantity's label.

    Args:
        path: The file.
        errors_by_quantity: The errors by label, functional and solid.
        of: The number of solids that should have an error, by label.
    """
    from matplotlib.figure import Figure

    longest = max(len({name for found in errors.values() for name in found}) for errors in errors_by_quantity.values())
    figure = Figure(figsize=(max(6.0, 0.45 * longest), 4 * len(errors_by_quantity)), layout="constrained")
    places = figure.subplots(len(errors_by_quantity), squeeze=False)[:, 0]
    for axes, (label, errors) in zip(places, errors_by_quantity.items(), strict=True):
        _plot(axes, errors, label, of[label])
    figure.savefig(path, dpi=150)


def _plot(axes: Any, errors: Errors, what: str, of: int) -> None:
    names = list(dict.fromkeys(name for found in errors.values() for name in found))
    axes.axhline(0, color="black", linewidth=0.8)
    for xc, found in errors.items():
        functional = Path(xc).stem if xc.endswith(".safetensors") else xc
        summary = statistics(found, of)
        label = f"{functional}: {shown(summary['mean_absolute'], '.2f')} % ({counted(summary)})"
        axes.plot([names.index(name) for name in found], list(found.values()), "o-", linewidth=0.8, label=label)
    axes.set_xticks(range(len(names)), [name.replace("_", " ") for name in names], rotation=60, ha="right")
    axes.set_ylabel(f"error of the {what} (%)")
    axes.legend(title="mean absolute error")
