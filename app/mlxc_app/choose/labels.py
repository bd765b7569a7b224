"""What the settings are called on the page, and sentences about them in these words."""

from __future__ import annotations

from mlxc.calculation.calculation import Calculation
from mlxc.calculation.setting import settings_table

# What a person edits beyond the settings of a calculation.
_EDITS = {
    "moments": "Starting moment",
    "lattice_constant_ang": "Constant a (Å)",
    "scale_percent": "Scale (%)",
    "strain_percent": "Strain (%)",
    "height_ang": "Height of cell (Å)",
    "repeats": "Supercell",
}
_TABLE = settings_table(Calculation)
LABELS = {name: setting.title for name, setting in _TABLE.items()} | _EDITS
SETTINGS = tuple(name for name, setting in _TABLE.items() if setting.on_page)


def field_of(sentence: str) -> str:
    """The setting that a sentence such as ``kmesh.0: ...`` is about; empty if it names none."""
    field = sentence.partition(":")[0].split(".")[0]
    return field if field in LABELS else ""


def in_words_of_the_page(sentence: str) -> str:
    """A sentence about a field, such as ``kmesh.0: ...``, with the label that the field has on the page."""
    field = field_of(sentence)
    return f"{LABELS[field]}:{sentence.partition(':')[2]}" if field else sentence
