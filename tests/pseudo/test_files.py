"""Pseudopotential files as they come: what writers of UPF and psp8 do, read as the same pseudopotential."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from math import pi
from pathlib import Path

import numpy as np
import pytest
from psp8_files import psp8_text

import mlxc
from mlxc import Crystal, InputError
from mlxc.pseudo.files.reading import parse_pseudopotential, read_pseudopotential
from mlxc.pseudo.library import find_pseudopotential, fingerprint
from mlxc.pseudo.pseudodojo import pseudodojo_content, read_pseudodojo

DATA = Path(__file__).resolve().parents[1] / "data" / "pseudopotentials"
SILICON = Crystal.from_dict(
    {
        "lattice_ang": (10.26 * 0.529177210903 * (1 - np.eye(3)) / 2).tolist(),
        "species": ["Si", "Si"],
        "fractional_positions": [[0, 0, 0], [0.25, 0.25, 0.25]],
    }
)
SETTINGS = {"basis": mlxc.PlaneWaves(14.0), "kmesh": (2, 2, 2), "tolerance": 1e-8, "differentiate": None}
# ABINIT 9.6.2 with what tests/psp8_files.py makes of the UPF file of silicon, in SILICON with SETTINGS; hartree.
ABINIT_HA = -8.3681446645


def text_of(symbol: str) -> str:
    return pseudodojo_content("pseudodojo-pbe", symbol).decode()


def section(tag: str, change: Callable[[str], str]) -> Callable[[str], str]:
    """A change of the numbers of one section."""

    def changed(text: str) -> str:
        return re.sub(rf"(<{tag}\b[^>]*>)(.*?)(</{tag}>)", lambda m: m[1] + change(m[2]) + m[3], text, flags=re.DOTALL)

    return changed


def with_tiny_number(numbers: str) -> str:
    """The last number of a section as Fortran writes 1e-103."""
    return re.sub(r"\S+(\s*)$", r"1.0000000000-103\1", numbers)


# Each leaves the pseudopotential as it is.
AS_THEY_COME: dict[str, Callable[[str], str]] = {
    "three digits in the exponent of the density": section("PP_RHOATOM", with_tiny_number),
    "three digits in the exponent of the core": section("PP_NLCC", with_tiny_number),
    "exponents with D": lambda text: re.sub(r"(\d)E([+-]\d\d)\b", r"\1D\2", text),
    "exponents with d": lambda text: re.sub(r"(\d)E([+-]\d\d)\b", r"\1d\2", text),
    "no orbitals": lambda text: re.sub(r"<PP_PSWFC.*</PP_PSWFC>", "", text, flags=re.DOTALL),
    "no orbitals, and none promised": lambda text: re.sub(
        r"<PP_PSWFC.*</PP_PSWFC>", "<PP_PSWFC>\n</PP_PSWFC>", text, flags=re.DOTALL
    ).replace('number_of_wfc="2"', 'number_of_wfc="0"'),
    "no orbital is occupied": lambda text: re.sub(r'occupation="[^"]*"', 'occupation="0.0"', text),
    "occupations are not told": lambda text: re.sub(r'occupation="[^"]*"', "", text),
    "an ampersand in an attribute": lambda text: text.replace('author="anonymous"', 'author="A & B, D&D;"'),
    "an address in an attribute": lambda text: text.replace('author="anonymous"', 'author="A <a@b.org>"'),
    "single quotes": lambda text: text.replace('comment=""', "comment='a < b & \"c\"'"),
    "an odd quote in a comment": lambda text: text.replace("<PP_MESH>", '<!-- 5" <x> & -->\n<PP_MESH>'),
    "noise between angular momenta": lambda text: section(
        "PP_DIJ", lambda numbers: re.sub(r"^(\s*\S+\s+\S+\s+)\S+", r"\g<1>-3.1E-12", numbers)
    )(text),
    "an XML declaration": lambda text: '﻿<?xml version="1.0" encoding="UTF-8"?>\n' + text,
    "lines that end as on Windows": lambda text: text.replace("\n", "\r\n"),
    "something behind the end": lambda text: text + "\nEnd of file\n",
    "what is not XML in the information": lambda text: text.replace("<PP_INFO>", "<PP_INFO>\n l < 3 && r > 0 <b>\n"),
    "the element in capitals": lambda text: text.replace('element="Si"', 'element="SI"'),
    "flags of Fortran": lambda text: text.replace('core_correction="T"', 'core_correction=".true."'),
}


@pytest.mark.parametrize("kind", AS_THEY_COME)
def test_a_file_as_it_comes_is_the_same_pseudopotential(kind: str) -> None:
    original = text_of("Si")
    changed = AS_THEY_COME[kind](original)
    assert changed != original
    known, read = (parse_pseudopotential(text.encode(), "Si.upf", "Si") for text in (original, changed))
    assert read.charge == known.charge == 4
    np.testing.assert_array_equal(read.coupling, known.coupling)
    for name in ("radius", "spacing", "local", "core_density", "atomic_density"):
        np.testing.assert_allclose(getattr(read, name), getattr(known, name), rtol=0, atol=3e-6)
    for one, other in zip(read.projectors, known.projectors, strict=True):
        np.testing.assert_array_equal(one.values, other.values)


@pytest.mark.parametrize("name", ["u07_exp3", "u27_sg15like"])
def test_a_file_that_fortran_wrote_or_that_has_no_orbitals_is_used(name: str, tmp_path: Path) -> None:
    (tmp_path / "Si.upf").write_bytes((DATA / f"{name}.upf").read_bytes())
    found = mlxc.scf(SILICON, pseudo=str(tmp_path), **SETTINGS)
    shipped = mlxc.scf(SILICON, pseudo="pseudodojo", **SETTINGS)
    assert found.converged
    # The meshes of the two files end at different radii.
    assert float(found.energy) == pytest.approx(float(shipped.energy), abs=2e-4)


def test_a_psp8_file_is_the_pseudopotential_that_abinit_reads(tmp_path: Path) -> None:
    (tmp_path / "Si.psp8").write_text(psp8_text(read_pseudodojo("pseudodojo-pbe", "Si")))
    found = mlxc.scf(SILICON, pseudo=str(tmp_path), **SETTINGS)
    assert found.message == ""
    assert float(found.energy) == pytest.approx(ABINIT_HA, abs=2e-6)


@pytest.mark.parametrize("symbol", ["H", "O", "Fe", "Lu", "Bi"])
@pytest.mark.parametrize("extension", [0, 1])
def test_psp8_and_upf_hold_the_same(symbol: str, extension: int) -> None:
    upf = read_pseudodojo("pseudodojo-pbe", symbol)
    text = psp8_text(upf, extension=extension)
    psp8 = parse_pseudopotential(text.encode(), f"{symbol}.psp8", symbol)
    assert psp8.functional == "PBE"
    assert psp8.orbitals == ()
    for one, other in zip(psp8.projectors, upf.projectors, strict=True):
        assert one.angular_momentum == other.angular_momentum
        np.testing.assert_allclose(one.values, other.values, atol=1e-12)
    np.testing.assert_allclose(psp8.coupling, upf.coupling, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(psp8.local, upf.local, rtol=1e-12)
    electrons = np.trapezoid(psp8.atomic_density, psp8.radius)
    assert electrons == pytest.approx(upf.charge, rel=2e-2)
    if upf.core_density is not None:
        assert psp8.core_density is not None
        inside = 4 * pi * np.trapezoid(upf.radius**2 * upf.core_density, upf.radius)
        assert 4 * pi * np.trapezoid(psp8.radius**2 * psp8.core_density, psp8.radius) == pytest.approx(inside)


PSP8_REFUSED: dict[str, tuple[Callable[[str], str], str]] = {
    "spin-orbit coupling": (lambda text: text.replace("1 1 extension_switch", "3 3 extension_switch"), "relativistic"),
    "another format": (lambda text: text.replace("\n8 11 ", "\n6 11 "), "not in UPF format"),
    "another element": (lambda text: text.replace("\n14.0000", "\n32.0000"), "is for Ge, not for Si"),
    "no element": (lambda text: text.replace("\n14.0000", "\n0.0000"), "no element"),
    "truncated": (lambda text: text[: len(text) // 2], "truncated or damaged"),
    "truncated in the header": (lambda text: "\n".join(text.splitlines()[:4]), "truncated or damaged"),
    "words for numbers": (lambda text: text.replace("D-01", "D-hello", 1), "something other than numbers"),
    "a charge of a half": (lambda text: text.replace(" 4.0000 171102", " 3.5000 171102"), "whole number"),
    "a mesh without points": (lambda text: re.sub(r"\n8 11 2 4 \d+", "\n8 11 2 4 0", text), "mmax"),
    "a negative mesh": (lambda text: re.sub(r"\n8 11 2 4 \d+", "\n8 11 2 4 -5", text), "mmax"),
    "too large an angular momentum": (lambda text: text.replace("\n8 11 2 ", "\n8 11 7 "), "angular momentum 7"),
    "not a number": (lambda text: re.sub(r"\n    5 (\S+) \S+", r"\n    5 \1 NaN", text, count=1), "not finite"),
}


@pytest.mark.parametrize("kind", PSP8_REFUSED)
def test_an_unusable_psp8_file_is_refused_with_one_sentence(kind: str) -> None:
    change, complaint = PSP8_REFUSED[kind]
    original = psp8_text(read_pseudodojo("pseudodojo-pbe", "Si"))
    changed = change(original)
    assert changed != original
    with pytest.raises(InputError, match=complaint) as error:
        parse_pseudopotential(changed.encode(), "Si.psp8", "Si")
    assert str(error.value).endswith(".")
    assert "\n" not in str(error.value)


KINDS = {
    "ultrasoft": ('pseudo_type="NC"', 'pseudo_type="USPP"'),
    "PAW": ('pseudo_type="NC"', 'pseudo_type="PAW"'),
    "fully relativistic": ('relativistic="scalar"', 'relativistic="full"'),
    "version 1": ("<UPF ", "<ABC "),
}


def test_each_unusable_kind_has_a_sentence_of_its_own_that_says_what_to_take() -> None:
    sentences = []
    for old, new in KINDS.values():
        with pytest.raises(InputError) as error:
            parse_pseudopotential(text_of("Al").replace(old, new, 1).encode(), "Al.upf", "Al")
        sentences.append(str(error.value))
    assert len(set(sentences)) == len(KINDS)
    for kind, sentence in zip(KINDS, sentences, strict=True):
        assert kind in sentence
        assert "--pseudo pseudodojo" in sentence


def test_semilocal_potentials_without_projectors_are_refused() -> None:
    text = text_of("Al").replace('pseudo_type="NC"', 'pseudo_type="SL"')
    text = re.sub(r'number_of_proj="\d+"', 'number_of_proj="0"', text)
    text = text.replace("<PP_NONLOCAL>", "<PP_SEMILOCAL>\n</PP_SEMILOCAL>\n<PP_NONLOCAL>")
    with pytest.raises(InputError, match="semilocal"):
        parse_pseudopotential(text.encode(), "Al.upf", "Al")


@pytest.mark.parametrize(
    "name", ["Si.upf", "silicon_pbe.UPF", "In-house-Si.upf", "pseudo.si.upf", "14.psp8", "Si.psp8", "oncv.upf.gz"]
)
def test_a_file_is_found_whatever_it_is_called(name: str, tmp_path: Path) -> None:
    content = text_of("Si").encode()
    if "psp8" in name:
        content = psp8_text(read_pseudodojo("pseudodojo-pbe", "Si")).encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    (tmp_path / "al.upf").write_text(text_of("Al"))
    (tmp_path / "notes.txt").write_text("Si")
    assert find_pseudopotential("Si", str(tmp_path), "pbe").name == name
    with pytest.raises(InputError, match="for In"):
        find_pseudopotential("In", str(tmp_path), "pbe")


def test_a_file_that_does_not_say_its_element_is_told_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "Si.upf").write_text("hello")
    with pytest.raises(InputError, match="not in UPF format"):
        find_pseudopotential("Si", str(tmp_path), "pbe")


def test_a_compressed_file_is_the_same_pseudopotential(tmp_path: Path) -> None:
    content = pseudodojo_content("pseudodojo-pbe", "Si")
    (tmp_path / "Si.upf").write_bytes(content)
    (tmp_path / "Si.upf.gz").write_bytes(gzip.compress(content))
    plain, compressed = (read_pseudopotential(tmp_path / name, "Si") for name in ("Si.upf", "Si.upf.gz"))
    assert plain.sha256 == compressed.sha256
    assert fingerprint(plain) == fingerprint(compressed)
