"""Where a training begins, what it learns and how: the controls of :class:`TrainingSettings`."""

from __future__ import annotations

from typing import Any

from ipywidgets import HTML, Checkbox, Dropdown, HBox, VBox, Widget

from mlxc_app.panels.train.model import TrainModel
from mlxc_app.panels.train.settings import FORCES, LEARNABLE, LIMITS, TEACHERS
from mlxc_app.panels.train.starts import starts
from mlxc_app.widgets.binding import bind
from mlxc_app.widgets.controls import WIDE, number, whole_number
from mlxc_app.widgets.disclosure import Disclosure
from mlxc_app.widgets.message import MessageArea

# Two fields stand in a row.
LABEL = {"description_width": "90px"}
OPTIMISERS = (("Adam", "adam"), ("L-BFGS", "lbfgs"))


# Of each field for a weight: its label, its trait, and what it weighs, with what counts as one.
_WEIGHTS = (
    ("a₀", "lattice_weight", "lattice constants, in percent of error"),
    ("B₀", "bulk_weight", "bulk moduli, in tens of percent of error"),
    ("Cohesion", "cohesive_weight", "cohesive energies, in tenths of an electronvolt per atom"),
    ("E(V)", "curve_weight", "the distance from the teacher's equations of state, in millielectronvolts per atom"),
    ("Gaps", "gap_weight", "gaps, in tenths of an electronvolt"),
    ("Moments", "moment_weight", "magnetisations, in tenths of a Bohr magneton"),
    ("Densities", "density_weight", "the distance from the teacher's densities, in percent"),
    ("Forces", "force_weight", "the distance from the teacher's forces, with an atom moved by 0.1 Å, in mHa/bohr"),
)
_WEIGHTED = "Weights, 0 for none."
_NEEDS_RESPONSE = "The last four of them need self-consistent states, which take minutes."
_SLOW = "Each step converges each solid anew, which takes minutes: few solids, few steps."
_MOVED = "Forces are learned of solids with two atoms in the cell, one of them moved by 0.1 Å."
_MEANINGS = (
    "Patience: after so many steps without a better validation loss it ends; 0 for never. Stay near, Smooth and "
    "Lieb-Oxford are weights of penalties, 0 for none: on the distance of F from where it began, on new curvature of "
    "F, and on what exceeds the bound that exact exchange-correlation obeys. Seed: another one, another fresh network."
)
_ABSOLUTE = "Errors count as they are and not squared, so that a few solids may stay wrong"


class SettingsView:
    """Shows and changes the settings of a :class:`TrainModel`.

    Attributes:
        widget: The controls.
    """

    def __init__(self, model: TrainModel, messages: MessageArea) -> None:
        self._model, self._settings, self._messages = model, model.settings, messages
        self._start = Dropdown(description="Start from", style=LABEL, layout=WIDE)
        self._list_starts()
        bind(self._settings, "start", self._start, messages)
        self._width = self._whole("Units", "width", 1, "Of each of the two hidden layers")
        more = Disclosure("More: optimiser and regularisers", self._make_more, messages)
        self._response_hint = HTML()
        weights = [
            self._field(words, trait, number("", 0.1), f"Weight of {tooltip}") for words, trait, tooltip in _WEIGHTS
        ]
        rows = [_row(weights[first : first + 2]) for first in range(0, len(weights), 2)]
        self._teacher = Dropdown(options=TEACHERS)
        taught = self._field("Teacher", "teacher", self._teacher, "Whose E(V), densities and forces are learned")
        usual = [
            self._field("Rate", "rate", number("", 0.001), "How far a step moves the parameters"),
            self._whole("Steps", "steps", 50, "The most steps of a round"),
        ]
        self._rate_hint = HTML()
        self.widget = VBox(
            [
                self._start, self._width, *rows, taught, self._response_hint, _row(usual), self._rate_hint,
                more.widget,
            ]
        )  # fmt: skip
        traits = [one.trait for one in LEARNABLE]
        self._settings.observe(messages.guard(self._show), ["start", "kind", "rate", *traits])
        self._show()

    def list_again(self) -> None:
        """The visitor has another functional."""
        self._list_starts()

    def _list_starts(self) -> None:
        chosen = self._settings.start
        options = starts(self._model.owner)
        self._start.options = [(start.label, start) for start in [*options, *([] if chosen in options else [chosen])]]
        self._start.value = chosen

    def _field(self, label: str, trait: str, widget: Any, tooltip: str = "") -> Any:
        widget.description, widget.style, widget.layout, widget.tooltip = label, LABEL, WIDE, tooltip or label
        bind(self._settings, trait, widget, self._messages)
        return widget

    def _whole(self, label: str, trait: str, step: int, tooltip: str) -> Any:
        common: dict[str, Any] = {"style": LABEL, "layout": WIDE, "tooltip": tooltip, "step": step}
        return whole_number(self._settings, trait, self._messages, label, LIMITS[trait], **common)

    def _make_more(self) -> list[Widget]:
        kind = self._field("Optimiser", "kind", Dropdown(options=OPTIMISERS))
        absolute = Checkbox(description="absolute errors", indent=False, tooltip=_ABSOLUTE)
        bind(self._settings, "absolute", absolute, self._messages)
        fields = [
            self._whole("Patience", "patience", 10, "Steps without a better validation; 0 for no end"),
            self._field("Stay near", "stay_near", number("", 10), "Weight of the squared distance of F from the start"),
            self._field("Smooth", "smooth", number("", 1), "Weight of the curvature of F along s that is new"),
            self._field("Lieb-Oxford", "bound", number("", 10), "Weight of what exceeds the bound"),
            self._whole("Seed", "seed", 1, "Of the weights of a fresh network"),
        ]
        rows = [_row([fields[0], fields[4]]), _row(fields[1:3]), _row([fields[3], absolute])]
        return [kind, *rows, HTML(f'<p class="mlxc-hint">{_MEANINGS}</p>')]

    def _show(self, change: Any = None) -> None:
        settings = self._settings
        hints = [_WEIGHTED, _SLOW if settings.needs_response else _NEEDS_RESPONSE]
        hints += [_MOVED] if FORCES in settings.learned else []
        self._response_hint.value = f'<p class="mlxc-hint">{" ".join(hints)}</p>'
        self._teacher.disabled = not settings.needs_teacher
        self._width.layout.display = "" if settings.start.rung else "none"
        is_usual = settings.rate == settings.suitable_rate
        words = "" if is_usual else f"Rate: you chose {settings.rate:g}; {settings.suitable_rate:g} suits this start."
        self._rate_hint.value = f'<p class="mlxc-hint">{words}</p>' if words else ""


def _row(widgets: list[Any]) -> HBox:
    row = HBox(widgets)
    row.add_class("mlxc-train-row")
    return row
