"""The record of a checkpoint, and the card of a functional, as text for a person."""

from __future__ import annotations

from typing import Any

from mlxc.console.text import row


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
        if isinstance(value, dict):
            value = ", ".join(f"{name} {item}" for name, item in value.items())
        elif isinstance(value, list):
            value = ", ".join(map(str, value))
        lines.append(row(key.replace("_", " "), str(value)))
    return "\n".join(lines)


def card_report(card: dict[str, Any]) -> str:
    """What is known of a functional beyond its record, from plain data."""
    remarks = [row("" if index else "to know", remark) for index, remark in enumerate(card["remarks"])]
    return "\n".join([row("origin", card["origin"]), row("to be cited", card["citation"]), *remarks])
