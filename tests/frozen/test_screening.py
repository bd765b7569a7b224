"""Libraries of frozen densities, and functionals compared at them: the same numbers as by single calculations."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import mlxc
from mlxc import FrozenLibrary, InputError
from mlxc.cli import main
from mlxc.frozen import freeze as freezing
from mlxc.frozen.curve import RATIOS, compute_curve
from mlxc.frozen.freeze import freeze
from mlxc.frozen.library import MANIFEST
from mlxc.frozen.screening import screen
from mlxc.solids.table import Solid, read_solids
from mlxc.xc.checkpoint import save_checkpoint
from mlxc.xc.checkpoints.ensemble import Ensemble
from mlxc.xc.gga import PBE, PBE_MU

TEACHING = {"ecut_ha": 8.0, "kmesh": [2, 2, 2], "pseudo": "gth"}
ROWS = [
    {"name": "Si_diamond", "lattice_constant_ang": 5.43, "bulk_modulus_gpa": 100.8, "settings": TEACHING},
    {"name": "AlP_b3", "lattice_constant_ang": 5.45, "settings": TEACHING | {"spin": True}},
    {
        "name": "Al_fcc", "lattice_constant_ang": 4.02, "cohesive_energy_ev": 3.4, "settings": TEACHING,
        "relative_to": {"Al_sc": 1},
    },
    {"name": "Al_sc", "lattice_constant_ang": 4.5, "settings": TEACHING | {"ecut_ha": 6.0}, "rigid": True},
]  # fmt: skip


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("table") / "solids.json"
    path.write_text(json.dumps(ROWS))
    return path


@pytest.fixture(scope="module")
def folder(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of small calculations."""
    folder = tmp_path_factory.mktemp("library")
    results = freeze(list(read_solids(table).values()), folder)
    assert [result.message for result in results] == [""] * len(ROWS)
    return folder


def test_what_is_frozen_is_what_was_converged(table: Path, folder: Path) -> None:
    (row,) = screen(["pbe"], FrozenLibrary(folder), solids=["Si_diamond"]).rows
    predicted = compute_curve(read_solids(table)["Si_diamond"]).predictions(mlxc.functional("pbe"))
    assert row.lattice_constant_ang == pytest.approx(float(predicted["lattice_constant_ang"]), rel=1e-6)
    assert row.bulk_modulus_gpa == pytest.approx(float(predicted["bulk_modulus_gpa"]), rel=1e-4)
    assert row.bulk_modulus_error_percent == pytest.approx(100 * (row.bulk_modulus_gpa / 100.8 - 1))


def test_a_cohesive_energy_is_that_of_the_atoms_less_that_of_the_solid(folder: Path) -> None:
    library = FrozenLibrary(folder)
    assert library.names == ("Si_diamond", "AlP_b3", "Al_fcc")
    rows = {row.solid: row for row in screen(["lda"], library).rows}
    lda = mlxc.functional("lda")
    (atom,) = library.curve("Al_sc").snapshots
    bound = float(atom.energy(lda)) - (rows["Al_fcc"].energy_per_atom_ha or 0.0)
    assert rows["Al_fcc"].cohesive_energy_ev == pytest.approx(bound * 27.211386, rel=1e-6)
    assert rows["Si_diamond"].cohesive_energy_ev is None


def test_a_cohesive_energy_has_the_deviation_of_finite_differences(folder: Path, tmp_path: Path) -> None:
    functional, step = PBE(trainable=True), 1e-3
    ensemble = Ensemble.of_covariance(functional, torch.tensor([[4e-4]], dtype=torch.float64), ["mu"])
    save_checkpoint(functional, tmp_path / "mu.safetensors", name="mu", ensemble=ensemble)
    library = FrozenLibrary(folder)
    (row,) = screen([str(tmp_path / "mu.safetensors")], library, solids=["Al_fcc"], uncertainty=True).rows
    above, below = (
        screen([PBE(mu=PBE_MU + change)], library, solids=["Al_fcc"]).rows[0].cohesive_energy_ev or 0.0
        for change in (step, -step)
    )
    assert row.cohesive_energy_standard_deviation_ev == pytest.approx(0.02 * abs(above - below) / (2 * step), rel=1e-5)


def test_a_library_says_how_it_was_made(folder: Path) -> None:
    record = json.loads((folder / MANIFEST).read_text())
    assert record["functional"]["name"] == "pbe"
    assert record["mlxc"] == mlxc.__version__
    for name, entry in record["solids"].items():
        assert entry["settings"]["calculation"]["ecut_ha"] > 0
        assert entry["rounding_ha"] < 1e-6, name
        assert (folder / entry["file"]).stat().st_size < 1e6


def test_what_is_there_is_not_computed_again_and_what_changed_is(
    table: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    computed: list[str] = []

    def fail(solid: Solid, xc: str) -> Any:
        computed.append(solid.name)
        raise InputError(f"{solid.name} is computed")

    monkeypatch.setattr(freezing, "compute_curve", fail)
    # In this process, so that the replacement is seen.
    monkeypatch.setattr(freezing, "finished", lambda compute, jobs, *_: map(compute, jobs))
    solids = list(read_solids(table).values())
    assert freeze(solids, copy) == []
    (copy / "AlP_b3.safetensors").write_bytes(b"")
    changed = [solid if solid.name != "Al_sc" else _finer(solid) for solid in solids]
    results = freeze(changed, copy)
    assert computed == ["AlP_b3", "Al_sc"]
    assert [result.message for result in results] == ["AlP_b3 is computed", "Al_sc is computed"]
    with pytest.raises(InputError, match="another functional"):
        freeze(solids, copy, xc="lda")
    assert FrozenLibrary(copy).hash == FrozenLibrary(folder).hash


def _finer(solid: Solid) -> Solid:
    settings = solid.settings | {"ecut_ha": 7.0}
    return Solid(solid.name, solid.crystal, solid.references, settings, solid.relative_to, solid.rigid)


@pytest.mark.process
def test_a_library_is_made_by_a_command_with_two_processes(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["freeze", str(table), "--solids", "Si_diamond", "--out", str(tmp_path / "made"), "--processes", "2"]
    assert main(command) == 0
    assert "1 of 1 solids" in capsys.readouterr().out
    freeze([read_solids(table)["Si_diamond"]], tmp_path / "here")
    places = tmp_path / "made", tmp_path / "here"
    ours, theirs = (screen(["lda"], FrozenLibrary(place), solids=["Si_diamond"]).rows[0] for place in places)
    assert ours.energy_per_atom_ha == pytest.approx(theirs.energy_per_atom_ha, abs=1e-6)


class Broken(nn.Module):
    """LDA that gives no number where the density is high."""

    ingredients = ("rho",)

    def forward(self, rho: Tensor) -> Tensor:
        energy: Tensor = mlxc.functional("lda")(rho=rho)
        return energy.where(rho.sum(0) < 0.06, torch.nan)


class Attracting(nn.Module):
    """An energy that makes every crystal collapse."""

    ingredients = ("rho",)

    def forward(self, rho: Tensor) -> Tensor:
        return -10 * rho.sum(0) ** 2


class Raising(nn.Module):
    """A functional of somebody who has not finished."""

    ingredients = ("rho",)

    def forward(self, rho: Tensor) -> Tensor:
        raise RuntimeError("to do")


def test_what_fails_is_told_in_its_cell_and_the_others_stay(folder: Path) -> None:
    modules = ["pbe", Broken(), Attracting(), Raising()]
    rows = {(row.functional, row.solid): row for row in screen(modules, FrozenLibrary(folder)).rows}
    assert rows["Broken", "Al_fcc"].message == ""
    assert "not a finite number at 0." in rows["Broken", "Si_diamond"].message
    assert "no minimum" in rows["Attracting", "Si_diamond"].message
    assert rows["Raising", "Al_fcc"].message == "The functional ended with RuntimeError: to do."
    assert all(row.lattice_constant_ang for (name, _), row in rows.items() if name == "pbe")
    assert rows["Attracting", "Si_diamond"].lattice_constant_ang is None


def test_a_damaged_file_costs_one_solid(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    file = copy / "Si_diamond.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    rows = {row.solid: row for row in screen(["pbe"], FrozenLibrary(copy)).rows}
    assert rows["Si_diamond"].message == "The stored densities of Si_diamond are missing or damaged."
    assert rows["AlP_b3"].lattice_constant_ang is not None
    (copy / "Al_sc.safetensors").unlink()
    (row,) = screen(["pbe"], FrozenLibrary(copy), solids=["Al_fcc"]).rows
    assert row.lattice_constant_ang is not None
    assert "Al_sc" in row.message


@pytest.mark.parametrize("content", ["", "{}", "[]", "nonsense", '{"format": 99}', '{"format": 1, "solids": {"A": 1}}'])
def test_a_damaged_record_is_one_sentence(content: str, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(InputError, match=r"damaged|another format"):
        FrozenLibrary(tmp_path)
    with pytest.raises(InputError, match=r"damaged|another functional"):
        freeze([], tmp_path)


def test_mistakes_are_one_sentence(folder: Path, tmp_path: Path) -> None:
    library = FrozenLibrary(folder)
    with pytest.raises(InputError, match="has no 'Xx_fcc'; it has Si_diamond"):
        screen(["pbe"], library, solids=["Xx_fcc"])
    with pytest.raises(InputError, match="no functional to compare"):
        screen([], library)
    with pytest.raises(InputError, match="nonsense"):
        screen(["nonsense"], library)
    with pytest.raises(InputError, match="There is no library"):
        FrozenLibrary(tmp_path / "nowhere")


def test_the_share_of_electrons_outside_a_training_domain_is_told(folder: Path) -> None:
    rows = screen(["pbe", "bulk-unconstrained"], FrozenLibrary(folder), solids=["Si_diamond"]).rows
    assert rows[0].outside_domain_fraction is None
    assert 0 <= (rows[1].outside_domain_fraction or 0.0) <= 1


def test_the_command_prints_one_object_and_writes_tables(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {option: tmp_path / f"errors.{option}" for option in ("csv", "latex")} | {"plot": tmp_path / "errors.png"}
    options = [word for option, file in files.items() for word in (f"--{option}", str(file))]
    assert main(["screen", "--xc", "pbe", "lda", "--library", str(folder), "--json", *options]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said.keys() >= {"rows", "summary", "library", "seconds"}
    assert len(said["rows"]) == 2 * 3
    assert said["rows"][0].keys() >= {
        "functional", "solid", "lattice_constant_ang", "lattice_constant_error_percent", "bulk_modulus_gpa",
        "bulk_modulus_error_percent", "energy_per_atom_ha", "cohesive_energy_ev", "outside_domain_fraction",
    }  # fmt: skip
    errors = [row["lattice_constant_error_percent"] for row in said["rows"] if row["functional"] == "lda"]
    assert said["summary"]["lda"]["mean"] == pytest.approx(sum(errors) / len(errors))
    assert said["summary"]["lda"]["largest"] == pytest.approx(max(map(abs, errors)))
    assert said["library"] == FrozenLibrary(folder).hash
    assert all(file.stat().st_size > 100 for file in files.values())
    assert "Al\\_fcc" in files["latex"].read_text()
    assert main(["screen", "--library", str(folder), "--plot", str(tmp_path / "errors.nonsense")]) == 2
    capsys.readouterr()
    assert main(["screen", "--library", str(folder), "--xc", "lda"]) == 0
    assert "| Si_diamond |" in capsys.readouterr().out


def test_volumes_of_a_curve_are_those_of_training(folder: Path) -> None:
    curve = FrozenLibrary(folder).curve("Si_diamond")
    volumes = torch.tensor([one.volume_ang3 for one in curve.snapshots])
    assert torch.allclose(volumes / 5.43**3 * 4, torch.tensor(RATIOS), rtol=1e-6)
