"""What mlxc says about itself is what its benchmarks have printed."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import evidence  # noqa: E402

CODE = re.compile(r"```.*?```|`[^`]*`|\]\([^)]*\)", re.DOTALL)
DECIMAL = re.compile(r"\d+\.\d+")


# What runs inside the Python of another code is not for this one.
SCRIPTS = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py") if not path.stem.startswith("inside"))


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_benchmark_finds_what_it_imports(script: str) -> None:
    assert import_module(script).__doc__


@pytest.mark.parametrize("document", evidence.QUOTING, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_is_quoted_is_what_was_printed(document: Path) -> None:
    assert evidence.with_quotations(document) == document.read_text(), "python benchmarks/evidence.py --quote mends it"


@pytest.mark.parametrize("name", evidence.BENCHMARKS)
def test_every_benchmark_is_on_the_page_of_evidence(name: str) -> None:
    assert f"<!-- evidence: {name} -->" in evidence.PAGE.read_text()
    command, circumstances = evidence.kept(name).split("\n\n")[0], evidence.kept(name).split("\n\n")[-1]
    assert command == f"`{evidence.BENCHMARKS[name].command}`"
    assert re.match(r"20\d\d-\d\d-\d\d[,;]", circumstances)


def test_the_readme_quotes_nothing_that_is_not_on_the_page_of_evidence() -> None:
    proven = set(DECIMAL.findall(evidence.PAGE.read_text()))
    quoted = DECIMAL.findall(CODE.sub("", (ROOT / "README.md").read_text()))
    assert not [figure for figure in quoted if figure not in proven]
