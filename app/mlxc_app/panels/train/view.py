"""The panel on which a functional learns before one's eyes."""

from __future__ import annotations

from html import escape
from typing import Any

from ipywidgets import HTML, Button, FloatText, HBox, IntSlider, Text, ToggleButton, VBox

from mlxc_app.panels.panel import MODELS, Page, Panel
from mlxc_app.panels.train.adjoint_view import AdjointView
from mlxc_app.panels.train.model import FURTHER_ROUNDS, TrainModel
from mlxc_app.panels.train.picture import TrainPicture
from mlxc_app.panels.train.plots import PLOTS
from mlxc_app.panels.train.settings import TrainingSettings, in_words
from mlxc_app.panels.train.settings_view import SettingsView
from mlxc_app.panels.train.solids import TEST, TRAINING, VALIDATION
from mlxc_app.panels.train.solids_view import SolidsView
from mlxc_app.widgets.binding import bind
from mlxc_app.widgets.disclosure import Disclosure
from mlxc_app.widgets.live_figure import InStep
from mlxc_app.widgets.message import MessageArea
from mlxc_app.widgets.typeset import told

ABOUT = (
    "A functional learns here: its parameters are moved step by step until lattice constants come out as they are "
    "measured. The densities are those of PBE and stay as they are, so that a step takes milliseconds; energies do not "
    "change to first order when the density does. The plots are the loss; the factor F<sub>xc</sub> by which the "
    "functional enhances local exchange, beside PBE's; the error of each solid; and how large the gradients are."
)
_CAPTION = (
    "Where a solid's error began, a thin line begins that leads to where it is. |dL/dθ| says how strongly the loss "
    "pulls at each parameter, or at all weights of a layer together."
)


def train_panel(page: Page) -> Panel:
    """The panel of trainings."""
    model = TrainModel(page.run, page.choose)
    return Panel(
        "Train", f"<p>{ABOUT}</p>", lambda: TrainView(model, page.messages).widget, group=MODELS, kinds=("training",)
    )


