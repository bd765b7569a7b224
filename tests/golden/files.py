"""How a value is pinned in a JSON file: without times, a text without its numbers, or the form alone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parent


def read(name: str) -> Any:
    """What is pinned under a name."""
    return json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))


def write(name: str, value: Any) -> None:
    """Pin a value under a name."""
    path = GOLDEN / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{_text(value)}\n", encoding="utf-8")


def _text(value: Any, indent: str = "") -> str:
    """JSON with one entry of a dictionary a line, and lists of numbers in one line."""
    if isinstance(value, dict) and value:
        entries = [f"{indent} {json.dumps(key)}: {_text(item, indent + ' ')}" for key, item in value.items()]
        return "{\n" + ",\n".join(entries) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, (dict, str)) for item in value):
        return "[\n" + ",\n".join(f"{indent} {_text(item, indent + ' ')}" for item in value) + f"\n{indent}]"
    return json.dumps(value)


def without_times(value: dict[str, Any]) -> dict[str, Any]:
    """A result with ``seconds`` set to zero."""
    seconds = value["seconds"]
    return {**value, "seconds": dict.fromkeys(seconds, 0.0) if isinstance(seconds, dict) else 0.0}


def masked(text: str) -> str:
    """A text with ``#`` in the place of numbers, and single blanks."""
    return re.sub(r"[ -]+(?=#)", " ", re.sub(r"\d+(\.\d+)?([e][+-]?\d+)?", "#", re.sub(r" +", " ", text)))


def form(value: Any) -> Any:
    """The keys and the types of JSON data; the entries of a list are merged into those that differ."""
    if isinstance(value, dict):
        return {key: form(item) for key, item in value.items()}
    if isinstance(value, list):
        entries = list({json.dumps(form(item), sort_keys=True): form(item) for item in value}.values())
        return sorted(entries, key=str)
    return {type(None): "null", bool: "boolean", int: "integer", float: "number", str: "string"}[type(value)]
