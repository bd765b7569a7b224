"""What came of a screening: tables in Markdown, LaTeX and CSV, and a plot."""

from __future__ import annotations

import csv
from dataclasses import asdict, fields
from pathlib import Path

from mlxc.frozen.library import FrozenLibrary
from mlxc.frozen.screening import Screening
from mlxc.frozen.screening_row import ScreeningRow
from mlxc.frozen.uncertainty.report import uncertainty_report
from mlxc.solids.error_statistics import error_table, latex, markdown, plot_errors, shown

# What is judged: the name in a row, its reference's name in a table of solids, and words for people.
QUANTITIES = {
    "lattice_constant": ("lattice_constant_ang", "lattice constant"),
    "bulk_modulus": ("bulk_modulus_gpa", "bulk modulus"),
}


def tables(screening: Screening, library: FrozenLibrary) -> dict[str, list[list[str]]]:
    """The table of errors of each quantity, its header first, by the quantity's words."""
    solids = list(dict.fromkeys(row.solid for row in screening.rows))
    return {
        words: error_table(
            screening.errors(quantity),
            {name: library.solids[name].references.get(reference) for name in solids},
            reference,
        )
        for quantity, (reference, words) in QUANTITIES.items()
    }


def markdown_report(screening: Screening, library: FrozenLibrary) -> str:
    """Both tables, cohesive energies where there are any, and what is missing, with the reason."""
    parts = [f"Error of the {words}\n\n{markdown(table)}" for words, table in tables(screening, library).items()]
    cohesive = [row for row in screening.rows if row.cohesive_energy_ev is not None]
    if cohesive:
        parts.append(f"Cohesive energy (eV per atom)\n\n{markdown(_cohesive_table(cohesive, library))}")
    parts += filter(None, [uncertainty_report(screening, library)])
    parts += [f"{row.functional}, {row.solid}: {row.message}" for row in screening.rows if row.message]
    made = f"densities of {screening.density_functional}, library {screening.library[:19]}, {screening.seconds:.1f} s"
    return "\n".join([*parts, made])


def _cohesive_table(rows: list[ScreeningRow], library: FrozenLibrary) -> list[list[str]]:
    functionals = list(dict.fromkeys(row.functional for row in rows))
    values = {(row.solid, row.functional): row.cohesive_energy_ev for row in rows}
    table = [["solid", "reference", *functionals]]
    for name in dict.fromkeys(row.solid for row in rows):
        known = library.solids[name].references.get("cohesive_energy_ev")
        table.append([name, shown(known, ".3f"), *(shown(values.get((name, xc)), ".3f") for xc in functionals)])
    return table


def write_csv(screening: Screening, path: Path) -> None:
    """Write all rows."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(ScreeningRow)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in screening.rows)


def write_latex(screening: Screening, library: FrozenLibrary, path: Path) -> None:
    """Write a tabular of each quantity; they need the package booktabs."""
    parts = [f"% error of the {words}\n{latex(table)}" for words, table in tables(screening, library).items()]
    path.write_text("\n".join(parts), encoding="utf-8")


def write_plot(screening: Screening, path: Path) -> None:
    """Draw the errors of all functionals over the solids."""
    plot_errors(
        path,
        {words: screening.errors(quantity) for quantity, (_, words) in QUANTITIES.items()},
        {words: screening.measured(quantity) for quantity, (_, words) in QUANTITIES.items()},
    )
