"""Error bars at frozen densities: right to first order, and as large as errors are for solids that were not used."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import torch

import mlxc
from mlxc import InputError
from mlxc.cli import main
from mlxc.frozen.screening import Screening, screen
from mlxc.references.tables import measured_solids
from mlxc.solids.calibration import ONE_DEVIATION, fraction_inside
from mlxc.xc.checkpoint import save_checkpoint
from mlxc.xc.checkpoints.ensemble import Ensemble
from mlxc.xc.checkpoints.files import shipped_checkpoints
from mlxc.xc.checkpoints.record import read_record
from mlxc.xc.gga import PBE, PBE_KAPPA, PBE_MU

COVARIANCE = torch.tensor([[4e-4, -1e-4], [-1e-4, 2.5e-4]], dtype=torch.float64)
STEP = 1e-3
SOLIDS = ["Al_fcc", "Si_diamond"]
DEVIATION = "lattice_constant_standard_deviation_ang"


@pytest.fixture
def checkpoint(tmp_path: Path) -> str:
    functional = PBE(trainable=True)
    ensemble = Ensemble.of_covariance(functional, COVARIANCE, ("kappa", "mu"))
    save_checkpoint(functional, tmp_path / "kappa-mu.safetensors", name="kappa-mu", ensemble=ensemble)
    return str(tmp_path / "kappa-mu.safetensors")


def unused(*names: str) -> list[str]:
    """The measured solids that the records of these checkpoints do not name, chosen before the fits."""
    records = [read_record(shipped_checkpoints()[name]) for name in names]
    told = " ".join(f"{record.training_data} {record.ensemble.method}" for record in records if record.ensemble)
    return [name for name in measured_solids() if name not in told]


@pytest.fixture(scope="module")
def judged() -> Screening:
    names = ("solids-gga", "overfit-gga")
    return screen(names, solids=unused(*names), uncertainty=True)


def values_of(xc: PBE, quantity: str) -> torch.Tensor:
    rows = screen([xc], solids=SOLIDS).rows
    return torch.tensor([getattr(row, quantity) for row in rows], dtype=torch.float64)


@pytest.mark.parametrize("quantity", ["lattice_constant_ang", "bulk_modulus_gpa"])
def test_bars_are_those_of_finite_differences(checkpoint: str, quantity: str) -> None:
    slopes = []
    for kappa, mu in ((STEP, 0.0), (0.0, STEP)):
        at = {n: values_of(PBE(PBE_KAPPA + n * kappa, PBE_MU + n * mu), quantity) for n in (-2, -1, 1, 2)}
        slopes.append((8 * (at[1] - at[-1]) - (at[2] - at[-2])) / (12 * STEP))
    gradients = torch.stack(slopes, dim=1)
    expected = (gradients @ COVARIANCE * gradients).sum(1).sqrt().tolist()
    name, _, unit = quantity.rpartition("_")
    rows = screen([checkpoint], solids=SOLIDS, uncertainty=True).rows
    assert [getattr(row, f"{name}_standard_deviation_{unit}") for row in rows] == pytest.approx(expected, rel=1e-5)


def test_members_of_the_shipped_ensemble_spread_as_wide_as_its_bars() -> None:
    count = read_record(shipped_checkpoints()["solids-gga"]).ensemble.members
    names = [f"solids-gga#{number}" for number in range(1, count + 1)]
    for middle in screen(["solids-gga"], solids=SOLIDS, uncertainty=True).rows:
        members = [row.lattice_constant_ang for row in screen(names, solids=[middle.solid]).rows]
        spread = (torch.tensor(members) - middle.lattice_constant_ang).square().mean().sqrt()
        # Of 16 draws the spread is known to a fifth; the network bends a little as well.
        assert float(spread) == pytest.approx(getattr(middle, DEVIATION), rel=0.5)


def test_a_member_of_the_shipped_ensemble_is_an_ordinary_functional() -> None:
    (row,) = screen(["solids-gga#3"], solids=["Al_fcc"]).rows
    again = mlxc.functional("solids-gga#3")
    (same,) = screen([again], solids=["Al_fcc"]).rows
    assert row.lattice_constant_ang == same.lattice_constant_ang
    assert getattr(row, DEVIATION) is None


def test_two_thirds_of_the_errors_on_unused_solids_are_within_one_standard_deviation(judged: Screening) -> None:
    scores = judged.scores("lattice_constant")["solids-gga"]
    assert len(scores) == 9
    assert 0.55 <= fraction_inside(scores.values()) <= 0.8
    # Not because bars are wide for all: they are as large as the errors are.
    rows = [row for row in judged.rows if row.functional == "solids-gga"]
    bars = torch.tensor([100 * getattr(row, DEVIATION) / row.lattice_constant_ang for row in rows])
    errors = torch.tensor([row.lattice_constant_error_percent for row in rows])
    assert 0.5 < float(bars.square().mean().sqrt() / errors.square().mean().sqrt()) < 2


def test_bars_notice_that_a_fit_was_overdone(judged: Screening) -> None:
    record = read_record(shipped_checkpoints()["overfit-gga"])
    rows = {name: [row for row in judged.rows if row.functional == name] for name in judged.identities}
    percent = {
        name: [100 * getattr(row, DEVIATION) / row.lattice_constant_ang for row in own] for name, own in rows.items()
    }
    bars = {name: torch.tensor(values).square().mean().sqrt().item() for name, values in percent.items()}
    # In training it was right to two thousandths; on other solids it is not, and says so.
    assert record.metrics["trained_rms_error_percent"] < 0.2
    assert bars["overfit-gga"] > 5 * record.metrics["trained_rms_error_percent"]
    assert bars["overfit-gga"] > 2 * bars["solids-gga"]
    assert 0.55 <= fraction_inside(judged.scores("lattice_constant")["overfit-gga"].values()) <= 0.8


def test_functionals_without_an_ensemble_have_no_bars_beside_one_that_has() -> None:
    rows = {row.functional: row for row in screen(["pbe", "solids-gga"], solids=["Al_fcc"], uncertainty=True).rows}
    assert getattr(rows["pbe"], DEVIATION) is None
    assert getattr(rows["solids-gga"], DEVIATION) > 0
    with pytest.raises(InputError, match="'pbe, lda' carries no ensemble"):
        screen(["pbe", "lda"], solids=["Al_fcc"], uncertainty=True)


def test_bars_leave_the_values_as_they_are() -> None:
    (plain,) = screen(["solids-gga"], solids=["Si_diamond"]).rows
    (uncertain,) = screen(["solids-gga"], solids=["Si_diamond"], uncertainty=True).rows
    assert uncertain.lattice_constant_ang == pytest.approx(plain.lattice_constant_ang, rel=1e-12)
    assert plain.bulk_modulus_standard_deviation_gpa is None


def test_the_command_tells_bars_and_draws_their_calibration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["screen", "--xc", "solids-gga", "--solids", *SOLIDS]
    assert main([*options, "--uncertainty", "--json", "--csv", str(tmp_path / "rows.csv")]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert all(row[DEVIATION] > 0 for row in rows)
    with (tmp_path / "rows.csv").open() as file:
        assert [float(row[DEVIATION]) for row in csv.DictReader(file)] == [row[DEVIATION] for row in rows]
    assert main([*options, "--calibration", str(tmp_path / "calibration.png")]) == 0
    told = capsys.readouterr().out
    assert " ± " in told
    assert "errors are within one standard deviation, where 68% should be" in told
    assert (tmp_path / "calibration.png").stat().st_size > 10_000
    assert main(["screen", "--xc", "pbe", "--solids", *SOLIDS, "--uncertainty"]) == 2


def test_the_share_inside_is_that_of_a_normal_distribution() -> None:
    drawn = torch.randn(20_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64).tolist()
    for nominal in (0.1, 0.5, ONE_DEVIATION, 0.95):
        assert fraction_inside(drawn, nominal) == pytest.approx(nominal, abs=0.01)
    assert fraction_inside([2 * score for score in drawn]) < 0.4, "bars that are half as wide as they should be"
    assert fraction_inside(drawn, 1.0) == 1.0
