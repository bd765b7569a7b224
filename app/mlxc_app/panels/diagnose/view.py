"""The verdict of a diagnosis, the tests that it rests on, and the report to take away."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from html import escape
from typing import Any

from ipywidgets import HTML, Button, HBox, VBox, Widget

from mlxc.tasks.diagnosis.finding import TESTS, Finding, Table
from mlxc_app.panels.diagnose.figures import figure_of
from mlxc_app.panels.diagnose.model import DiagnoseModel, DiagnosisPicture
from mlxc_app.panels.panel import MODELS, Page, Panel
from mlxc_app.widgets.message import MessageArea
from mlxc_app.widgets.typeset import told, typeset_html

ABOUT = (
    "Why does a calculation disagree with what it should give? Nine tests find out. Most change one "
    "thing: the functional is held inside its training domain, the k mesh is made denser, the vacuum thicker, the "
    "basis larger. What changes the answer most is to blame."
)
_PLACEHOLDER = (
    '<p class="mlxc-placeholder">Press “Diagnose”: what is chosen on the left is examined, and each answer appears as '
    "soon as it is known, the cheapest first. After two and a half minutes no further comparison is begun; what is "
    "left is then said to be not measured. A stop of “Learn” sets up an example that fails.</p>"
)
# The place on the page where mends stand.
MENDS = "mlxc-mends"
SIDE_BY_SIDE = "Their equations of state, one after the other, in one figure of the panel “Equation of state”."


def diagnose_panel(page: Page) -> Panel:
    """The panel of diagnoses."""
    model = DiagnoseModel(page.run, page.choose)
    return Panel(
        "Diagnose",
        f"<p>{ABOUT}</p>",
        lambda: DiagnoseView(model, page.messages).widget,
        group=MODELS,
        kinds=("diagnosis",),
    )


class DiagnoseView:
    """Observes a :class:`DiagnoseModel`."""

    def __init__(self, model: DiagnoseModel, messages: MessageArea) -> None:
        self._model = model
        self._start = Button(description="Diagnose", button_style="primary", tooltip="Examine what is chosen")
        self._progress = HTML()
        self._body = HTML()
        self._body.add_class("mlxc-diagnosis")
        self._mends, self._tests = VBox(), VBox()
        self._shown: tuple[Mapping[str, Any], ...] = ()
        row = HBox([self._start, self._progress])
        self.widget = VBox([row, self._body, self._tests, self._mends])
        self._messages = messages
        self._start.on_click(messages.starting(model.start))
        model.observe(messages.guard(lambda change: self._show(change["new"])), "picture")
        self._show(model.picture)

    def _show(self, picture: DiagnosisPicture) -> None:
        self._progress.value = progress_html(picture)
        self._body.value = body_html(picture)
        self._show_tests(picture.findings)
        self._mends.children = self._mend_widgets()

    def _show_tests(self, findings: tuple[Mapping[str, Any], ...]) -> None:
        """What is new below what there is, whose figures stay as they are."""
        known = self._shown
        kept = len(known) if findings[: len(known)] == known else 0
        new = [widget for finding in findings[kept:] for widget in finding_widgets(Finding.from_dict(dict(finding)))]
        self._tests.children = [*(self._tests.children if kept else ()), *new]
        self._shown = findings

    def _mend_widgets(self) -> list[Widget]:
        """A button for each mend, and one for all of them side by side."""
        mends = self._model.mends
        if not mends:
            return []
        rows: list[Widget] = [HTML(f'<h3 id="{MENDS}">What mends it</h3>')]
        rows += [self._try(mend["label"], mend["why"], index) for index, mend in enumerate(mends)]
        if len(mends) > 1:
            rows.append(self._try("All of these, side by side", SIDE_BY_SIDE, *range(len(mends))))
        return rows

    def _try(self, label: str, why: str, *indices: int) -> HBox:
        button = Button(description=f"Try: {label}", tooltip="Runs the equation of state with it")
        button.add_class("mlxc-try")
        button.on_click(self._messages.starting(lambda: self._model.try_mend(*indices)))
        row = HBox([button, HTML(f'<p class="mlxc-hint">{escape(why)}</p>')])
        row.add_class("mlxc-mend")
        return row


def progress_html(picture: DiagnosisPicture) -> str:
    """Which test is being done."""
    if not picture.next_test:
        return ""
    number = len(picture.findings) + 1
    return f'<span class="mlxc-muted">Test {number} of {len(TESTS)}: {escape(picture.next_test)} …</span>'


def body_html(picture: DiagnosisPicture) -> str:
    """The title; once the findings are complete, the verdict and a link to the whole report."""
    if not picture.title:
        return _PLACEHOLDER
    from mlxc.tasks.diagnosis.html_report import verdict_html  # matplotlib takes half a second to load

    summary = dict(picture.summary)
    mends = f'<p><a href="#{MENDS}">What mends it</a></p>' if summary.get("mends") else ""
    verdict = f"{typeset_html(verdict_html(summary))}{mends}{_link(summary)}" if summary else ""
    return f"<h3>{escape(picture.title)}</h3>{verdict}"


def finding_widgets(finding: Finding) -> list[Widget]:
    """What one test found, in words and figures."""
    table = "" if finding.table is None else _table(finding.table)
    words = HTML(f"<h2>{escape(finding.title)}</h2><p>{told(finding.sentence)}</p>{table}")
    words.add_class("mlxc-diagnosis")
    return [words, *(figure_of(plot) for plot in finding.plots)]


def _table(table: Table) -> str:
    from mlxc.tasks.diagnosis.html_report import table_html

    return typeset_html(table_html(table))


def _link(summary: dict[str, Any]) -> str:
    from mlxc.tasks.diagnosis.html_report import html_report

    data = b64encode(html_report(summary).encode()).decode()
    return f'<p><a download="diagnosis.html" href="data:text/html;base64,{data}">Save this as a report (HTML)</a></p>'
