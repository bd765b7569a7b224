"""What is in the bytes of a file is read whatever the machine that wrote it, and nothing in it is dropped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import poscar

from mlxc.errors import InputError
from mlxc.structures.files import read, read_structure
from mlxc.structures.formats.text import element, number, text_of


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_file_says_the_same_in_every_encoding_and_with_every_end_of_line(encoding: str, end: str) -> None:
    head = "fcc, Å" if encoding.startswith(("utf", "latin", "cp")) else "fcc"
    data = poscar(head=head).replace("\n", end).encode(encoding)
    assert read_structure(data, "POSCAR").same_as(read_structure(poscar(), "POSCAR"))


def test_a_nul_byte_is_refused_with_its_line() -> None:
    with pytest.raises(InputError, match="line 7 holds a NUL byte"):
        read(poscar().replace("\n1\n", "\n1\0\n"), "POSCAR")


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e90, max_value=1e90))
def test_numbers_are_those_that_python_and_fortran_write(value: float) -> None:
    text = f"{value:.16e}"
    for written in (repr(value), text, text.replace("e", "D"), text.replace("e", "d").upper()):
        assert number(written, 1) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(("word", "value"), [("1.23-101", 1.23e-101), ("-.5+002", -50.0), ("5.", 5.0), ("+1", 1.0)])
def test_fortran_leaves_out_the_letter_of_long_exponents(word: str, value: float) -> None:
    assert number(word, 1) == value


@pytest.mark.parametrize(
    "word", ["", "1_000", "inf", "nan", "0x10", "1e", "1e5.0", "--1", "1.2.3", "１", "1e99999", "½"]
)
def test_what_python_or_nobody_takes_for_a_number_is_none(word: str) -> None:
    with pytest.raises(InputError, match="Line 3"):
        number(word, 3)


def test_a_symbol_that_may_be_two_is_none() -> None:
    assert [element(word, "Line 1") for word in ("Co", "FE", "o", "26")] == ["Co", "Fe", "O", "Fe"]
    for word in ("CO", "SI", "X", "Fe2", "0", "119", "-1"):
        with pytest.raises(InputError, match="Line 1"):
            element(word, "Line 1")


@given(st.binary(max_size=200))
def test_bytes_are_a_text_or_hold_a_nul(data: bytes) -> None:
    try:
        text = text_of(data)
    except InputError:
        assert b"\0" in data
    else:
        assert "\0" not in text
