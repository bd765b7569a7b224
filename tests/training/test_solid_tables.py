"""Tables of solids: what is read from them, and what is refused with one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mlxc import InputError
from mlxc.cli import main
from mlxc.solids.table import Solid, prototype, read_solids

ROW = {"name": "Al_fcc", "lattice_constant_ang": 4.05}
BAD_ROWS = {
    "xc in settings": ({"settings": {"xc": "lda"}}, "'xc'"),
    "structure in settings": ({"settings": {"structure": "si"}}, "'structure'"),
    "rigid": ({"rigid": "no"}, "neither true nor false"),
    "rigid number": ({"rigid": 1}, "neither true nor false"),
    "boolean": ({"bulk_modulus_gpa": True}, "not a finite number"),
    "huge": ({"bulk_modulus_gpa": 10**400}, "not a finite number"),
    "negative constant": ({"lattice_constant_ang": -4}, "Al_fcc.*lattice_constant_ang must be positive"),
    "no volume": ({"volume_ang3": 0}, "must be positive"),
    "negative modulus": ({"bulk_modulus_gpa": -1}, "must be positive"),
    "density": ({"density": 5}, "not a text"),
    "structure": ({"structure": {"a": 1}}, "not a text"),
    "path as a name": ({"name": "../Al_fcc"}, "letters, digits"),
    "long name": ({"name": "A" * 101}, "at most 100"),
    "long file": ({"structure": "n" * 5000}, "cannot be opened"),
    "relatives": ({"relative_to": {"Al_fcc": "two"}}, "relative_to Al_fcc"),
}


@pytest.mark.parametrize(("changes", "words"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_is_a_sentence(changes: dict[str, object], words: str, tmp_path: Path) -> None:
    path = tmp_path / "table.json"
    path.write_text(json.dumps([ROW | changes]))
    with pytest.raises(InputError, match=words) as raised:
        read_solids(path)
    assert not str(raised.value).endswith("..")


BAD_FILES = {
    "large.csv": f"name,lattice_constant_ang\n{'A' * 200_000},4\n",
    "nested.json": "[" * 100_000,
    "empty.xyz": "",
    "element.csv": "name,lattice_constant_ang\nQq_fcc,4\n",
    "document.json": '[{"material_id": "mp-1"}]',
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_a_sentence(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / name).write_text(BAD_FILES[name])
    assert main(["evaluate", str(tmp_path / name)]) == 2
    said = capsys.readouterr().err.strip()
    assert said.endswith(".")
    assert not said.endswith("..")
    assert said.count("\n") == 0


def test_spreadsheets_may_begin_with_a_byte_order_mark_and_say_true(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("name,lattice_constant_ang,rigid\nAl_fcc,4.05,TRUE\nCu_fcc,3.6,\n", encoding="utf-8-sig")
    assert [solid.rigid for solid in read_solids(path).values()] == [True, False]


def test_whole_numbers_and_flags_of_extended_xyz_are_read(tmp_path: Path) -> None:
    atoms = prototype("Al_fcc", 4.05).to_ase()
    atoms.info = {"name": "Al", "bulk_modulus_gpa": np.int64(80), "rigid": True, "checked": True}
    atoms.write(tmp_path / "table.xyz", format="extxyz")
    solid = read_solids(tmp_path / "table.xyz")["Al"]
    assert solid.references == {"bulk_modulus_gpa": 80}
    assert solid.rigid


def test_a_moment_in_the_table_is_computed_with_spin() -> None:
    crystal = prototype("MnAl_b2", 3.0)
    plain = Solid("MnAl_b2", crystal, {"magnetisation_bohr_magneton": 0.0}).calculation(pseudo="gth")
    assert not plain.spin
    magnetic = Solid("MnAl_b2", crystal, {"magnetisation_bohr_magneton": 2.0}).calculation(pseudo="gth")
    assert magnetic.spin
    assert magnetic.crystal.moments.tolist() == [1.0, 1.0]


def test_the_identity_of_a_solid_is_plain_and_changes_with_what_is_computed() -> None:
    solid = Solid("Al_fcc", prototype("Al_fcc", 4.05), {})
    identity = solid.identity()
    assert json.loads(json.dumps(identity)) == identity
    assert set(identity["pseudopotentials"]["Al"]) == {"name", "sha256"}
    assert Solid("Al_fcc", solid.crystal, {"bulk_modulus_gpa": 80.0}).identity() == identity
    others = [
        Solid("Al_fcc", prototype("Al_fcc", 4.06), {}),
        Solid("Al_fcc", solid.crystal, {}, {"ecut_ha": 10.0}),
        Solid("Al_fcc", solid.crystal, {}, {"pseudo": "gth"}),
        Solid("Al_fcc", solid.crystal, {}, rigid=True),
    ]
    assert all(other.identity() != identity for other in others)
