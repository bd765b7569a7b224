"""Ensembles in checkpoints, and what they say of the uncertainty of a value."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch
from densities import random_ingredients

import mlxc
from mlxc import InputError
from mlxc.xc.catalogue import carries_ensemble, check_name
from mlxc.xc.checkpoint import load_checkpoint, save_checkpoint
from mlxc.xc.checkpoints.ensemble import FACTOR, MEMBERS, Ensemble, vector_of
from mlxc.xc.checkpoints.files import with_files_renamed
from mlxc.xc.checkpoints.record import METADATA_KEY, read_record
from mlxc.xc.enhancement import NeuralEnhancement
from mlxc.xc.gga import PBE
from mlxc.xc.uncertainty import ensemble_of, is_uncertain, spread, standard_deviation

BOTH = ("kappa", "mu")
COVARIANCE = torch.tensor([[4e-4, -1e-4], [-1e-4, 2.5e-4]], dtype=torch.float64)
INGREDIENTS = {name: values for name, values in random_ingredients(2).items() if name != "tau"}


def energy(functional: torch.nn.Module) -> torch.Tensor:
    return functional(**INGREDIENTS).sum()


def written(path: Path, covariance: torch.Tensor = COVARIANCE, members: int = 5) -> Path:
    functional = PBE(trainable=True)
    ensemble = Ensemble.of_covariance(functional, covariance, BOTH, "a test", members=members)
    save_checkpoint(functional, path, name="model", ensemble=ensemble)
    return path


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return written(tmp_path / "model.safetensors")


def test_a_file_gives_back_the_covariance_and_the_members(checkpoint: Path) -> None:
    loaded = mlxc.functional(str(checkpoint))
    found = ensemble_of(loaded)
    assert found is not None
    assert torch.allclose(found.factor @ found.factor.T, COVARIANCE, rtol=1e-12, atol=0)
    assert found.count == read_record(checkpoint).ensemble.members == 5
    assert float(loaded.mu.detach()) == float(PBE().mu), "the name alone is the functional in the middle"


def test_a_file_without_an_ensemble_is_what_it_has_always_been() -> None:
    record = read_record(Path(mlxc.__file__).parents[1] / "assets" / "checkpoints" / "pbe-proxy.safetensors")
    assert record.format == 1
    assert "ensemble" not in record.model_dump()
    assert ensemble_of(mlxc.functional("pbe-proxy")) is None


def test_a_member_by_name_is_the_functional_with_its_parameters(checkpoint: Path) -> None:
    ensemble = ensemble_of(load_checkpoint(checkpoint))
    for number, (kappa, mu) in enumerate(ensemble.members.tolist(), start=1):
        member = mlxc.functional(f"{checkpoint}#{number}")
        assert torch.equal(energy(member), energy(PBE(kappa, mu)))
        assert not is_uncertain(member)


def test_members_have_names_and_contents_of_their_own(checkpoint: Path) -> None:
    from mlxc.xc.identity import identity_of

    identities = [identity_of(mlxc.functional(f"{checkpoint}{which}")) for which in ("", "#1", "#2")]
    assert [identity.name for identity in identities] == [f"{checkpoint}", f"{checkpoint}#1", f"{checkpoint}#2"]
    assert len({identity.content_hash for identity in identities}) == 3


def test_a_member_in_a_sum_is_that_member(checkpoint: Path) -> None:
    mixed = mlxc.functional(f"0.25*{checkpoint}#2 + 0.75*pbe")
    expected = 0.25 * energy(mlxc.functional(f"{checkpoint}#2")) + 0.75 * energy(PBE())
    assert torch.allclose(energy(mixed), expected, rtol=1e-14)


@pytest.mark.parametrize("number", ["0", "6", "99"])
def test_a_member_that_is_not_there_is_a_sentence(checkpoint: Path, number: str) -> None:
    with pytest.raises(InputError, match=f"has the members 1 to 5, so there is no member {number}"):
        check_name(f"{checkpoint}#{number}")
    with pytest.raises(InputError, match="has no members"):
        check_name("pbe-proxy#1")


def test_only_the_whole_ensemble_tells_of_an_uncertainty(checkpoint: Path) -> None:
    assert carries_ensemble(f"{checkpoint}")
    assert carries_ensemble(f"0.5*{checkpoint} + 0.5*pbe")
    assert not carries_ensemble(f"{checkpoint}#1")
    assert not carries_ensemble("pbe-proxy")


def test_a_member_of_a_file_is_renamed_with_it() -> None:
    assert with_files_renamed("0.5*/a/m.safetensors#3 + 0.5*pbe", {"/a/m.safetensors": "m.safetensors"}) == (
        "0.5*m.safetensors#3 + 0.5*pbe"
    )


def test_the_standard_deviation_is_that_of_finite_differences(checkpoint: Path) -> None:
    functional, step, slopes = mlxc.functional(str(checkpoint)), 1e-5, []
    for kappa, mu in ((step, 0), (0, step)):
        ends = [energy(PBE(PBE().kappa.item() + sign * kappa, PBE().mu.item() + sign * mu)) for sign in (1, -1)]
        slopes.append(float((ends[0] - ends[1]).detach()) / (2 * step))
    gradient = torch.tensor(slopes, dtype=torch.float64)
    expected = float(gradient @ COVARIANCE @ gradient) ** 0.5
    assert standard_deviation(energy(functional), functional) == pytest.approx(expected, rel=1e-7)


def test_a_narrow_ensemble_spreads_as_its_covariance_says(tmp_path: Path) -> None:
    functional = PBE(kappa=0.9, mu=0.2, trainable=True)
    drawn = torch.randn(7, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    members = vector_of(functional, BOTH) + 1e-5 * drawn
    path = tmp_path / "members.safetensors"
    save_checkpoint(functional, path, name="m", ensemble=Ensemble.of_members(functional, members, BOTH))
    loaded = load_checkpoint(path)
    assert float(spread(energy, loaded)) == pytest.approx(standard_deviation(energy(loaded), loaded), rel=1e-4)


def test_a_network_carries_an_ensemble_of_some_of_its_weights(tmp_path: Path) -> None:
    functional = NeuralEnhancement("gga", (4,))
    last = [name for name, _ in functional.named_parameters() if ".2." in name]
    size = len(vector_of(functional, last))
    ensemble = Ensemble.of_covariance(functional, 1e-8 * torch.eye(size, dtype=torch.float64), last, members=200)
    save_checkpoint(functional, tmp_path / "n.safetensors", name="n", ensemble=ensemble)
    loaded = load_checkpoint(tmp_path / "n.safetensors")
    linear = standard_deviation(energy(loaded), loaded)
    # Of 200 draws the spread is known to a twentieth.
    assert float(spread(energy, loaded)) == pytest.approx(linear, rel=0.15)


def test_the_same_checkpoint_twice_varies_together_and_another_one_by_itself(tmp_path: Path) -> None:
    first, second = written(tmp_path / "a.safetensors"), written(tmp_path / "b.safetensors", 4 * COVARIANCE)
    alone = mlxc.functional(str(first))
    deviation = standard_deviation(energy(alone), alone)
    twice = mlxc.functional(f"0.5*{first} + 0.5*{first}")
    assert standard_deviation(energy(twice), twice) == pytest.approx(deviation, rel=1e-12)
    both = mlxc.functional(f"0.5*{first} + 0.5*{second}")
    assert standard_deviation(energy(both), both) == pytest.approx((0.25 + 0.25 * 4) ** 0.5 * deviation, rel=1e-12)


def test_parameters_that_have_moved_have_no_ensemble(checkpoint: Path) -> None:
    functional = mlxc.functional(str(checkpoint))
    with torch.no_grad():
        functional.mu.add_(0.01)
    with pytest.raises(InputError, match="carries no ensemble"):
        standard_deviation(energy(functional), functional)


def test_a_value_that_does_not_depend_on_the_functional_is_refused(checkpoint: Path) -> None:
    with pytest.raises(InputError, match="not attached"):
        standard_deviation(torch.tensor(1.0), mlxc.functional(str(checkpoint)))


@pytest.mark.parametrize(
    ("covariance", "reason"),
    [
        (torch.diag(torch.tensor([1.0, -1.0], dtype=torch.float64)), "negative variance"),
        (torch.zeros(2, 2, dtype=torch.float64), "negative variance, or none"),
        (torch.eye(3, dtype=torch.float64), r"shape \(3, 3\), for 2 parameters"),
        (torch.eye(2), "float32, not float64"),
        (torch.full((2, 2), torch.nan, dtype=torch.float64), "not all finite"),
    ],
)
def test_what_is_no_covariance_is_refused(covariance: torch.Tensor, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        Ensemble.of_covariance(PBE(trainable=True), covariance, BOTH)


def without_tensors(tensors: dict, record: dict) -> None:
    del tensors[FACTOR], tensors[MEMBERS]


def with_infinite_member(tensors: dict, record: dict) -> None:
    tensors[MEMBERS][0, 0] = torch.inf


DAMAGE: dict[str, tuple[Callable[[dict, dict], None], str]] = {
    "no tensors": (without_tensors, "neither a covariance nor a member"),
    "a member less": (
        lambda t, r: t.update({MEMBERS: t[MEMBERS][1:].clone()}),
        "tells of 5 members, and the file has 4",
    ),
    "members without dimensions": (lambda t, r: t.update({MEMBERS: t[MEMBERS][0, 0].clone()}), "5 members"),
    "a wide member": (lambda t, r: t.update({MEMBERS: torch.zeros(5, 3, dtype=torch.float64)}), r"shape \(5, 3\)"),
    "an infinite member": (with_infinite_member, "members are not all finite"),
    "a long factor": (lambda t, r: t.update({FACTOR: torch.zeros(3, 1, dtype=torch.float64)}), r"shape \(3, 1\)"),
    "a factor of rank zero": (
        lambda t, r: t.update({FACTOR: torch.zeros(2, 0, dtype=torch.float64)}),
        r"shape \(2, 0\)",
    ),
    "single precision": (lambda t, r: t.update({FACTOR: t[FACTOR].float()}), "float32"),
    "unknown parameter": (lambda t, r: r["ensemble"].update(parameters=["kappa", "beta"]), "no parameter 'beta'"),
    "a parameter twice": (lambda t, r: r["ensemble"].update(parameters=["mu", "mu"]), "named twice"),
    "no parameter": (lambda t, r: r["ensemble"].update(parameters=[]), "'ensemble.parameters' of its record"),
    "no record": (lambda t, r: r.pop("ensemble"), "has no weights 'ensemble.factor'"),
    "the older format": (lambda t, r: r.update(format=1), "of its record is not valid"),
    "an altered covariance": (lambda t, r: t[FACTOR].mul_(2), "altered or damaged"),
}


@pytest.mark.parametrize(("change", "reason"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_ensemble_is_refused_with_a_sentence(
    checkpoint: Path, change: Callable[[dict, dict], None], reason: str
) -> None:
    tensors = safetensors.torch.load_file(checkpoint)
    record = json.loads(read_record(checkpoint).model_dump_json())
    change(tensors, record)
    safetensors.torch.save_file(tensors, checkpoint, {METADATA_KEY: json.dumps(record)})
    with pytest.raises(InputError, match=reason):
        load_checkpoint(checkpoint)
