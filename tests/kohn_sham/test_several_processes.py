"""The k points of one crystal divided among processes: what they find together is what one process finds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import states_together
import torch
from states_together import computed

import mlxc
from mlxc import cli
from mlxc.crystal.brillouin import KPoints
from mlxc.errors import InputError
from mlxc.kohn_sham.kpoint_division import KPointDivision
from mlxc.utils.processes import Alone

# An error of a level is divided by the width of the smearing; a gradient is an iterative solution.
TOLERANCES = {"occupations": 1e-10, "gradient": 1e-9}
LAUNCHER = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]


@pytest.mark.process
@pytest.mark.parametrize(
    "name", ["metal", *(pytest.param(name, marks=pytest.mark.slow) for name in ("meta-gga", "magnet"))]
)
def test_two_processes_find_what_one_finds(name: str, tmp_path: Path) -> None:
    subprocess.run([*LAUNCHER, states_together.__file__, name, tmp_path], check=True, timeout=300)
    expected = computed(name)
    first, second = (torch.load(tmp_path / f"{number}.pt") for number in range(2))
    for quantity, value in expected.items():
        torch.testing.assert_close(first[quantity], value, rtol=0, atol=TOLERANCES.get(quantity, 1e-12), msg=quantity)
        exact = quantity in ("energy", "density")
        assert not exact or torch.equal(first[quantity], second[quantity])


@pytest.mark.process
def test_the_command_line_tells_the_result_of_several_processes_once(tmp_path: Path) -> None:
    options = ["scf", "al", "--ecut", "6", "--kmesh", "2", "2", "2", "--width", "0.01", "--json"]
    saved = tmp_path / "state.h5"
    done = subprocess.run(
        [*LAUNCHER, "-m", "mlxc.cli", *options, "--save", saved], check=True, capture_output=True, text=True
    )
    summary = json.loads(done.stdout)
    assert summary["converged"]
    assert len(mlxc.SavedState.load(saved).kpoints) == summary["irreducible_kpoints"] == 3


@pytest.mark.slow
@pytest.mark.process
def test_too_many_processes_are_told_so_in_one_sentence() -> None:
    options = ["scf", "al", "--ecut", "6", "--kmesh", "1", "1", "1", "--width", "0.01"]
    done = subprocess.run([*LAUNCHER, "-m", "mlxc.cli", *options], capture_output=True, text=True)
    assert done.stderr.count("start fewer processes.") == 1


def test_each_k_point_belongs_to_one_process() -> None:
    kpoints = KPoints(np.arange(21.0).reshape(7, 3), np.full(7, 1 / 7))
    divisions = []
    for number in range(3):
        processes = Alone()
        processes.count, processes.number = 3, number
        divisions.append(KPointDivision(kpoints, processes))
    rows = torch.arange(14.0)[:, None]
    assert np.concatenate([division.own.fractional for division in divisions]).tolist() == kpoints.fractional.tolist()
    parts = [division.own_rows(rows).unflatten(0, (2, -1)) for division in divisions]
    assert torch.equal(torch.cat(parts, dim=1).flatten(0, 1), rows)


def test_a_single_process_is_not_one_of_several() -> None:
    with mlxc.distributed() as processes:
        assert processes.is_first
        assert processes.count == 1


def test_what_several_processes_must_not_do_at_once_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert cli.main(["train", "config.yaml"]) == 2
    assert "start it without torchrun" in capsys.readouterr().err


def test_fewer_k_points_than_processes_are_refused() -> None:
    processes = Alone()
    processes.count = 2
    with pytest.raises(InputError, match="only 1 of them"):
        KPointDivision(KPoints(np.zeros((1, 3)), np.ones(1)), processes)
