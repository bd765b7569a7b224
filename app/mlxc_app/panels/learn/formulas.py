"""The formulas of the guided tour, in MathML, which browsers draw without any script."""

from __future__ import annotations

import re
from html import escape

_TOKEN = re.compile(r"[A-Za-zα-ωΑ-ΩψΣ]+'?|[0-9]+|\S")


def _tokens(text: str) -> str:
    """The tokens of a text: letters as identifiers, digits as numbers, all else as operators."""
    return "".join(_token(token) for token in _TOKEN.findall(text))


def _token(token: str) -> str:
    if token.isdigit():
        return f"<mn>{token}</mn>"
    if token[0].isalpha():
        return f"<mi>{escape(token.replace(chr(39), '′'), quote=False)}</mi>"
    # Brackets of one group do not know how tall the others are; _brackets makes those that should grow.
    return f'<mo stretchy="false">{escape(token)}</mo>'


def _of(part: str) -> str:
    """One group; text that is no MathML yet is taken apart."""
    return f"<mrow>{part if part.startswith('<') else _tokens(part)}</mrow>"


def _sub(base: str, index: str) -> str:
    return f"<msub>{_of(base)}{_of(index)}</msub>"


def _sup(base: str, exponent: str) -> str:
    return f"<msup>{_of(base)}{_of(exponent)}</msup>"


def _fraction(above: str, below: str) -> str:
    return f"<mfrac>{_of(above)}{_of(below)}</mfrac>"


def _label(text: str) -> str:
    """An index that is a word, not a number that could be inserted."""
    return f"<mtext>{text}</mtext>"


def _brackets(*parts: str) -> str:
    """Round brackets, as tall as what is in them."""
    return f"<mrow><mo>(</mo>{''.join(_of(part) for part in parts)}<mo>)</mo></mrow>"


def _formula(*parts: str) -> str:
    return f'<math display="block">{"".join(_of(part) for part in parts)}</math>'


_N, _XC, _HALF = _sup("n", "*"), _sub("E", _label("xc")), _fraction("1", "2")
_ORBITAL = _sub("ψ", "i")
_RATIO = _sup(_brackets(_fraction(_sub("V", "0"), "V")), _fraction("2", "3"))
_STRAIN = _brackets(_RATIO, "− 1")

TOTAL_ENERGY = _formula(
    "F [ n ] =", _sub("T", _label("s")), "+", _sub("E", _label("ion")), "+", _sub("E", _label("H")), "+", _XC,
    "[ n ; θ ] +", _sub("E", _label("Ewald")), "− T S",
)  # fmt: skip
KOHN_SHAM = _formula(
    _brackets("−", _HALF, _sup("∇", "2"), "+", _sub("v", _label("eff")), "[ n ]"), _ORBITAL, "=",
    _sub("ε", "i"), _ORBITAL, ",", "n =", _sub("∑", "i"), _sub("f", "i"), "|", _ORBITAL, _sup("|", "2"),
)  # fmt: skip
FIXED_POINT = _formula(_N, "= G [", _N, "]")
MIXING = _formula(_sub("n", "j + 1"), "=", _sub("n", "j"), "+ α P ( G [", _sub("n", "j"), "] −", _sub("n", "j"), ")")
ENERGY_GRADIENT = _formula(_fraction("d F", "d θ"), "=", _fraction(f"<mo>∂</mo>{_XC}", "∂ θ"), "[", _N, "; θ ]")
ADJOINT = _formula(
    "δ n =", _sub("χ", "0"), _brackets(_fraction("∂ L", "∂ n"), "+ K δ n"), ",",
    _fraction("d L", "d θ"), "= ∫", _fraction(f"<mo>∂</mo>{_sub('v', _label('xc'))}", "∂ θ"), "δ n", "d r",
)  # fmt: skip
BIRCH_MURNAGHAN = _formula(
    "E ( V ) =", _sub("E", "0"), "+", _fraction(f"<mn>9</mn>{_sub('V', '0')}{_sub('B', '0')}", "16"), "[",
    _sup(_STRAIN, "3"), _sub("B'", "0"), "+", _sup(_STRAIN, "2"), _brackets("6 − 4", _RATIO), "]",
)  # fmt: skip
