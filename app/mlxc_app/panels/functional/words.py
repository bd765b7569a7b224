"""The record of a checkpoint and the card of a functional in words that a person understands, as HTML."""

from __future__ import annotations

from html import escape

from mlxc.xc.cards.card import ORIGINS, FunctionalCard
from mlxc.xc.checkpoints.record import Bound, CheckpointRecord, EnsembleRecord

VARIABLES = {
    "rs": "r<sub>s</sub> (distance between electrons, bohr)",
    "zeta": "|ζ| (spin polarisation)",
    "s": "s (reduced gradient)",
    "alpha": "α (kind of bond)",
}
# Of a hash, as much as a person compares.
SHORT_HASH = 12


def record_table(record: CheckpointRecord) -> str:
    """HTML table of what a checkpoint says of itself; what is empty is left out."""
    metrics = "<br>".join(f"{escape(name.replace('_', ' '))}: {value:.3g}" for name, value in record.metrics.items())
    domain = "<br>".join(f"{VARIABLES[name]}: {_range(*bounds)}" for name, bounds in record.domain.items())
    entries = {
        "Called by its author": escape(record.name),
        "Starts from or imitates": escape(record.baseline or ""),
        "Learned from": escape(record.training_data),
        "How good it is": metrics,
        "Where it was trained": domain,
        "How sure it is": _ensemble(record.ensemble),
        "Licence": escape(record.licence),
        "Fingerprint": escape(record.content_hash.removeprefix("sha256:")[:SHORT_HASH]),
    }
    return _table(entries)


def _ensemble(ensemble: EnsembleRecord | None) -> str:
    """Where its error bars come from; empty where it has none."""
    if ensemble is None:
        return ""
    what = f"An ensemble of {ensemble.members} members" if ensemble.members else "The covariance of its weights"
    where = "on the page, and with <code>--uncertainty</code> on the command line; “Models” shows whether they hold"
    return f"{what} gives error bars {where}.<br>{escape(ensemble.method)}"


def card_table(card: FunctionalCard) -> str:
    """HTML table of what is known of a functional."""
    entries = {
        "Origin": f"{card.origin}: {ORIGINS[card.origin]}",
        "To be cited": escape(card.citation),
        "To know": "".join(f"<div>• {escape(remark)}</div>" for remark in card.remarks),
    }
    return _table(entries)


def _table(entries: dict[str, str]) -> str:
    rows = [f"<tr><th>{label}</th><td>{value}</td></tr>" for label, value in entries.items() if value]
    return f'<table class="mlxc-table">{"".join(rows)}</table>'


def _range(low: Bound, high: Bound) -> str:
    if low is None and high is None:
        return "anywhere"
    if low is None or high is None:
        return f"up to {high:.3g}" if low is None else f"{low:.3g} or more"
    return f"{low:.3g} to {high:.3g}"
