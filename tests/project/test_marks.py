"""The fast tests are those without a mark, and people are told what each mark means."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_fast_tests_are_those_without_a_mark() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    marks = {entry.partition(":")[0] for entry in settings["markers"]}
    (left_out,) = re.findall(r"^test-fast:.*\n\t.* -m \"(.*)\"$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(left_out.split(" and ")) == {f"not {mark}" for mark in marks}
    told = (ROOT / "docs" / "contributing.md").read_text()
    assert not [mark for mark in marks if f"`{mark}`" not in told]
