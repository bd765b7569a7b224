"""Functionals that answer again and again give what a screening gives, whatever was kept from before."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

import mlxc
from mlxc import FrozenLibrary, InputError
from mlxc.frozen.screener import Screener
from mlxc.frozen.screening import screen
from mlxc.frozen.screening_report import markdown_report
from mlxc.frozen.screening_row import NO_SOUND_FIT, ScreeningRow
from mlxc.solids.classes import CLASSES, class_of
from mlxc.utils.assets import asset_path
from mlxc.xc.checkpoint import save_checkpoint
from mlxc.xc.gga import PBE

SOLIDS = ["Na_bcc", "Si_diamond", "Ni_fcc"]


@pytest.fixture(scope="module")
def library() -> FrozenLibrary:
    return FrozenLibrary()


def lengths(screener: Screener, name: str, **parameters: float) -> list[float | None]:
    candidate = screener.candidate(name, parameters)
    return [screener.row(candidate, solid, name).lattice_constant_ang for solid in SOLIDS]


def numbers(row: ScreeningRow) -> dict[str, float]:
    return {name: value for name, value in asdict(row).items() if isinstance(value, float)}


@pytest.mark.parametrize("name", ["pbe", "solids-mgga"])
def test_rows_are_those_of_a_screening(library: FrozenLibrary, name: str) -> None:
    screener = Screener(library)
    expected = screen([name], library, solids=SOLIDS).rows
    for _ in range(2):
        for row in expected:
            found = screener.row(screener.candidate(name), row.solid, name)
            assert numbers(found) == pytest.approx(numbers(row), rel=1e-9)
            assert (found.functional, found.solid, found.message) == (name, row.solid, "")


@pytest.mark.parametrize("name", ["0.3*lda + 0.7*solids-mgga", "0.3*lda + 0.7*ms2-proxy"])
def test_quantities_of_a_sum_are_those_of_a_screening(library: FrozenLibrary, name: str) -> None:
    screener = Screener(library)
    for row in screen([name], library, solids=SOLIDS).rows:
        found = screener.row(screener.candidate(name), row.solid, name)
        for quantity in ("lattice_constant_ang", "bulk_modulus_gpa", "cohesive_energy_ev"):
            assert getattr(found, quantity) == pytest.approx(getattr(row, quantity), rel=1e-9), quantity


def test_parameters_that_a_hand_moves_are_those_of_the_functional(library: FrozenLibrary) -> None:
    screener = Screener(library)
    moved = lengths(screener, "pbe-kappa-mu", kappa=1.1, mu=0.15)
    rows = screen([PBE(kappa=1.1, mu=0.15)], library, solids=SOLIDS).rows
    assert moved == pytest.approx([row.lattice_constant_ang for row in rows], rel=1e-12)
    assert lengths(screener, "pbe-kappa-mu") == pytest.approx(lengths(screener, "pbe"), rel=1e-12)


def test_a_parameter_that_is_none_is_named(library: FrozenLibrary) -> None:
    with pytest.raises(InputError, match="no single number called 'beta'"):
        Screener(library).candidate("pbe-kappa-mu", {"beta": 0.1})


def test_a_checkpoint_that_changes_is_asked_again(library: FrozenLibrary, tmp_path: Path) -> None:
    file, screener = tmp_path / "own.safetensors", Screener(library)
    found = []
    for kappa in (0.8, 1.2):
        functional = PBE(kappa=kappa, trainable=True)
        save_checkpoint(functional, file, name="own", description="", licence="MIT")
        found.append(lengths(screener, str(file)))
    assert found[0] != found[1]
    assert found[1] == pytest.approx(lengths(screener, "pbe-kappa-mu", kappa=1.2), rel=1e-12)


def test_a_damaged_file_spoils_its_own_row_only(library: FrozenLibrary, tmp_path: Path) -> None:
    folder = tmp_path / "library"
    shutil.copytree(asset_path("frozen"), folder)
    (folder / "Si_diamond.safetensors").write_bytes(b"nothing")
    screener = Screener(FrozenLibrary(folder))
    for name in ("pbe", "0.5*pbe + 0.5*lda"):
        candidate = screener.candidate(name)
        assert "damaged" in screener.row(candidate, "Si_diamond", name).message
        assert screener.row(candidate, "Na_bcc", name).message == ""


def test_every_solid_of_the_library_has_a_kind(library: FrozenLibrary) -> None:
    kinds = {name: class_of(library.solids[name].crystal) for name in library.names}
    assert set(kinds.values()) <= set(CLASSES)
    assert kinds["Na_bcc"] == "alkali metal"
    assert kinds["Ag_fcc"] == kinds["FeAl_b2"] == "transition metal"
    assert kinds["NaCl_b1"] == kinds["MgO_b1"] == "ionic"
    assert kinds["GaAs_b3"] == kinds["BN_b3"] == "semiconductor"
    assert class_of(mlxc.Crystal.load("graphene")) == "sheet"


def test_energies_that_oscillate_make_no_result_and_smooth_ones_do(library: FrozenLibrary) -> None:
    screener = Screener(library)
    rows = {name: screener.row(screener.candidate(name), "NaCl_b1", name) for name in ("hm-mgga", "pbe")}
    assert rows["hm-mgga"].missing == NO_SOUND_FIT
    assert rows["hm-mgga"].bulk_modulus_gpa is rows["hm-mgga"].lattice_constant_ang is None
    assert "% of their range" in rows["hm-mgga"].message
    assert (rows["pbe"].missing, rows["pbe"].message) == ("", "")


def test_means_say_of_how_many_solids_they_are(library: FrozenLibrary) -> None:
    found = screen(["hm-mgga", "pbe"], library, solids=["Si_diamond", "NaCl_b1", "graphene"])
    assert [found.summary[name][key] for name in ("hm-mgga", "pbe") for key in ("count", "of")] == [2, 3, 3, 3]
    # Nobody knows the bulk modulus of a sheet.
    assert [found.summary["hm-mgga"]["bulk_modulus"][key] for key in ("count", "of")] == [1, 2]
    assert "| solids |  | 2 of 3 | 3 of 3 |" in markdown_report(found, library)
