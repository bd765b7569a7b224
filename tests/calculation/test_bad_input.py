"""Whatever is wrong with what a person gives, the answer is one sentence and exit code 2."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support import Outcome, cif, extxyz, poscar

# What is wrong: the files given, the arguments, and words that the sentence must contain.
CASES: dict[str, tuple[dict[str, str | bytes], list[str], list[str]]] = {
    # Structures
    "unreadable CIF": ({"bad.cif": "data_x\nnothing here\n"}, ["scf", "bad.cif"], ["bad.cif", "CIF"]),
    "truncated CIF": ({"cut.cif": cif("Al 0 0 0")[:90]}, ["scf", "cut.cif"], ["cut.cif", "CIF"]),
    "CIF without atoms": ({"none.cif": cif()}, ["scf", "none.cif"], ["none.cif", "no atoms"]),
    "partial occupancy": ({"half.cif": cif("Al 0 0 0 0.5")}, ["scf", "half.cif"], ["half.cif", "partially occupied"]),
    "two atoms on one site": ({"two.cif": cif("Al 0 0 0", "Si 0 0 0")}, ["scf", "two.cif"], ["two.cif", "on top"]),
    "atoms too close": ({"near.cif": cif("Al 0 0 0", "Si .05 0 0")}, ["scf", "near.cif"], ["near.cif", "0.202 ang"]),
    "unknown element in a CIF": ({"q.cif": cif("Qq 0 0 0")}, ["scf", "q.cif"], ["q.cif", "'Qq'"]),
    "unknown element in a POSCAR": ({"POSCAR": poscar("Qq")}, ["scf", "POSCAR"], ["POSCAR", "'Qq'"]),
    "unreadable POSCAR": ({"POSCAR": poscar()[:20]}, ["scf", "POSCAR"], ["POSCAR", "lattice vectors"]),
    "POSCAR without elements": ({"POSCAR": poscar().replace("Al\n", "")}, ["scf", "POSCAR"], ["POSCAR", "elements"]),
    "empty file": ({"empty.cif": ""}, ["scf", "empty.cif"], ["empty.cif", "empty"]),
    "no atoms": ({"none.xyz": '0\nLattice="4 0 0 0 4 0 0 0 4"\n'}, ["scf", "none.xyz"], ["none.xyz", "no atoms"]),
    "molecule without a cell": ({"m.xyz": extxyz(lattice=None)}, ["scf", "m.xyz"], ["m.xyz", "cell"]),
    "flat cell": ({"f.xyz": extxyz(lattice="4 0 0 0 4 0 4 4 0")}, ["scf", "f.xyz"], ["f.xyz", "cell"]),
    "binary rubbish": ({"rubbish.dat": bytes(range(256))}, ["scf", "rubbish.dat"], ["rubbish.dat", "binary"]),
    "text that is no structure": ({"letter.txt": "Dear editor,\n"}, ["scf", "letter.txt"], ["letter.txt", "POSCAR"]),
    "file too large": ({"big.cif": "#" * (10 * 1024**2 + 1)}, ["scf", "big.cif"], ["big.cif", "10 MB"]),
    "misspelt name": ({}, ["scf", "grafene"], ["grafene", "did you mean 'graphene'", "diamond"]),
    "missing file": ({}, ["scf", "missing.cif"], ["missing.cif"]),
    "folder": ({}, ["scf", "."], ["folder"]),
    # Numbers
    "negative cutoff": ({}, ["scf", "al", "--ecut", "-5"], ["ecut", "-5"]),
    "cutoff that is no number": ({}, ["scf", "al", "--ecut", "nan"], ["ecut", "nan"]),
    "infinite cutoff": ({}, ["scf", "al", "--ecut", "inf"], ["ecut", "inf"]),
    "cutoff in words": ({}, ["scf", "al", "--ecut", "high"], ["--ecut", "high"]),
    "zero k points": ({}, ["scf", "al", "--kmesh", "0", "4", "4"], ["kmesh", "0"]),
    "two k-mesh numbers": ({}, ["scf", "al", "--kmesh", "4", "4"], ["--kmesh", "3"]),
    "negative width": ({}, ["scf", "al", "--width", "-0.01"], ["width", "-0.01"]),
    "zero tolerance": ({}, ["scf", "al", "--tolerance", "0"], ["tolerance"]),
    "too few volumes": ({}, ["eos", "al", "--points", "2"], ["points", "2"]),
    "volumes that leave out the given one": ({}, ["eos", "al", "--volume-range", "1.1", "1.2"], ["volume", "1.1"]),
    "area of a bulk crystal": ({}, ["eos", "al", "--vary", "area"], ["vary", "area", "al", "volume"]),
    "what cannot vary": ({}, ["eos", "graphene", "--vary", "height"], ["vary", "height", "'area'"]),
    # Choices
    "unknown functional": ({}, ["scf", "al", "--xc", "pbee"], ["xc", "pbee", "did you mean 'pbe'"]),
    "unknown smearing": ({}, ["scf", "al", "--smearing", "cold"], ["smearing", "cold", "fermi-dirac"]),
    "unknown basis": ({}, ["scf", "al", "--basis", "wavelets"], ["basis", "wavelets"]),
    "unknown device": ({}, ["scf", "al", "--device", "abacus"], ["device", "abacus"]),
    "unknown family of pseudopotentials": ({}, ["scf", "al", "--pseudo", "gold"], ["pseudo", "gold", "gth-pbe"]),
    "unknown pseudopotential": (
        {}, ["scf", "al", "--pseudo", "gth", "--pseudo-name", "Al=GTH-PBE-q7"],
        ["GTH-PBE-q7", "GTH-PBE-q3"],
    ),
    "pseudopotential that is a choice already": ({}, ["scf", "al", "--pseudo-name", "Al=q3"], ["PseudoDojo", "Al"]),
    "no such family": ({}, ["scf", "al", "--pseudo", "vanderbilt"], ["vanderbilt", "pseudodojo", "folder"]),
    "folder without files": ({}, ["scf", "al", "--pseudo", "."], ["folder", "Al"]),
    "a pseudopotential that is not one": ({"f/Al.upf": "hello"}, ["scf", "al", "--pseudo", "f"], ["Al.upf", "UPF"]),
    "pseudopotential of an absent element": ({}, ["scf", "al", "--pseudo-name", "Mg=GTH-PBE-q2"], ["Mg", "Al"]),
    "pseudopotential without an element": ({}, ["scf", "al", "--pseudo-name", "GTH-PBE-q3"], ["GTH-PBE-q3"]),
    "element without a pseudopotential": ({"POSCAR": poscar("Fm")}, ["scf", "POSCAR"], ["Fm", "pseudo"]),
    "unknown option": ({}, ["scf", "al", "--cutoff", "20"], ["--cutoff"]),
    "unknown command": ({}, ["relax", "al"], ["relax", "scf"]),
    "no command": ({}, [], ["command"]),
    "no structure": ({}, ["scf"], ["structure"]),
    # What only the physics forbids
    "odd electrons with fixed occupations": ({}, ["scf", "al", "--smearing", "none"], ["electrons", "smearing"]),
    "more memory than there is": (
        {"POSCAR": poscar().replace("1.0", "6.0")},
        ["scf", "POSCAR", "--ecut", "900", "--kmesh", "40", "40", "40"],
        ["memory", "ecut"],
    ),
    "FFT grid too small": ({}, ["scf", "al", "--fft-grid", "4", "4", "4"], ["fft_grid", "4"]),
    "FFT grid that breaks the symmetry": ({}, ["scf", "al", "--fft-grid", "24", "24", "25"], ["fft_grid", "symmetry"]),
    "result that cannot be written": ({}, ["scf", "al", "--save", "nowhere/al.h5"], ["nowhere"]),
}  # fmt: skip


@pytest.mark.parametrize("json", [False, True], ids=["table", "json"])
@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_answered_with_one_sentence(
    case: str, json: bool, mlxc_command: Callable[..., Outcome], tmp_path: Path
) -> None:
    files, arguments, words = CASES[case]
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    outcome = mlxc_command(*arguments, *(["--json"] if json and len(arguments) > 1 else []))
    assert outcome.code == 2, outcome
    assert outcome.stdout == ""
    assert outcome.stderr.count("\n") == 1, outcome.stderr
    assert outcome.stderr.endswith((".\n", "?\n"))
    assert "Traceback" not in outcome.stderr
    assert "usage:" not in outcome.stderr
    for word in words:
        assert word in outcome.stderr
