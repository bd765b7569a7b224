"""The documentation builds without a warning, its links lead somewhere, and its code runs as it is written."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_files import anchors, code_blocks, links
from mlxc_app import launch
from support import Outcome

import mlxc
from mlxc.cli import make_parser

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
# Files and folders of the project in backticks.
NAMED = re.compile(r"`((?:app|assets|benchmarks|docs|mlxc|notebooks|scripts|tests)/[\w./-]+)`")
# Scripts, styles and pictures from other machines.
FETCHED = re.compile(r"<(?:script|link|img)[^>]*(?:src|href)=.https?:")
WITH_PYTHON = [page for page in PAGES if code_blocks(page, "python")]


@pytest.mark.process
@pytest.mark.slow
def test_the_documentation_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("deepchem")  # whose classes it describes
    build = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", str(ROOT / "docs"), str(tmp_path)]
    run = subprocess.run(build, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    theory = (tmp_path / "theory.html").read_text()
    assert "<math" in theory
    assert 'mathvariant="bold"' not in theory  # which no browser draws
    assert "solve_dyson" in theory
    commands = (tmp_path / "command-line.html").read_text()
    assert "mlxc checkpoint verify" in commands
    assert "--max-seconds" in commands
    reference = "".join(page.read_text() for page in (tmp_path / "api").glob("*.html"))
    for name in set(mlxc.__all__) - {"__version__"}:
        thing = getattr(mlxc, name)
        assert f'id="{thing.__module__}.{thing.__qualname__}"' in reference, name
    for page in tmp_path.rglob("*.html"):
        assert not FETCHED.search(page.read_text()), page


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        name, _, anchor = unquote(link).partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda page: page.name)
def test_the_files_that_a_page_names_are_there(page: Path) -> None:
    assert not [name for name in NAMED.findall(page.read_text()) if not (ROOT / name).exists()]


@pytest.mark.thorough
@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: page.name)
def test_the_code_of_a_page_runs(page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in code_blocks(page, "python"):
        exec(block, names)


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda page: page.name)
def test_the_commands_of_a_page_are_known(page: Path) -> None:
    for words in _commands(page):
        if words[0] == "app":
            launch.make_parser().parse_args(words[1:])
        else:
            make_parser().parse_args(words)


@pytest.mark.thorough
def test_the_commands_of_the_first_steps_run(mlxc_command: Callable[..., Outcome]) -> None:
    commands = _commands(ROOT / "docs" / "first-steps.md")
    assert len(commands) == 4
    for words in commands:
        if words != ["app"]:  # has browser tests of its own
            assert mlxc_command(*words).code == 0


def _commands(page: Path) -> list[list[str]]:
    """What follows ``mlxc`` in the blocks that a person would paste into a shell."""
    lines = [line for block in code_blocks(page, "sh") for line in block.replace("\\\n", "").splitlines()]
    return [shlex.split(line.split(" > ")[0], comments=True)[1:] for line in lines if line.startswith("mlxc ")]
