"""The record of a checkpoint, and the card of a functional, as text for a person."""

from __future__ import annotations

from typing import Any

from mlxc.console.text import row
from mlxc.xc.checkpoints.record import SUM


def checkpoint_report(record: dict[str, Any]) -> str:
    """The record of a checkpoint as a table, from plain data; what is empty is left out."""
    lines = [f"{record['name']}: {record['description']}" if record["description"] else record["name"], ""]
    for key, value in record.items():
        if key in ("name", "description") or value in (None, "", {}, []):
            continue
        if key == "domain":
            value = {name: " to ".join("any" if x is None else f"{x:g}" for x in pair) for name, pair in value.items()}
        if key == "ensemble":
            value = value | {"parameters": " ".join(value["parameters"])}
        if record.get("architecture") == SUM and key == "config":
            value = " + ".join(map(_term, value["terms"]))
        if isinstance(value, dict):
            value = _settings(value)
        elif isinstance(value, list):
            value = ", ".join(map(str, value))
        lines.append(row(key.replace("_", " "), str(value)))
    return "\n".join(lines)


def _term(term: dict[str, Any]) -> str:
    """One functional of a sum with its weight."""
    name = term.get("conventional") or f"{term['architecture']} ({_settings(term['config'])})"
    return f"{term['weight']:g} * {name}"


def _settings(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def card_report(card: dict[str, Any]) -> str:
    """What is known of a functional beyond its record, from plain data."""
    remarks = [row("" if index else "to know", remark) for index, remark in enumerate(card["remarks"])]
    return "\n".join([row("origin", card["origin"]), row("to be cited", card["citation"]), *remarks])
