"""Files with one JSON object in each line, which a killed process leaves readable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mlxc.utils.replacing import replacing


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of all whole lines, none if there is no file; a killed process may have torn a line."""
    records = []
    for line in path.read_bytes().split(b"\n") if path.exists() else []:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            records.append(record)
    return records


def write_json_lines(path: Path, records: list[dict[str, Any]]) -> None:
    """Replace the file at once."""
    with replacing(path) as temporary:
        temporary.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")
