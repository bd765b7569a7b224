"""Finished runs side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from traitlets import HasTraits, Instance, Tuple

from mlxc.errors import InputError
from mlxc.export.tables import csv_text
from mlxc.runs.folder import RunFolder
from mlxc.tasks.kinds import title_of
from mlxc_app.choose.setup_difference import difference_sentence, setup_differences
from mlxc_app.panels.compare.compared_run import ComparedRun, compared_run, difference_mha
from mlxc_app.panels.compare.live_model import LiveColumn, LiveModel
from mlxc_app.run.model import RunModel
from mlxc_app.run.past_runs import Structure, same_structure
from mlxc_app.run.runs_list_model import visible_runs

MOST_RUNS = 8
# As many of the latest runs as there are to choose from.
LISTED = 60
LETTERS = "ABCDEFGH"
# As many are compared when a person comes who has chosen none.
BEGIN_WITH = 2
COMPARABLE = ("finished", "not converged")


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        label: What it says of each run, with the unit.
        key: Its name in the CSV.
        text: What a person is told of a run; empty where there is nothing to say.
        value: What the CSV says of a run.
    """

    label: str
    key: str
    text: Callable[[ComparedRun, ComparedRun], str]
    value: Callable[[ComparedRun, ComparedRun], Any]


@dataclass(frozen=True)
class Comparison:
    """What the panel shows.

    Attributes:
        runs: The columns; the first of them is what others are compared with.
        sentences: How the set-ups of the others differ from that of the first, and what else is to be said.
    """

    runs: tuple[ComparedRun, ...] = ()
    sentences: tuple[str, ...] = ()


class CompareModel(HasTraits):
    """Which runs there are, and which of them are compared.

    Attributes:
        available: The (label, folder) of finished runs, the newest first.
        chosen: The folders of the runs that are compared, at most ``MOST_RUNS``.
        comparison: The comparison of the chosen runs, each followed by what other codes find for the same.
        live: The computation in another code.
    """

    available = Tuple()
    chosen = Tuple()
    comparison = Instance(Comparison, args=())

    def __init__(self, run: RunModel) -> None:
        super().__init__()
        self._run = run
        self.live = LiveModel()
        self.refresh()
        run.observe(self.refresh, "state")
        self.live.observe(self._compare_again, "columns")

    def refresh(self, change: Any = None) -> None:
        """Look for runs again."""
        if self._run.active:
            return
        self.available = tuple(comparable_runs(self._run.owner))
        there = {folder for _, folder in self.available}
        if not there.issuperset(self.chosen):
            self.choose(tuple(folder for folder in self.chosen if folder in there))

    def begin(self, structure: Structure) -> None:
        """Compare the two latest runs of a crystal, unless something is compared already."""
        if self.chosen:
            return
        folders = (folder for _, folder in self.available)
        alike = (folder for folder in folders if same_structure(RunFolder(Path(folder)).structure, structure))
        latest = tuple(islice(alike, BEGIN_WITH))
        if len(latest) == BEGIN_WITH:
            self.choose(latest)

    def choose(self, folders: tuple[str, ...]) -> None:
        """Compare these runs.

        Raises:
            InputError: they are too many, or one cannot be read; what was compared before stays.
        """
        if len(folders) > MOST_RUNS:
            raise InputError(f"At most {MOST_RUNS} runs can be compared at a time; {len(folders)} are chosen.")
        comparison = compare(folders, self.live.columns)
        self.chosen, self.comparison = folders, comparison

    def _compare_again(self, change: Any) -> None:
        self.comparison = compare(self.chosen, self.live.columns)