class TrainView:
    """Observes a :class:`TrainModel`."""

    def __init__(self, model: TrainModel, messages: MessageArea) -> None:
        self._model, self._messages = model, messages
        self._settings = SettingsView(model, messages)
        self.figures = [plot.figure(model.picture) for plot in PLOTS.values()]
        self._adjoints = AdjointView()
        # They are sent together, so that all show the same step, and drawn in turn: the last one tells that all are.
        self._in_step = InStep(self.figures[-1], self._draw, messages.guard)
        self._words, self._caption = HTML(), HTML()
        self._choices = Disclosure("What to learn, from which solids", self._make_choices, messages)
        self.widget = VBox(
            [
                self._make_buttons(),
                self._choices.widget,
                self._words,
                self._make_scrubber(),
                self._make_plots(),
                self._caption,
                self._adjoints.widget,
                self._make_end(),
            ]
        )
        model.observe(messages.guard(self._show), ["picture", "running", "paused"])
        model.observe(messages.guard(self._show_state), ["running", "can_keep", "paused"])
        model.settings.observe(messages.guard(self._show_before))
        model.settings.solids.observe(messages.guard(self._show_before), "lists")
        self._show()
        self._show_state()
        if not model.picture.title:
            self._choices.unfold()

    def _make_choices(self) -> list[Any]:
        row = HBox([self._settings.widget, SolidsView(self._model.settings.solids, self._messages).widget])
        row.add_class("mlxc-train-choices")
        return [row]

    def _make_buttons(self) -> HBox:
        start = Button(description="Start", button_style="primary", tooltip="Train what is chosen below")
        start.on_click(self._messages.starting(self._begin))
        self._pause = ToggleButton(tooltip="Wait before the next step; press again to go on")
        bind(self._model, "paused", self._pause, self._messages)
        self._rate = FloatText(description="Rate now", step=0.001, tooltip="From the next step on")
        bind(self._model, "live_rate", self._rate, self._messages)
        self._stop = Button(description="Stop training", tooltip="What has been learned so far is kept")
        self._stop.on_click(self._messages.guard(lambda _: self._model.stop()))
        row = HBox([start, self._pause, self._rate, self._stop])
        row.add_class("mlxc-panel-row")
        return row

    def _make_plots(self) -> HBox:
        plots = HBox(self.figures)
        plots.add_class("mlxc-train-plots")
        return plots

    def _make_scrubber(self) -> HBox:
        self._slider = IntSlider(description="Step", min=0, max=1, continuous_update=True)
        self._latest = Button(description="Latest", tooltip="Follow the training again")
        self._slider.observe(self._messages.guard(self._scrubbed), "value")
        self._latest.on_click(self._messages.guard(lambda _: setattr(self._model, "shown", -1)))
        row = HBox([self._slider, self._latest])
        row.add_class("mlxc-train-scrubber")
        return row

    def _make_end(self) -> HBox:
        self._name = Text(description="Call it")
        bind(self._model, "kept_name", self._name, self._messages)
        self._keep = Button(description="Keep this functional", tooltip="Among your functionals, for all that there is")
        self._keep.on_click(self._messages.guard(self._kept))
        self._confirm = Button(
            description="Confirm self-consistently",
            tooltip=f"{FURTHER_ROUNDS} rounds at densities of the new functional",
        )
        self._confirm.on_click(self._messages.starting(self._model.confirm))
        self._cost = HTML()
        self._end = HBox([self._name, self._keep, self._confirm, self._cost])
        self._end.add_class("mlxc-panel-row")
        return self._end

    def _begin(self) -> None:
        """Train, and make room for what is to be seen of it."""
        self._model.start()
        self._choices.fold()

    def _kept(self, button: Button) -> None:
        name = self._model.keep()
        self._settings.list_again()
        self._messages.show_result(
            "success", f"{name} is kept and chosen on the left: Run, Diagnose and all else can take it."
        )

    def _scrubbed(self, change: Any) -> None:
        """A person goes back, or forward to the last step, which is followed again."""
        if change["new"] != self._model.picture.shown:
            self._model.shown = -1 if change["new"] >= self._model.picture.last else change["new"]

    def _draw(self, picture: TrainPicture) -> None:
        for plot, figure in zip(PLOTS.values(), self.figures, strict=True):
            plot.show(figure, picture)

    def _show(self, change: Any = None) -> None:
        picture = self._model.picture
        self._in_step.show(picture, others_follow=self._model.running and not self._model.paused)
        self._adjoints.show(picture.adjoints)
        self._words.value = words_of(picture) if picture.title else _before(self._model.settings)
        caption = f"{picture.loss_words} {_CAPTION}" if picture.loss_words else ""
        self._caption.value = f'<p class="mlxc-hint">{escape(caption)}</p>'
        self._slider.max = max(1, picture.last)
        self._slider.value = max(0, picture.shown)

    def _show_before(self, change: Any) -> None:
        """Before there is a training, the words are about what is chosen."""
        if not self._model.picture.title:
            self._words.value = _before(self._model.settings)

    def _show_state(self, change: Any = None) -> None:
        model = self._model
        self._pause.description = "Go on" if model.paused else "Pause"
        for widget in (self._pause, self._rate, self._stop):
            widget.layout.display = "" if model.running else "none"
        self._end.layout.display = "" if model.can_keep else "none"
        cost = model.cost_of_confirming if model.can_keep else ""
        told = f"To confirm takes {cost}." if cost else ""
        self._cost.value = f'<span class="mlxc-muted mlxc-cost">{escape(told)}</span>'


def _before(settings: TrainingSettings) -> str:
    """What “Start” would do."""
    measured = [one for one in settings.learned if not one.is_taught]
    taught = [one for one in settings.learned if one.is_taught]
    quantities = [f"measured {in_words(measured)}"] if measured else []
    quantities += [f"{settings.teacher}'s {in_words(taught)}"] if taught else []
    counts = {which: len(settings.names(which)) for which in (TRAINING, VALIDATION, TEST)}
    others = counts[VALIDATION] + counts[TEST]
    told = f"; {others} others tell whether it has learned more than these" if others else ""
    learned, solids = " and ".join(quantities) or "nothing yet", "solid" if counts[TRAINING] == 1 else "solids"
    return (
        f'<p class="mlxc-placeholder">Press “Start”: {escape(settings.start.label)}, learns from {learned} of '
        f"{counts[TRAINING]} {solids}{told}.</p>"
    )


def words_of(picture: TrainPicture) -> str:
    """What is happening, and the numbers of the step that is shown."""
    moved = [f"{name} {now:.4f} (began at {start:.4f})" for name, (now, start) in picture.parameters.items()]
    if picture.shown >= 0 and picture.shown < picture.last:
        moved.insert(0, f"step {picture.shown} of {picture.last} is shown")
    details = f'<p class="mlxc-muted">{told("; ".join(moved))}</p>' if moved else ""
    return f"<h3>{escape(picture.title)}</h3><p>{told(picture.words)}</p>{details}"
