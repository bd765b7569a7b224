"""Files of the kinds that people report in public trackers are read rightly, or refused with a reason."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from mlxc.errors import InputError
from mlxc.structures.files import read
from mlxc.units import BOHR_ANG

FOLDER = Path(__file__).parents[1] / "data" / "structures"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())
NAMES = ["POSCAR_c_cnt2", "POSCAR_cntmismatch", "POSCAR_v4_bcc", "k2b_negA1.cube", "q5_afm.pwi"]


@pytest.mark.parametrize("name", NAMES)
def test_a_reported_file_is_read_rightly_or_refused(name: str) -> None:
    expected = EXPECTED[name]
    may_be_refused = "refuse" in (expected["atoms"], expected.get("or"))
    try:
        crystal = read((FOLDER / name).read_bytes(), name).crystal
    except InputError:
        if may_be_refused:
            return
        raise
    assert expected["atoms"] != "refuse"
    assert Counter(crystal.species) == expected["atoms"]
    assert crystal.volume * BOHR_ANG**3 == pytest.approx(expected["volume_ang3"], abs=0.01)
    if expected.get("moments_opposite"):
        assert crystal.moments[0] == -crystal.moments[1] != 0
