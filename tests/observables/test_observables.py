"""Each observable is one entry: names are unique, and the values are those of the pieces that they are made of."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from mlxc import Crystal, InputError
from mlxc.crystal.resizing import area_ang2, height_ang
from mlxc.observables.catalogue import LOSSES, OBSERVABLES, TARGETS, targets_of
from mlxc.observables.energy_curve import EnergyCurve
from mlxc.properties.birch_murnaghan import BirchMurnaghan
from mlxc.properties.fitted_curve import fitted_curve
from mlxc.units import BOHR_ANG

RATIOS = np.linspace(0.92, 1.1, 7)


def curve_of(name: str) -> EnergyCurve:
    crystal = Crystal.load(name)
    volume = crystal.volume * BOHR_ANG**3
    energies = BirchMurnaghan(-50.0, 1.01 * volume, 0.5, 4.5)(RATIOS * volume)
    return EnergyCurve(crystal, (RATIOS * volume).tolist(), torch.tensor(energies, requires_grad=True))


def test_names_and_columns_are_unique_and_every_loss_and_target_has_a_function() -> None:
    columns = [observable.column for observable in OBSERVABLES.values() if observable.column is not None]
    assert len(set(columns)) == len(columns)
    assert all(name == observable.name for name, observable in OBSERVABLES.items())
    names = {"energy", "lattice_constant", "gap", "density_moment", "magnetic_order_energy", "magnetisation"}
    assert set(LOSSES) == names
    sources = [targets_of(source) for source in ("energy", "curve", "difference", "orders", "state")]
    assert set().union(*sources) == set(TARGETS)
    assert all(observable.is_variational == (observable.source != "state") for observable in OBSERVABLES.values())


@pytest.mark.parametrize("name", ["al", "graphene"])
def test_the_observables_of_a_curve_are_the_figures_of_its_fit(name: str) -> None:
    curve = curve_of(name)
    varied = "area" if name == "graphene" else "volume"
    figures = fitted_curve(
        curve.crystal, varied, np.array(curve.volumes_ang3), curve.energies_ev.detach().numpy()
    ).to_dict()
    figures |= {"volume_ang3": figures["volume0_ang3"], "area_ang2": figures["area0_ang2"]}
    for observable in OBSERVABLES.values():
        if observable.source == "curve" and not observable.is_distance:
            assert observable.column is not None
            value = observable.evaluate(curve)
            if figures[observable.column] is None:
                assert value is None
            else:
                assert float(value.detach()) == pytest.approx(figures[observable.column], rel=1e-6)
                (gradient,) = torch.autograd.grad(value, curve.energies_ev, retain_graph=True)
                assert gradient.abs().max() > 0
                assert float(gradient.sum()) == pytest.approx(0, abs=1e-6 * float(gradient.abs().sum()))


def test_a_sheet_has_an_area_and_a_layer_modulus_and_a_crystal_a_bulk_modulus() -> None:
    sheet, crystal = curve_of("graphene"), curve_of("al")
    assert float(OBSERVABLES["area"].evaluate(sheet).detach()) == pytest.approx(1.01 * area_ang2(sheet.crystal))
    assert OBSERVABLES["area"].evaluate(crystal) is None
    assert OBSERVABLES["bulk_modulus"].evaluate(sheet) is None
    modulus = float(OBSERVABLES["layer_modulus"].evaluate(sheet).detach())
    assert modulus == pytest.approx(0.5 * height_ang(sheet.crystal) * 16.0217663, rel=1e-6)


def test_a_curve_has_no_distance_from_itself_and_a_stiffer_one_has() -> None:
    curve = curve_of("al")
    volume = curve.crystal.volume * BOHR_ANG**3
    distance = OBSERVABLES["energy_curve"].evaluate
    assert float(distance(curve, BirchMurnaghan(0.0, 1.01 * volume, 0.5, 4.5)).detach()) == pytest.approx(0, abs=1e-6)
    assert float(distance(curve, BirchMurnaghan(0.0, 1.01 * volume, 0.6, 4.5)).detach()) > 1


def test_a_crystal_of_two_lengths_has_no_lattice_constant() -> None:
    tetragonal = Crystal(np.diag([7.0, 7.0, 8.0]), ["Al"], [[0, 0, 0]], name="tetragonal")
    with pytest.raises(InputError, match="tetragonal has no single lattice constant"):
        OBSERVABLES["lattice_constant"].check_crystal(tetragonal)


@pytest.mark.process
def test_what_observables_are_called_needs_no_torch() -> None:
    code = "import sys, mlxc.observables.catalogue; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
