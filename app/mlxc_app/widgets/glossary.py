"""One sentence for each word that a student may not know, shown by pointing at it, tapping it or reaching it by Tab."""

from __future__ import annotations

import re
from html import escape

MEANINGS = {
    "k mesh": "The electrons' waves are sampled at a grid of wave vectors k; a denser mesh is more accurate and takes "
    "longer.",
    "k points": "Wave vectors at which the electrons' waves are computed; a crystal needs a grid of them.",
    "Ha": "Hartree, the atomic unit of energy: 27.2114 eV.",
    "meV": "A thousandth of an electronvolt; room temperature is about 25 meV.",
    "free energy F": "F = E − TS: the energy E minus what smeared occupations add to it by their entropy S; of the two "
    "it is F that has its minimum at the right density.",
    "SCF": "Self-consistent field: density and potential are computed from each other until they no longer change.",
    "adjoint": "A second linear problem, solved once, that carries the derivative of a result back to all parameters.",
    "Fermi level": "The energy up to which levels are filled.",
    "pseudopotential": "It stands for a nucleus and its core electrons, as the outer electrons feel them.",
    "smearing": "Levels near the Fermi level are filled in part, as if by a temperature, which steadies metals.",
    "density residual": "How much the density changes in one more step, per electron; it falls to zero.",
    "bulk modulus": "How hard a crystal is to compress: −V times the change of pressure with volume.",
    "μB": "Bohr magneton, the unit of magnetic moments: about the moment of one electron's spin.",
    "uniform gas": "Electrons whose density is the same everywhere; for it the exact energy is known.",
    "exact conditions": "What is proven of the exact functional, and what a model can be held to.",
    "Lieb-Oxford bound": "The XC energy is never lower than a known multiple of that of a uniform gas of the density.",
    "work function": "The energy that it takes to bring an electron out of a crystal.",
    "bohr": "The atomic unit of length: 0.529177 Å.",
}
_TAGS = re.compile(r"(<[^>]*>)")
# Longer words first: a word that is part of another one is not explained inside it.
_WORDS = re.compile(r"(?<![\w-])(" + "|".join(map(re.escape, sorted(MEANINGS, key=len, reverse=True))) + r")(?![\w-])")


def explained(html: str) -> str:
    """The HTML with each word of :data:`MEANINGS` explained where it occurs for the first time.

    Args:
        html: What is shown; what comes from a user is escaped before.
    """
    known: set[str] = set()

    def explain(found: re.Match[str]) -> str:
        word = found[1]
        if word in known:
            return word
        known.add(word)
        return f'<abbr class="mlxc-word" tabindex="0" data-meaning="{escape(MEANINGS[word])}">{word}</abbr>'

    parts = _TAGS.split(html)
    return "".join(part if part.startswith("<") else _WORDS.sub(explain, part) for part in parts)


def meaning_of(label: str) -> str | None:
    """The sentence about the first known word in a label; None if there is none."""
    found = _WORDS.search(label)
    return MEANINGS[found[1]] if found else None
