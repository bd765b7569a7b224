"""A CIF that is damaged is a crystal or a sentence: never another error, and never a long wait."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from cif_texts import cif_text, cube, formula, name

from mlxc.errors import InputError
from mlxc.structures.formats.cif import read_cif

DATA = Path(__file__).resolve().parents[1] / "data/structures"
TEXTS = [path.read_text(encoding="utf-8") for path in sorted(DATA.iterdir()) if path.suffix in (".cif", ".mcif")]
TEXTS.append(
    cif_text(cube(8.083), name("F d -3 m"), "Mg1 Mg 0 0 0", "Al1 Al .625 .625 .625", more=formula("Al2 Mg", 8))
)
SNIPPETS = [
    "'", '"', ";", "\n;", "\n", " ", "loop_", "data_", "save_", "#", "_", "?", ".", "0", "-", "−", "1e400", "nan", "(",
    ")", "x", ",", "/0", "/", "Fe", "[", "]", "{", "\0", "\ufeff", "\u2028", "🙂", "9" * 400, "_cell_length_a 5\n",
    "\\u2212", "\\U99999999", "%s",
]  # fmt: skip


def mutated(text: str, chance: random.Random) -> str:
    """A text that is cut, or has characters deleted, doubled, exchanged or put in."""
    kind = chance.randrange(5)
    start, end = sorted(chance.randrange(len(text) + 1) for _ in range(2))
    end = min(end, start + chance.choice((1, 5, 60, 400)))
    if kind == 0:
        return text[:start]
    if kind == 1:
        return text[:start] + text[end:]
    if kind == 2:
        return text[:end] + text[start:]
    if kind == 3:
        return text[:start] + chance.choice(SNIPPETS) + text[end if chance.random() < 0.5 else start :]
    lines = text.splitlines()
    first, second = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return "\n".join(lines)


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_cif_is_a_crystal_or_a_sentence(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(500):
        text = chance.choice(TEXTS)
        for _ in range(chance.randrange(1, 4)):
            text = mutated(text, chance) or "data_"
        start = time.perf_counter()
        try:
            assert read_cif(text, "damaged").crystal.species
        except InputError as error:
            sentence = str(error)
            assert "\n" not in sentence
            assert len(sentence) < 400
        assert time.perf_counter() - start < 5
