"""A docstring is a sentence with a subject: it does not begin in the middle."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*(ROOT / "mlxc").rglob("*.py"), *(ROOT / "app" / "mlxc_app").rglob("*.py")])
# Words with which the second half of a sentence begins.
FRAGMENT = re.compile(r"(of|that|whose|whom|of which|to which|in which|with which|for which|on which)\b", re.IGNORECASE)
# An entry of a list of arguments, attributes or exceptions.
ENTRY = re.compile(r"^\s+\*{0,2}[\w.]+(?: \([^)]*\))?: (?P<text>.*)$")


def docstrings(path: Path) -> list[tuple[str, str]]:
    """The name and the docstring of a module and of everything in it that has one."""
    nodes = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    described = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, nodes)]
    found = [(getattr(node, "name", "module"), ast.get_docstring(node)) for node in described]
    return [(name, text) for name, text in found if text]


def fragments(text: str) -> list[str]:
    """The first line and the entries of the lists that begin in the middle of a sentence."""
    entries = [match["text"] for line in text.splitlines() if (match := ENTRY.match(line))]
    return [part for part in (text.splitlines()[0], *entries) if FRAGMENT.match(part)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_docstrings_are_sentences_with_a_subject(path: Path) -> None:
    found = {name: parts for name, text in docstrings(path) if (parts := fragments(text))}
    assert not found
