"""A diagnosis as one HTML file that needs nothing else: words, numbers, and plots as SVG."""

from __future__ import annotations

import io
from html import escape
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from mlxc import __version__
from mlxc.basis.kinds import BASES
from mlxc.tasks.diagnosis.finding import Finding, Plot, Table
from mlxc.tasks.diagnosis.tolerable import NO_ANSWER, UNITS_IN_WORDS
from mlxc.utils.replacing import replacing

# Okabe and Ito's colours, which the colour-blind can tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
DASHES = ("-", "--", "-.", ":")
# Where numbers on a logarithmic axis are written without powers of ten.
PLAIN = (1e-2, 1e4)
STYLE = """
body { font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; color: #1f2933; max-width: 900px;
       margin: 2em auto; padding: 0 1em; }
h1 { font-size: 24px; } h2 { font-size: 18px; margin: 1.6em 0 .2em; }
.verdict { border-left: 6px solid #D55E00; background: #fdf1ea; padding: .6em 1em; font-size: 18px; }
.verdict.sound { border-color: #009E73; background: #ebf7f3; }
.verdict.unknown { border-color: #E69F00; background: #fdf6e6; }
table { border-collapse: collapse; }
th, td { text-align: left; padding: 2px 16px 2px 0; border-bottom: 1px solid #e4e8eb; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.muted { color: #5b6770; } svg { max-width: 100%; height: auto; }
@media (prefers-color-scheme: dark) {
  body { background: #16191d; color: #e4e8eb; } svg { background: white; }
  .verdict { background: #3a2418; } .verdict.sound { background: #17332a; }
  .verdict.unknown { background: #352b15; }
}
"""


def write_html_report(summary: dict[str, Any], path: Path) -> None:
    """Write the report of a diagnosis, given as ``Diagnosis.summary()``, replacing the file when it is complete."""
    with replacing(path) as temporary:
        temporary.write_text(html_report(summary), encoding="utf-8")


def html_report(summary: dict[str, Any]) -> str:
    """The report as HTML; whatever comes from a person is escaped."""
    calculation = summary["calculation"]
    name = escape(str(calculation["structure"]["name"]))
    title = f"Diagnosis of {name} with {escape(calculation['xc'])}"
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style></head><body><h1>{title}</h1>{verdict_html(summary)}"
        f"<p class='muted'>{escape(_settings(calculation))}. Computed in {summary['seconds']:.0f} s by mlxc "
        f"{escape(__version__)}.</p>{''.join(map(finding_html, summary['findings']))}"
        f"{mends_html(summary)}</body></html>"
    )


def verdict_html(summary: dict[str, Any]) -> str:
    """The verdict and the table of causes."""
    is_known = all(row["severity"] is not None for row in summary["causes"])
    kind = "verdict" if summary["culprit"] else "verdict sound" if is_known else "verdict unknown"
    return f'<p class="{kind}">{escape(summary["verdict"])}</p>{_blames(summary["causes"])}'


def mends_html(summary: dict[str, Any]) -> str:
    """What mends it, as a list; nothing where nothing is to blame."""
    items = "".join(
        f"<li><strong>{escape(mend['label'])}.</strong> {escape(mend['why'])}</li>" for mend in summary.get("mends", ())
    )
    return f"<h2>What mends it</h2><ul>{items}</ul>" if items else ""


def finding_html(data: dict[str, Any]) -> str:
    """What one test found, given as ``Finding.to_dict()``, with its plots."""
    finding = Finding.from_dict(data)
    plots = "".join(plot_svg(plot) for plot in finding.plots)
    table = "" if finding.table is None else table_html(finding.table)
    return f"<h2>{escape(finding.title)}</h2><p>{escape(finding.sentence)}</p>{table}{plots}"


def _blames(causes: list[dict[str, Any]]) -> str:
    rows = "".join(
        f"<tr><td>{escape(row['cause'])}</td>"
        f"<td class='number'>{_severity(row['severity'])}</td><td>{escape(row['effect'])}</td></tr>"
        for row in causes
    )
    heading = "<th>cause</th><th>error / what is tolerable</th><th>what it does</th>"
    table = f"<table><thead><tr>{heading}</tr></thead><tbody>{rows}</tbody></table>"
    return f"{table}<p class='muted'>{escape(UNITS_IN_WORDS)}</p>"


def _severity(severity: float | None) -> str:
    if severity is None:
        return "not measured"
    return "no answer" if severity >= NO_ANSWER else f"{severity:.2g}"


def table_html(table: Table) -> str:
    """A table, folded, and what one should know to read it."""
    heading = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in table.rows)
    return (
        f"<details><summary>{escape(table.title)}</summary><table><thead><tr>{heading}</tr></thead>"
        f"<tbody>{rows}</tbody></table><p class='muted'>{escape(table.note)}</p></details>"
    )


def _settings(calculation: dict[str, Any]) -> str:
    mesh = " x ".join(map(str, calculation["kmesh"]))
    basis = BASES[calculation["basis"]].in_words(calculation)
    width = "" if calculation["width_ha"] is None else f" of {calculation['width_ha']:g} Ha"
    return (
        f"{basis}, {calculation['ecut_ha']:g} Ha, {mesh} k points, {calculation['smearing']} smearing{width}, "
        f"pseudopotentials {calculation['pseudo']}"
    )


def plot_svg(plot: Plot) -> str:
    """A plot as an SVG element."""
    with matplotlib.rc_context({"svg.fonttype": "none", "font.family": "sans-serif", "svg.hashsalt": "mlxc"}):
        figure = Figure(figsize=(8, 3.2), layout="constrained")
        _draw(figure.add_subplot(), plot)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg")
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def _draw(axes: Axes, plot: Plot) -> None:
    for index, curve in enumerate(plot.curves):
        look: dict[str, Any] = {"color": COLOURS[index % len(COLOURS)], "label": curve.name}
        if curve.kind == "points":
            axes.plot(curve.x, curve.y, "o", **look)
        else:
            drawstyle = "steps-mid" if curve.kind == "steps" else "default"
            axes.plot(curve.x, curve.y, DASHES[index % len(DASHES)], drawstyle=drawstyle, **look)
    for name in plot.logarithmic:
        axes.set(**{f"{name}scale": "log"})
        _write_plainly(axes.xaxis if name == "x" else axes.yaxis)
    if plot.shaded is not None:
        low, high = axes.get_xlim()
        first, last = plot.shaded
        axes.axvspan(low if first is None else max(low, first), high if last is None else min(high, last),
                     color="#999999", alpha=0.25, label=plot.shaded_name)  # fmt: skip
        axes.set_xlim(low, high)
    axes.set(title=plot.title, xlabel=plot.x_label, ylabel=plot.y_label)
    axes.legend(frameon=False)


def _write_plainly(axis: Axis) -> None:
    """Numbers within few powers of ten are written as such, 1.6 instead of 1.6 x 10^0."""
    low, high = axis.get_view_interval()
    if PLAIN[0] < low and high < PLAIN[1]:
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_formatter(StrMethodFormatter("{x:g}") if high < 10 * low else NullFormatter())
