"""The notation for sums of functionals, such as ``0.75*pbe + 0.25*model.safetensors``. Imports no torch."""

from __future__ import annotations

import re
from math import isfinite

from mlxc.errors import InputError

# Signs that separate terms stand between blanks, so that names and paths may contain them.
_SIGN = re.compile(r"\s+([+-])\s+")
_WEIGHTED = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*\*\s*(.+)", re.DOTALL)


def split_sum(expression: str) -> list[tuple[float, str]]:
    """The weights and names in a sum; a name alone has the weight one.

    Raises:
        InputError: a term without a name, or a weight that is not finite.
    """
    pieces = _SIGN.split(f" + {expression.strip()} ")[1:]
    terms = []
    for sign, term in zip(pieces[::2], pieces[1::2], strict=True):
        weighted = _WEIGHTED.fullmatch(term.strip())
        weight, name = (float(weighted[1]), weighted[2].strip()) if weighted else (1.0, term.strip())
        if not name or not isfinite(weight):
            raise InputError(f"xc: {expression[:60]!r} is not a sum of functionals such as '0.75*pbe + 0.25*scan'.")
        terms.append((weight if sign == "+" else -weight, name))
    return terms


def mixed(first: str, second: str, share: float) -> str:
    """A sum with the share 1 - ``share`` of one functional, or sum of some, and ``share`` of another.

    Raises:
        InputError: one of them is no functional or sum.
    """
    parts = ((1 - share, first), (share, second))
    terms = [(whole * weight, name) for whole, text in parts for weight, name in split_sum(text)]
    return " + ".join(f"{weight:.6g}*{name}" for weight, name in terms)