def compare(folders: tuple[str, ...], live: Mapping[str, tuple[LiveColumn, ...]]) -> Comparison:
    """Read runs and say how their set-ups differ.

    Args:
        folders: The folders of the runs.
        live: What other codes have found for the same, by folder.

    Raises:
        InputError: one cannot be read.
    """
    runs = tuple(
        compared_run(RunFolder(Path(folder)), letter) for folder, letter in zip(folders, LETTERS, strict=False)
    )
    sentences = tuple(
        difference_sentence(runs[0].letter, run.letter, setup_differences(runs[0].calculation, run.calculation))
        for run in runs[1:]
    )
    found = [(run, live.get(folder, ())) for run, folder in zip(runs, folders, strict=True)]
    columns = tuple(column for run, others in found for column in (run, *(other.beside(run) for other in others)))
    remarks = tuple(remark for _, others in found for other in others for remark in other.remarks)
    return Comparison(columns, (*sentences, *remarks))


def comparable_runs(owner: str) -> list[tuple[str, str]]:
    """The (label, folder) of the latest runs of crystals with a result that a visitor may see, the newest first."""
    found = []
    for folder in visible_runs(owner)[:LISTED]:
        if (status := folder.status)["state"] in COMPARABLE and folder.structure:
            when = time.strftime("%d %b %H:%M", time.localtime(status.get("ended", 0)))
            kind = title_of(folder.kind)
            found.append((f"{when}: {folder.title} ({kind}, {status['state']})", str(folder.path)))
    return found


def signed(value: float | None, form: str) -> str:
    """A number with a true minus sign; a dash where there is none."""
    return "–" if value is None else format(value, form).replace("-", "−")


def _setting(label: str) -> Row:
    return Row(label, label.replace(" ", "_"), lambda run, _: run.settings[label], lambda run, _: run.settings[label])


def _number(label: str, key: str, form: str) -> Row:
    return Row(label, key, lambda run, _: signed(run.results.get(key), form), lambda run, _: run.results.get(key))


SETTING_ROWS = tuple(
    map(_setting, ("structure", "functional", "basis", "cutoff", "k mesh", "smearing", "pseudopotentials"))
)
RESULT_ROWS = (
    Row(
        "F per atom (Ha)",
        "free_energy_per_atom_ha",
        lambda run, _: signed(run.energy_per_atom_ha, ".6f"),
        lambda run, _: run.energy_per_atom_ha,
    ),
    Row(
        "difference from A (mHa per atom)",
        "difference_mha_per_atom",
        lambda run, first: "" if run is first else signed(difference_mha(run, first), "+.3f"),
        lambda run, first: difference_mha(run, first),
    ),
    _number("a₀ (Å)", "lattice_constant_ang", ".4f"),
    _number("B (GPa)", "bulk_modulus_gpa", ".1f"),
    _number("layer modulus (N/m)", "in_plane_modulus_n_per_m", ".1f"),
    _number("B′", "bulk_modulus_derivative", ".2f"),
    _number("gap (eV)", "gap_ev", ".3f"),
    _number("magnetisation (μB per cell)", "magnetisation_bohr_magneton", ".3f"),
    _number("SCF steps", "iterations", ".0f"),
    _number("time (s)", "seconds", ".1f"),
)


def error_labels(runs: tuple[ComparedRun, ...]) -> list[tuple[str, str]]:
    """The (quantity, reference) of all errors that some run has."""
    return list(dict.fromkeys((error.quantity, error.reference) for run in runs for error in run.errors))


def error_percent(run: ComparedRun, quantity: str, reference: str) -> float | None:
    """One error of a run, None if it has none."""
    found = (e.percent for e in run.errors if (e.quantity, e.reference) == (quantity, reference))
    return next(found, None)


def comparison_csv(comparison: Comparison) -> str:
    """The table as comma-separated values, a row per run."""
    rows = []
    for run in comparison.runs:
        row: dict[str, Any] = {"run": run.letter, "title": run.title, "kind": run.kind, "state": run.state}
        row |= {entry.key: entry.value(run, comparison.runs[0]) for entry in (*SETTING_ROWS, *RESULT_ROWS)}
        for quantity, reference in error_labels(comparison.runs):
            name = {"a₀": "a0", "B": "B"}[quantity]
            row[f"{name}_error_percent_vs_{reference}"] = error_percent(run, quantity, reference)
        rows.append(row)
    return csv_text(rows)
