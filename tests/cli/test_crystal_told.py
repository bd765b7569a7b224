"""What was understood of a structure is told before a run, and in the JSON of its result."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.build import bulk
from ase.io import write
from support import Outcome

from mlxc.cli.command_line import make_parser
from mlxc.crystal.crystal import Crystal
from mlxc.tasks.kinds import KINDS
from mlxc.units import BOHR_ANG

QUICK = ("--ecut", "4", "--kmesh", "1", "1", "1", "--tolerance", "1e-1", "--pseudo", "gth")


def poscar_of(lattice: Any, places: str) -> str:
    rows = "\n".join(" ".join(f"{x:.12f}" for x in vector) for vector in lattice)
    return f"silicon\n1.0\n{rows}\nSi\n{len(places.splitlines())}\nDirect\n{places}\n"


def test_the_first_lines_say_what_the_crystal_is(mlxc_command: Callable[..., Outcome]) -> None:
    write("POSCAR", bulk("Al", a=4.05, cubic=True))
    outcome = mlxc_command("scf", "POSCAR", *QUICK)
    first, second, third = outcome.stderr.splitlines()[:3]
    assert "Al, 4 atoms in a cell of 66.43 cubic angstrom, space group Fm-3m (225)." in first
    assert "angstrom; moments: none given." in second
    assert "2.864" in second  # half of the diagonal of the cube's face
    assert third == ("mlxc: The cell is not primitive: 4 atoms; the primitive cell has 1, which --primitive takes.")


def test_primitive_takes_the_smaller_cell_and_the_json_tells_of_it(mlxc_command: Callable[..., Outcome]) -> None:
    write("POSCAR", bulk("Si", a=5.43, cubic=True))
    outcome = mlxc_command("scf", "POSCAR", "--primitive", *QUICK, "--json")
    result = json.loads(outcome.stdout)
    assert len(result["calculation"]["structure"]["species"]) == 2
    crystal = result["crystal"]
    assert (crystal["formula"], crystal["atoms"], crystal["primitive_atoms"]) == ("Si", 2, 2)
    assert (crystal["space_group"], crystal["space_group_number"]) == ("Fd-3m", 227)
    assert crystal["shortest_distance_ang"] == pytest.approx(5.43 * 3**0.5 / 4)
    assert crystal["volume_ang3"] == pytest.approx(5.43**3 / 4)
    assert "given_cell" not in crystal


def test_a_very_skewed_cell_is_told_with_its_given_vectors(mlxc_command: Callable[..., Outcome]) -> None:
    silicon = Crystal.load("si")
    lattice = np.array([[1, 9, 0], [0, 1, 9], [0, 0, 1]]) @ silicon.lattice * BOHR_ANG
    Path("POSCAR").write_text(poscar_of(lattice, "0 0 0"))
    outcome = mlxc_command("scf", "POSCAR", *QUICK, "--json")
    crystal = json.loads(outcome.stdout)["crystal"]
    np.testing.assert_allclose(crystal["given_cell"]["lattice_ang"], lattice, atol=1e-9)
    assert crystal["given_cell"]["kmesh"] == [1, 1, 1]
    assert "The given cell is very skewed" in outcome.stderr


def test_what_cannot_be_run_is_one_sentence_and_no_crystal(mlxc_command: Callable[..., Outcome]) -> None:
    outcome = mlxc_command("scf", "si", "--device", "abacus")
    assert outcome.code == 2
    assert len(outcome.stderr.splitlines()) == 1


@pytest.mark.parametrize("word", [kind.command.word for kind in KINDS.values() if kind.command is not None])
def test_every_command_that_takes_a_structure_takes_the_primitive_cell(word: str) -> None:
    # A loss is what one of them cannot do without, and is left over by the others.
    options, _ = make_parser().parse_known_args([word, "si", "--primitive", "--loss", "gap"])
    assert options.primitive is True
