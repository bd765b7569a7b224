"""What was understood of the chosen crystal, beside its picture, so that a wrong reading is seen before a run."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from ipywidgets import HTML, Button, VBox

from mlxc.crystal.cell_edits import CellEdit
from mlxc.crystal.crystal import Crystal
from mlxc.crystal.summary import CrystalSummary
from mlxc.crystal.symmetry import conventional_cell
from mlxc_app.choose.model import ChooseModel
from mlxc_app.widgets.message import MessageArea

DRAWN = "What is outside of the frame is drawn for the eye only."


class UnderstoodView:
    """Observes a :class:`ChooseModel`."""

    def __init__(self, model: ChooseModel, messages: MessageArea) -> None:
        self._model = model
        self._words, self._remarks = HTML(), HTML()
        self._primitive = Button(description="Take the primitive cell", tooltip="The same crystal in its smallest cell")
        self._primitive.add_class("mlxc-primitive")
        self.widget = VBox([self._words, self._primitive, self._remarks])
        self._primitive.on_click(messages.guard(lambda button: self._take_primitive(messages)))
        model.observe(self._show, ["structure", "title"])
        model.observe(self._show_remarks, ["remarks", "cell_note"])
        self._show()
        self._show_remarks()

    def _take_primitive(self, messages: MessageArea) -> None:
        messages.clear()
        self._model.take_primitive()

    def _show(self, change: Any = None) -> None:
        summary, model = self._model.summary, self._model
        # What a person repeats or strains on purpose is no news.
        smaller = summary.primitive_in_words if model.edit == CellEdit() else ""
        self._primitive.layout.display = "" if smaller else "none"
        self._words.value = (
            f'<p class="mlxc-muted" title="{DRAWN}">{summary.atoms_in_words} in the cell that is computed '
            f'(blue frame)</p><table class="mlxc-understood">'
            f"{''.join(_row(label, words) for label, words in _rows(model, summary, smaller).items())}</table>"
        )

    def _show_remarks(self, change: Any = None) -> None:
        sentences = [*self._model.remarks, self._model.cell_note]
        self._remarks.value = "".join(
            f'<p class="mlxc-caution" role="status">{escape(sentence)}</p>' for sentence in sentences if sentence
        )


def _rows(model: ChooseModel, summary: CrystalSummary, smaller: str) -> dict[str, str]:
    """The label and the words of what there is to say."""
    rows = {
        "Read from": summary.origin,
        "Formula": f"{summary.content_in_words}, {summary.volume_ang3:.2f} Å³",
        "Space group": summary.group_in_words,
        "Conventional cell": _cell_in_words(Crystal.from_dict(model.structure)),
        "Closest atoms": summary.closest_in_words.replace("angstrom", "Å"),
        "Moments": summary.moments_in_words.replace("Bohr magneton", "μB"),
        "Not primitive": smaller,
    }
    return {label: words for label, words in rows.items() if words}


def _cell_in_words(crystal: Crystal) -> str:
    """Lattice parameters; those that are equal stand together, and right angles are told once."""
    found = conventional_cell(crystal.reduced())
    if found is None:
        return ""
    lengths, angles = found
    lengths, angles = np.round(lengths, 4).tolist(), np.round(angles, 2).tolist()
    return f"{_together(('a', 'b', 'c'), lengths, 'Å')}; {_together(('α', 'β', 'γ'), angles, '°')}"


def _together(names: Sequence[str], values: Sequence[float], unit: str) -> str:
    groups: dict[float, list[str]] = {}
    for name, value in zip(names, values, strict=True):
        groups.setdefault(value, []).append(name)
    space = "" if unit == "°" else " "
    return ", ".join(f"{' = '.join(group)} = {value:g}{space}{unit}" for value, group in groups.items())


def _row(label: str, words: str) -> str:
    return f"<tr><th>{label}</th><td>{escape(words)}</td></tr>"
