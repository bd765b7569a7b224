"""The card in which a person chooses how fine a calculation is."""

from __future__ import annotations

from html import escape
from pathlib import PurePath
from typing import Any

from ipywidgets import HTML, Dropdown, ToggleButtons, VBox, Widget

from mlxc.basis.kinds import BASES
from mlxc.calculation.presets import PRESETS
from mlxc.pseudo.library import FAMILIES
from mlxc_app.choose.electrons_view import ElectronsView
from mlxc_app.choose.field_problem import with_problem
from mlxc_app.choose.labels import LABELS
from mlxc_app.choose.model import CUSTOM, ChooseModel
from mlxc_app.widgets.binding import bind, same
from mlxc_app.widgets.choosing.cards import HOW_FINE, Card, Cards
from mlxc_app.widgets.controls import LABEL, WIDE, number, three_whole_numbers, whole_number
from mlxc_app.widgets.message import MessageArea, caution, hint

SPACING_DIGITS = 3
# The fewest and the most steps of a self-consistent field.
MOST_STEPS = (1, 10_000)
SPACING = "Smaller spacing, more points. Metals need more of them."
TOLERANCE = "Of the density, per electron; the run gives up after the most steps."


class SettingsView:
    """Observes a :class:`ChooseModel`: three presets and what they cost, and all settings once the card is open."""

    def __init__(self, model: ChooseModel, cards: Cards, messages: MessageArea) -> None:
        self._model, self._messages = model, messages
        self._presets = ToggleButtons(options=list(PRESETS), style={"button_width": "112px"})
        self._presets.add_class("mlxc-presets")
        self._meaning, self._spin_note, self._basis_note = HTML(), HTML(), HTML()
        always, notes = [self._presets, self._meaning], [self._basis_note, self._spin_note]
        self._card = Card(HOW_FINE, cards, always, lambda: [SettingsFields(model, messages).widget], messages, notes)
        self.widget = self._card.widget
        self._presets.observe(messages.guard(self._preset_chosen), "value")
        model.observe(self._show_preset, ["preset", "estimate"])
        model.observe(self._show_notes, ["spin", "spin_note", "basis_note"])
        model.observe(self._tell, ["basis", "gaussian_basis", "ecut_ha", "kmesh", "spin"])
        for show in (self._show_preset, self._show_notes, self._tell):
            show()

    def _preset_chosen(self, change: Any) -> None:
        if change["new"] and change["new"] != self._model.preset:
            self._messages.clear()
            self._model.choose_preset(change["new"])

    def _tell(self, change: Any = None) -> None:
        self._card.tell(self._model.settings_in_short())

    def _show_preset(self, change: Any = None) -> None:
        preset = self._model.preset
        self._presets.value = preset or None
        meaning = "Your own settings." if preset == CUSTOM else PRESETS[preset].meaning
        self._meaning.value = (
            f'<p class="mlxc-hint">{escape(meaning)} <strong class="mlxc-estimate">'
            f"{escape(self._model.estimate)}</strong></p>"
        )

    def _show_notes(self, change: Any = None) -> None:
        """What was chosen for a person is told quietly, what may be wrong with a person's choice is not."""
        model = self._model
        self._spin_note.value = hint(model.spin_note) if model.spin else caution(model.spin_note)
        self._basis_note.value = caution(model.basis_note)


