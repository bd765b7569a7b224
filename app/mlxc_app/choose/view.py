"""The column in which a person chooses crystal, functional and settings."""

from __future__ import annotations

from ipywidgets import VBox

from mlxc_app.choose.functional_picker import FunctionalPicker
from mlxc_app.choose.model import ChooseModel
from mlxc_app.choose.settings_view import SettingsView
from mlxc_app.choose.structure_view import StructureView
from mlxc_app.widgets.choosing.cards import Cards
from mlxc_app.widgets.message import MessageArea
from mlxc_app.widgets.theme import Theme


class ChooseView:
    """Observes a :class:`ChooseModel`: three cards.

    Attributes:
        structure: The card of the crystal.
        functional: The card of the functional.
        widget: The column.
    """

    def __init__(self, model: ChooseModel, cards: Cards, messages: MessageArea, theme: Theme) -> None:
        self.structure = StructureView(model, cards, messages, theme)
        self.functional = FunctionalPicker(model, cards, messages)
        self.widget = VBox(
            [
                self.structure.widget,
                self.functional.widget,
                SettingsView(model, cards, messages).widget,
            ]
        )
