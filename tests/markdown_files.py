"""What a Markdown file holds: blocks of code, links, and headings that a link can lead to."""

from __future__ import annotations

import re
from pathlib import Path

_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)|<(?:img|source)[^>]*\ssrc(?:set)?=\"(?!https?:)([^\"]+)\"")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_FENCED = re.compile(r"^(```+|:::+).*?^\1$", re.DOTALL | re.MULTILINE)


def code_blocks(path: Path, language: str) -> list[str]:
    """The blocks of code in one language, in order."""
    return re.findall(rf"```{language}\n(.*?)```", path.read_text(), re.DOTALL)


def links(path: Path) -> list[str]:
    """The targets of links and pictures that are not addresses on the web."""
    return [first or second for first, second in _LINK.findall(_FENCED.sub("", path.read_text()))]


def anchors(path: Path) -> set[str]:
    """The anchors of all headings: in lower case, without punctuation, with hyphens for blanks."""
    headings = _HEADING.findall(_FENCED.sub("", path.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}