class SettingsFields:
    """All settings, in two columns.

    Attributes:
        widget: The fields, and below them how large the calculation is.
    """

    def __init__(self, model: ChooseModel, messages: MessageArea) -> None:
        self._model, self._messages = model, messages
        self._filling = False
        basis = Dropdown(
            options=[(kind.title, name) for name, kind in BASES.items()], description=LABELS["basis"], layout=WIDE
        )
        self._cutoff = number(LABELS["ecut_ha"], 1)
        self._sets = Dropdown(description=LABELS["gaussian_basis"], layout=WIDE)
        self._set_place = with_problem(model, "gaussian_basis", self._sets)
        self._mesh = three_whole_numbers(
            LABELS["kmesh"], ("n₁", "n₂", "n₃"), "mlxc-mesh", lambda: model.kmesh, self._mesh_chosen, messages
        )
        self._spacing = number("k spacing (1/Å)", 0.02, tooltip=SPACING)
        self._families = Dropdown(description=LABELS["pseudo"], layout=WIDE)
        tolerance = number(LABELS["tolerance"], 1e-6, tooltip=TOLERANCE)
        steps = whole_number(
            model, "max_iterations", messages, LABELS["max_iterations"], MOST_STEPS, style=LABEL, layout=WIDE
        )
        self._size = HTML()
        electrons = ElectronsView(model, messages)
        pseudo = with_problem(model, "pseudo", self._families)
        for wide in (self._set_place, pseudo):
            wide.add_class("mlxc-wide")
        fields: list[Widget] = [
            with_problem(model, "basis", basis), with_problem(model, "ecut_ha", self._cutoff), self._set_place,
            with_problem(model, "kmesh", self._mesh), self._spacing, *electrons.smearing, pseudo,
            with_problem(model, "tolerance", tolerance), with_problem(model, "max_iterations", steps),
            *electrons.spin,
        ]  # fmt: skip
        columns = VBox(fields)
        columns.add_class("mlxc-two-columns")
        self.widget = VBox([columns, self._size])
        for trait, widget in (
            ("ecut_ha", self._cutoff),
            ("basis", basis),
            ("tolerance", tolerance),
        ):
            bind(model, trait, widget, messages)
        self._sets.observe(messages.guard(self._set_chosen), "value")
        self._spacing.observe(messages.guard(self._spacing_chosen), "value")
        self._families.observe(messages.guard(self._family_chosen), "value")
        model.observe(self._show_basis, ["basis", "gaussian_sets", "gaussian_basis"])
        model.observe(self._show_mesh, ["kmesh", "spacing_per_ang"])
        model.observe(messages.guard(self._show_families), ["structure", "basis", "pseudo"])
        model.observe(self._show_size, "size")
        for show in (self._show_basis, self._show_mesh, self._show_families, self._show_size):
            show()

    def _set_chosen(self, change: Any) -> None:
        if not self._filling and change["new"]:
            self._model.gaussian_basis = change["new"]

    def _spacing_chosen(self, change: Any) -> None:
        if not same(change["new"], round(self._model.spacing_per_ang, SPACING_DIGITS)):
            self._messages.clear()
            self._model.choose_spacing(change["new"])

    def _mesh_chosen(self, mesh: tuple[int, ...]) -> None:
        self._model.kmesh = mesh

    def _family_chosen(self, change: Any) -> None:
        if not self._filling and change["new"]:
            self._model.pseudo = change["new"]

    def _show_basis(self, change: Any = None) -> None:
        """The list of sets is renewed; in between, the widget believes that the first was chosen."""
        model = self._model
        self._filling = True
        try:
            if self._sets.options != model.gaussian_sets:
                self._sets.options = model.gaussian_sets
            self._sets.value = model.gaussian_basis if model.gaussian_basis in model.gaussian_sets else None
        finally:
            self._filling = False
        self._set_place.layout.display = "" if "gaussian_basis" in model.kind.own_settings else "none"
        self._cutoff.tooltip = f"Of {model.kind.cutoff_of}"

    def _show_mesh(self, change: Any = None) -> None:
        for field, points in zip(self._mesh.children[1:], self._model.kmesh, strict=True):
            field.value = points
        self._spacing.value = round(self._model.spacing_per_ang, SPACING_DIGITS)

    def _show_families(self, change: Any = None) -> None:
        self._filling = True
        try:
            names = list(dict.fromkeys([*self._model.families(), self._model.pseudo]))
            # A folder is called by its own name: where it lies is the server's business.
            self._families.options = [(FAMILIES.get(name, f"the folder {PurePath(name).name}"), name) for name in names]
            self._families.value = self._model.pseudo
        finally:
            self._filling = False

    def _show_size(self, change: Any = None) -> None:
        self._size.value = f'<p class="mlxc-hint">{escape(self._model.size)}</p>'
