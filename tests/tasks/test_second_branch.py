"""The search for a second magnetic branch of an equation of state, as it is told while it runs."""

from __future__ import annotations

import numpy as np
import pytest

from mlxc import Crystal
from mlxc.kohn_sham.monitor import SCFRecord
from mlxc.tasks.eos.task import EquationOfStateTask


@pytest.mark.thorough
def test_every_step_says_its_volume_those_of_the_search_included() -> None:
    hydrogen = Crystal(4.5 * np.eye(3), ["H"], [[0, 0, 0]], [1])
    settings = {"ecut_ha": 4, "kmesh": [1, 1, 1], "spin": True, "pseudo": "gth", "tolerance": 1e-4}
    task = EquationOfStateTask.from_dict({"calculation": {"structure": hydrogen.to_dict(), **settings}, "points": 4})
    records: list[SCFRecord] = []
    task.run(monitor=records.append)
    # Four volumes, one after the other, then a second SCF at the largest one, which starts from free atoms.
    beginnings = [record.point for record in records if record.iteration == 1]
    assert beginnings == [0, 1, 2, 3, 3]
    assert {record.start for record in records} == {1}
    assert all(record.point is not None for record in records)
