"""The picture of the set: a tile for each solid, as in the periodic table, which a click puts into a list."""

from __future__ import annotations

from typing import Any

from ipywidgets import HTML, Button, HBox, Layout, ToggleButtons, VBox

from mlxc_app.panels.train.solids import LISTS, PRESETS, SolidLists, tiles
from mlxc_app.widgets.binding import bind
from mlxc_app.widgets.message import MessageArea

FILLS = {"training": "learn from", "validation": "validate on", "test": "test on"}
_HINT = (
    '<p class="mlxc-hint">A click puts a solid into the list that is marked, or takes it out again. Solids to learn '
    "from teach; those to validate on decide which step is best; those to test on only tell what happens elsewhere.</p>"
)


class SolidsView:
    """Observes a :class:`SolidLists`.

    Attributes:
        widget: The presets, the list that is being filled, and the picture.
    """

    def __init__(self, model: SolidLists, messages: MessageArea) -> None:
        self._model, self._messages = model, messages
        fills = ToggleButtons(options=[(words, which) for which, words in FILLS.items()])
        fills.add_class("mlxc-train-fills")
        bind(model, "filled", fills, messages)
        presets = HBox([self._preset(name) for name in PRESETS])
        presets.add_class("mlxc-panel-row")
        self._tiles = {tile.name: self._tile(tile.name, tile.label, tile.meaning) for tile in tiles()}
        places = [(tile, self._tiles[tile.name]) for tile in tiles()]
        for tile, button in places:
            button.layout = Layout(grid_area=f"{tile.row} / {tile.column}")
        picture = VBox([button for _, button in places])
        picture.add_class("mlxc-train-set")
        self._count = HTML()
        row = HBox([fills, self._count])
        row.add_class("mlxc-panel-row")
        self.widget = VBox([presets, row, picture, HTML(_HINT)])
        model.observe(messages.guard(self._show), "lists")
        self._show()

    def _preset(self, name: str) -> Button:
        button = Button(description=name, tooltip=f"Take these lists: {name}")
        button.on_click(self._messages.guard(lambda _: self._model.take(PRESETS[name])))
        return button

    def _tile(self, name: str, label: str, meaning: str) -> Button:
        button = Button(description=label, tooltip=meaning)
        button.on_click(self._messages.guard(lambda _: self._model.click(name)))
        return button

    def _show(self, change: Any = None) -> None:
        for name, button in self._tiles.items():
            which = self._model.lists.get(name)
            for other in LISTS:
                (button.add_class if other == which else button.remove_class)(f"mlxc-train-{other}")
        self._count.value = " ".join(
            f'<span class="mlxc-train-chip mlxc-train-{which}">{len(self._model.names(which))} to {words}</span>'
            for which, words in FILLS.items()
        )
