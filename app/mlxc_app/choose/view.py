"""The column in which a person chooses crystal, functional and settings."""

from __future__ import annotations

from ipywidgets import HTML, VBox

from mlxc_app.choose.functional_picker import FunctionalPicker
from mlxc_app.choose.model import ChooseModel
from mlxc_app.choose.settings_view import SettingsView
from mlxc_app.choose.structure_view import StructureView
from mlxc_app.widgets.controls import LABEL, WIDE
from mlxc_app.widgets.message import MessageArea
from mlxc_app.widgets.theme import Theme


class ChooseView:
    """Observes a :class:`ChooseModel`.

    Attributes:
        functional: The list of functionals.
    """

    def __init__(self, model: ChooseModel, messages: MessageArea, theme: Theme) -> None:
        self.functional = FunctionalPicker(model, messages, style=LABEL, layout=WIDE)
        self.widget = VBox(
            [
                HTML("<h2>1. Crystal</h2>"),
                StructureView(model, messages, theme).widget,
                HTML("<h2>2. Exchange and correlation</h2>"),
                self.functional.widget,
                HTML("<h2>3. How fine</h2>"),
                SettingsView(model, messages).widget,
            ]
        )
