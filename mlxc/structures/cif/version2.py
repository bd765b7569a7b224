"""The syntax that CIF 2.0 adds to CIF 1.1, written in that of CIF 1.1. Imports no torch."""

from __future__ import annotations

import re

_MAGIC = re.compile(r"\s*#\\#CIF_2")
_TOKENS = re.compile(
    r"""(?P<text>^;.*?^;)
      | (?P<triple>'''.*?'''|\"\"\".*?\"\"\")
      | (?P<quoted>'[^'\n]*'|"[^"\n]*")
      | (?P<comment>\#[^\n]*)
      | (?P<opening>[\[{])
      | (?P<closing>[\]}])
      | (?P<word>[^\s\[\]{}]+)
      | (?P<space>\s+)""",
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)


def as_version1(text: str) -> str:
    """A CIF 2.0 with its triple quotes, lists and tables as text fields; any other text as it is.

    Lists and tables keep their brackets, so that nothing that asks for a plain value takes them for one.
    """
    if not _MAGIC.match(text):
        return text
    parts: list[str] = []
    depth, inside = 0, ""
    for token in _TOKENS.finditer(text):
        kind, word = str(token.lastgroup), token.group()
        depth += (kind == "opening") - (kind == "closing")
        if depth > 0 or kind == "closing":
            inside += " " if kind in ("space", "comment") else word
            if depth == 0:
                parts.append(_text_field(inside))
                inside = ""
        else:
            parts.append(_text_field(word[3:-3]) if kind == "triple" else word)
    return "".join(parts) + inside


def _text_field(content: str) -> str:
    return "\n;" + content.replace("\n;", "\n ;") + "\n;\n"
