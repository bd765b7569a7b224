"""Numbers and symbols as they are printed, wherever a sentence of the library appears on the page."""

from __future__ import annotations

import re
from html import escape

from mlxc_app.widgets.glossary import explained

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_POWER = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)e([+-]\d+)\b")
# A minus stands before a number and behind nothing that it could tie to it, as in a date or a name.
_MINUS = re.compile(r"(?<![\w.\-−)\]/])-(?=\d)")
_INDEX = re.compile(r"\b([A-Za-zρεμα])_(xc|x|c|s|F|B)\b")


def typeset(text: str) -> str:
    """The text with powers of ten and minus signs as they are printed: 3·10⁻⁵ and −2 for 3e-05 and -2."""
    return _MINUS.sub("−", _POWER.sub(_power, text))


def typeset_html(html: str) -> str:
    """The same for HTML, with indices as well: v_xc gets a lowered xc. What comes from a user is escaped before."""
    return _INDEX.sub(r"\1<sub>\2</sub>", typeset(html))


def told(sentence: str) -> str:
    """HTML of a sentence of the library: escaped, printed, and with its words explained."""
    return explained(typeset_html(escape(sentence)))


def _power(found: re.Match[str]) -> str:
    factor, power = found[1], int(found[2])
    if power == 0:
        return factor
    exponent = str(power).translate(_SUPERSCRIPTS)
    return f"10{exponent}" if float(factor) == 1 else f"{factor}·10{exponent}"
