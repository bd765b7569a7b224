"""Where a loss and a step are chosen, the plots of the gradient, and what it came to in words."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import plotly.graph_objects as go
from ipywidgets import HTML, Button, Dropdown, FloatText, HBox, Text, VBox

from mlxc.observables.catalogue import LOSSES
from mlxc_app.choose.model import ChooseModel
from mlxc_app.panels.gradients.charts import (
    CHARTS,
    HEAT_MAP,
    MAP_EXPLANATION,
    Chart,
    heat_map,
    suggestion,
    traces,
)
from mlxc_app.panels.gradients.model import GradientModel, GradientPicture
from mlxc_app.panels.panel import MODELS, Page, Panel
from mlxc_app.panels.starting import Start, StartingView
from mlxc_app.widgets.binding import bind
from mlxc_app.widgets.live_figure import axis, live_figure
from mlxc_app.widgets.message import MessageArea
from mlxc_app.widgets.typeset import told

ABOUT = (
    "A loss L says in one number how wrong a result is. Its gradient dL/dθ says how each parameter θ of the "
    "functional should change. It flows from the converged density back to the functional: energies need only the "
    "density as it is, everything else one more linear problem, the adjoint of the SCF."
)
_PLACEHOLDER = (
    '<p class="mlxc-placeholder">Choose a functional with parameters on the left, for instance pbe-kappa-mu, and a '
    "loss here. Press “Run gradient”.</p>"
)
MODES = [("implicit: one adjoint problem", "implicit"), ("unrolled: back through every SCF step", "unrolled")]
LABEL = {"description_width": "60px"}
FIELD: dict[str, Any] = {"style": LABEL, "layout": {"width": "min(480px, 100%)"}}
SHOWN: dict[str, Any] = {"style": LABEL, "layout": {"width": "min(360px, 100%)"}}
SHORT: dict[str, Any] = {"style": LABEL, "layout": {"width": "200px"}}


def gradients_panel(page: Page) -> Panel:
    """The panel of gradients."""
    model = GradientModel(page.run, page.choose)
    return Panel(
        "Gradients",
        f"<p>{ABOUT}</p>",
        lambda: GradientView(model, page.choose, page.messages).widget,
        group=MODELS,
        kinds=("gradient",),
    )


class GradientView:
    """Observes a :class:`GradientModel`; one figure holds lines and bars, the other one the heat map."""

    def __init__(self, model: GradientModel, choose: ChooseModel, messages: MessageArea) -> None:
        self._model = model
        self._words = HTML()
        self._no_step = HTML()
        self._explanation = HTML()
        self._table = HTML()
        self._start = Button(description="Run gradient", button_style="primary", tooltip="Differentiate the loss")
        self._again = Button(
            description="Take one step and run again",
            tooltip="Moves the parameters of the functional, as it was loaded, against the gradient that is shown",
        )
        # Until somebody chooses, the chart is shown on which there is most to see.
        self._chosen = self._suggesting = False
        self._shown = Dropdown(options=[*CHARTS, HEAT_MAP], description="Show", **SHOWN)
        picture = model.picture
        self._shown.value = suggestion(picture)
        self.curves = self._curves(picture)
        self.map = self._map(picture)
        # Plotly writes the classes of its figures itself, so what is folded is a box around them.
        self._boxes = VBox([self.curves]), VBox([self.map])
        cost = StartingView(choose, [Start(self._start, model.task)], model, ["loss", "target", "mode"])
        above = [*self._choices(messages), cost.widget, self._words, self._no_step]
        self.widget = VBox([*above, *self._boxes, self._explanation, self._table])
        self._start.on_click(messages.starting(model.start))
        self._again.on_click(messages.starting(model.take_step))
        self._shown.observe(messages.guard(self._show_chosen), "value")
        model.observe(messages.guard(self._show), "picture")
        model.observe(messages.guard(self._show_buttons), "loss")
        self._show_words()
        self._show_buttons()
        self._unfold_figure()

    def _choices(self, messages: MessageArea) -> list[HBox]:
        loss = Dropdown(options=[(loss.loss_label, loss.name) for loss in LOSSES.values()], description="Loss", **FIELD)
        self._target = Text(description="Target", continuous_update=False, **SHORT)
        mode = Dropdown(options=MODES, description="Mode", **FIELD)
        step = FloatText(description="Step", step=0.01, **SHORT)
        for trait, widget in {"loss": loss, "target": self._target, "mode": mode, "step": step}.items():
            bind(self._model, trait, widget, messages)
        hint = HTML('<span class="mlxc-muted">× |θ|, at most 1</span>', layout={"width": "auto"})
        rows = HBox([loss, self._target]), HBox([mode, step, hint]), HBox([self._start, self._again, self._shown])
        for row in rows:
            row.add_class("mlxc-panel-row")
        return list(rows)

    def _curves(self, picture: GradientPicture) -> go.FigureWidget:
        chart = self._chart(picture)
        return live_figure(
            traces(chart),
            height=310,
            showlegend=False,
            margin={"l": 90, "r": 90, "t": 20, "b": 75},
            xaxis=axis(chart.x_title, type=chart.x_type, automargin=True),
            yaxis=axis(
                chart.y_title, type=chart.y_type, exponentformat="power", range=chart.y_range, dtick=chart.y_tick
            ),
            yaxis2=axis("electrons per Å³", overlaying="y", side="right", showgrid=False, visible=bool(chart.second)),
        )

    def _map(self, picture: GradientPicture) -> go.FigureWidget:
        return live_figure(
            [heat_map(picture.result)],
            height=400,
            width=720,
            margin={"l": 80, "r": 20, "t": 20, "b": 55},
            xaxis=axis("r<sub>s</sub>: distance between electrons (bohr)", type="log"),
            yaxis=axis("s: how fast the density changes"),
        )

    def _chart(self, picture: GradientPicture) -> Chart:
        shown = self._shown.value
        return CHARTS[shown if shown in CHARTS else next(iter(CHARTS))](picture)

    def _show_chosen(self, change: Any) -> None:
        if not self._suggesting:
            self._chosen = True
            self._draw()

    def _show(self, change: Any) -> None:
        if not self._chosen:
            self._suggesting = True
            self._shown.value = suggestion(self._model.picture)
            self._suggesting = False
        self._draw()
        self._show_words()
        self._show_buttons()

    def _draw(self) -> None:
        picture = self._model.picture
        chart = self._chart(picture)
        layout = self.curves.layout
        with self.curves.batch_update():
            for trace, new in zip(self.curves.data, traces(chart), strict=True):
                trace.x, trace.y, trace.visible = new.x, new.y, new.visible
            layout.xaxis.type, layout.yaxis.type = chart.x_type, chart.y_type
            layout.xaxis.title.text, layout.yaxis.title.text = chart.x_title, chart.y_title
            layout.yaxis.dtick = chart.y_tick
            layout.xaxis.autorange = True
            if chart.y_range is None:
                layout.yaxis.autorange = True
            else:
                layout.yaxis.update(autorange=False, range=chart.y_range)
            layout.yaxis2.visible = bool(chart.second)
        with self.map.batch_update():
            (old,), new = self.map.data, heat_map(picture.result)
            old.x, old.y, old.z, old.zmin, old.zmax = new.x, new.y, new.z, new.zmin, new.zmax
        self._unfold_figure()

    def _unfold_figure(self) -> None:
        is_map = self._shown.value == HEAT_MAP
        folded, unfolded = self._boxes if is_map else self._boxes[::-1]
        folded.add_class("mlxc-folded")
        unfolded.remove_class("mlxc-folded")
        chart = self._chart(self._model.picture)
        text = MAP_EXPLANATION if is_map else chart.explanation
        empty = "" if is_map or chart.y or not self._model.picture.result else f" {chart.empty}"
        self._explanation.value = f'<p class="mlxc-hint">{text}{escape(empty)}</p>'

    def _show_buttons(self, change: Any = None) -> None:
        self._target.placeholder = "the reference" if LOSSES[self._model.loss].relative else "none"
        self._again.disabled = not self._model.can_step
        no_step = self._model.no_step
        self._no_step.value = f'<p class="mlxc-hint">{escape(no_step)}</p>' if no_step else ""

    def _show_words(self) -> None:
        picture = self._model.picture
        words = f"<h3>{escape(picture.title)}</h3><p>{told(picture.words)}</p>"
        self._words.value = words if picture.title else _PLACEHOLDER
        self._table.value = parameter_table(picture.result)


def parameter_table(result: Mapping[str, Any]) -> str:
    """HTML table of the parameters: of single numbers the value and the derivative, of arrays the norms."""
    parameters = result.get("parameters")
    if not parameters:
        return ""
    moved = (result["after"] or {}).get("single_parameters", {})
    names = ["numbers", "θ, or |θ|", "dL/dθ, or |dL/dθ|", *(["after the step"] if moved else [])]
    rows = []
    for name, parameter in parameters.items():
        single = parameter["value"] is not None
        value, slope = parameter["value" if single else "norm"], parameter["gradient" if single else "gradient_norm"]
        numbers = [str(parameter["size"]), f"{value:.5g}", f"{slope:.3g}"]
        if moved:
            numbers.append(f"{moved[name]:.5g}" if name in moved else "–")
        cells = "".join(f'<td class="mlxc-number">{number.replace("-", "−")}</td>' for number in numbers)
        rows.append(f"<tr><td>{escape(name)}</td>{cells}</tr>")
    heading = "".join(f'<th class="mlxc-number">{name}</th>' for name in names)
    return (
        f'<table class="mlxc-table"><thead><tr><th>Parameter</th>{heading}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )
