"""A worker that computes nothing: tests write into the run's folder what a worker would."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlxc_app.run_model import RunModel
from stand_ins import IdleWorker

from mlxc.calculation import Calculation


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunModel:
    """A model of runs in an empty directory, with a worker that computes nothing."""
    monkeypatch.setenv("MLXC_RUNS", str(tmp_path))
    return RunModel(IdleWorker)


@pytest.fixture
def aluminium() -> Calculation:
    """A small calculation."""
    return Calculation.from_dict({"structure": "al", "ecut_ha": 10, "kmesh": (2, 2, 2)})
