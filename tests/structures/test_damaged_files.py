"""A damaged file is a crystal or one sentence, and never anything else."""

from __future__ import annotations

import random
import time

import pytest
from support import extxyz, poscar

from mlxc.errors import InputError
from mlxc.structures.files import read

CUBE = "c\nd\n1 0 0 0\n4 0 1 1\n5 1 0 1\n6 1 1 0\n13 3 2 2 2\n" + "0.1 0.2\n" * 60
ESPRESSO = (
    "&SYSTEM\n ibrav = 14, celldm = 7.5, 1.1, 1.2, 0.1, 0.2, 0.3\n nat = 1, ntyp = 1, nspin = 2\n"
    " starting_magnetization(1) = 0.5\n/\nATOMIC_SPECIES\nFe 55.8 Fe.upf\nATOMIC_POSITIONS bohr\nFe 0 0 1/3\n"
)
CELL = (
    "%BLOCK LATTICE_CART\nbohr\n7 0 0\n0 7 0\n0 0 7\n%ENDBLOCK LATTICE_CART\n"
    "%BLOCK POSITIONS_FRAC\nFe 0 0 0 SPIN=2\n%ENDBLOCK POSITIONS_FRAC\n"
)
FILES = {"POSCAR": poscar(), "al.xyz": extxyz(), "al.cube": CUBE, "fe.pwi": ESPRESSO, "fe.cell": CELL}
# What files are broken with: letters that mean something, and such as should not be there.
PIECES = [
    *"\n\t\r\0 -0,./=(){}'\"&!#T", "9" * 12, "1e9", "1e308", "1e-320", "1.0D+400", "\u2212", "\u00a0", "\ufeff",
    "\u2028", "\ud800", "nan", "inf", "Xx", "Lattice=", "Direct",
]  # fmt: skip


def damaged(content: str, luck: random.Random) -> bytes:
    """The content with some pieces left out, put in, or changed, or a part of it, or bytes that mean nothing."""
    kind = luck.randrange(10)
    if kind == 0:
        return luck.randbytes(luck.randrange(300))
    for _ in range(luck.randrange(1, 6)):
        at, length = luck.randrange(len(content) + 1), luck.choice([0, 0, 1, 1, 2, 10])
        content = content[:at] + luck.choice([*PIECES, ""]) + content[at + length :]
    data = bytearray(content.encode("utf-8", errors="surrogatepass"))
    if kind == 1 and data:
        data[luck.randrange(len(data))] = luck.randrange(256)
    return bytes(data[: luck.randrange(len(data) + 1)] if kind == 2 else data)


def reason(data: bytes | str, filename: str) -> str:
    """Why the content of a file is no crystal; empty if it is one."""
    try:
        read(data, filename)
    except InputError as error:
        return str(error)
    return ""


@pytest.mark.thorough
@pytest.mark.parametrize("filename", FILES)
def test_a_damaged_file_is_a_crystal_or_one_sentence(filename: str) -> None:
    luck = random.Random(filename)
    crystals, slowest = 0, 0.0
    for _ in range(2000):
        data = damaged(FILES[filename], luck)
        begun = time.perf_counter()
        sentence = reason(data, filename)
        slowest = max(slowest, time.perf_counter() - begun)
        crystals += not sentence
        # The sentence names the file and the reason, and is one.
        assert not sentence or (sentence.startswith(f"{filename}: ") and sentence.endswith(".")), data
        assert "\n" not in sentence, data
        assert "cannot be read as a structure" not in sentence, data
    assert 50 < crystals < 1950
    assert slowest < 5


@pytest.mark.thorough
@pytest.mark.parametrize("filename", FILES)
def test_what_a_file_promises_is_not_believed(filename: str) -> None:
    """A billion atoms or voxels are not made room for, and long files of nonsense do not take long."""
    content = FILES[filename]
    begun = time.perf_counter()
    words = ["9" * 10**6 + "x", "a=" * 10**5, "(" * 10**5, "a" * 10**6, "a" + " " * 10**6 + "x", "\n" * 10**6 + "x"]
    nonsense = [*words, *(content.replace("\n", f"\n{word}\n", 1) for word in words)]
    for data in (content.replace("1", "1000000000"), content + "0 0 0\n" * 10**5, *nonsense):
        assert len(reason(data, filename)) < 500
    assert time.perf_counter() - begun < 10
