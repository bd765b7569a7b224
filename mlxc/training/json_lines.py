"""Files with one JSON object in each line, which a killed process leaves readable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """All whole lines, none if there is no file: the last line of a killed process may be torn."""
    records: list[dict[str, Any]] = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            records.append(json.loads(line))
        except ValueError:
            break
    return records


def write_json_lines(path: Path, records: list[dict[str, Any]]) -> None:
    """Replace the file."""
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")
