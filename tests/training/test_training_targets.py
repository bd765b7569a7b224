"""What a functional can be trained to get right: every kind of target has the gradient of its finite difference."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import mlxc
from mlxc import InputError
from mlxc.frozen.curve import SolidCurve, compute_curve
from mlxc.frozen.energy_difference import EnergyDifference
from mlxc.properties.birch_murnaghan import fit_birch_murnaghan
from mlxc.solids.known_quantities import is_known
from mlxc.solids.table import Solid, prototype
from mlxc.training.config import Target
from mlxc.training.loss import absolute, assess, squared
from mlxc.training.subjects import self_consistent_state
from mlxc.training.subjects.magnetic_orders import MagneticOrders
from mlxc.training.subjects.moved_solids import moved, with_moved
from mlxc.training.subjects.self_consistent_state import SelfConsistentState
from mlxc.training.subjects.subjects import Preparation, Subject
from mlxc.training.subjects.teacher import Teacher
from mlxc.units import BOHR_ANG, EV_PER_ANG3_GPA, HARTREE_EV
from mlxc.xc.gga import PBE

MU = 0.2195149727645171
TEACHING = {"ecut_ha": 8.0, "kmesh": [2, 2, 2], "pseudo": "gth"}
MAGNET = {"ecut_ha": 12.0, "kmesh": [2, 2, 2]}


def silicon(structure: str = "diamond", a: float = 5.43, **more: Any) -> Solid:
    name = f"Si_{structure}"
    return Solid(name, prototype(name, a), more.pop("references", {}), TEACHING | more.pop("settings", {}), **more)


def slope_and_difference(subject: Subject, quantity: str, step: float = 1e-3) -> tuple[float, float]:
    """d(quantity)/d(mu) of PBE by autograd, and from four other values of mu, to fourth order."""
    xc = PBE(trainable=True)
    (slope,) = torch.autograd.grad(subject.predictions(xc)[quantity], xc.mu)
    with torch.no_grad():
        near, far = (
            [float(subject.predictions(PBE(mu=MU + sign * reach * step))[quantity]) for sign in (1, -1)]
            for reach in (1, 2)
        )
    return float(slope), (8 * (near[0] - near[1]) - (far[0] - far[1])) / (12 * step)


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Densities so exact that differences of what is of first order in them are."""
    monkeypatch.setattr(self_consistent_state, "TOLERANCE", 1e-9)


@pytest.fixture(scope="module")
def curve() -> SolidCurve:
    return compute_curve(silicon())


@pytest.mark.thorough
def test_a_curve_of_energies_is_compared_with_the_one_of_the_table(curve: SolidCurve) -> None:
    volumes = [snapshot.volume_ang3 for snapshot in curve.snapshots]
    fit = fit_birch_murnaghan(volumes, curve.energies(PBE()).numpy() * HARTREE_EV)
    known = {"volume_ang3": fit.volume0, "bulk_modulus_gpa": fit.bulk_modulus * EV_PER_ANG3_GPA}
    known["bulk_modulus_derivative"] = fit.bulk_modulus_derivative
    same = SolidCurve(silicon(references=known), curve.snapshots)
    unfitted = (fit(volumes) - curve.energies(PBE()).numpy() * HARTREE_EV).std() / 2 * 1e3
    assert float(same.predictions(PBE())["energy_curve_mev"]) == pytest.approx(unfitted, rel=1e-3)
    doubled = known | {"bulk_modulus_gpa": known["bulk_modulus_gpa"] * 2}
    stiffer = SolidCurve(silicon(references=doubled), curve.snapshots)
    change = (fit(volumes) - fit.energy0).std() / 2 * 1e3
    assert float(stiffer.predictions(PBE())["energy_curve_mev"]) == pytest.approx(change, rel=0.01)


@pytest.mark.thorough
def test_energies_of_structures_differ_as_two_runs_say(curve: SolidCurve) -> None:
    atom = silicon("sc", 2.6, rigid=True)
    other = compute_curve(atom)
    assert len(other.snapshots) == 1
    solid = silicon(relative_to={"Si_sc": 2.0})
    difference = EnergyDifference(SolidCurve(solid, curve.snapshots), {"Si_sc": other})
    found = difference.predictions(PBE())
    volumes = [snapshot.volume_ang3 for snapshot in curve.snapshots]
    lowest = fit_birch_murnaghan(volumes, curve.energies(PBE()).numpy() * HARTREE_EV).energy0
    expected = lowest - 2 * float(atom.calculation().run().energy) * HARTREE_EV
    assert float(found["energy_difference_ev"]) == pytest.approx(expected, abs=1e-4)
    assert float(found["cohesive_energy_ev"]) == pytest.approx(-expected / 2, abs=1e-4)
    slope, finite = slope_and_difference(difference, "cohesive_energy_ev")
    assert slope == pytest.approx(finite, rel=1e-5)


@pytest.mark.thorough
def test_a_teachers_equation_of_state_is_learned_where_the_table_has_none(curve: SolidCurve) -> None:
    taught = SolidCurve(replace(curve.solid, teacher="pbesol"), curve.snapshots)
    assert is_known(taught.solid, "energy_curve_mev")
    assert not is_known(curve.solid, "energy_curve_mev")
    volumes = [snapshot.volume_ang3 for snapshot in curve.snapshots]
    energies = curve.energies(mlxc.functional("pbesol")).numpy() * HARTREE_EV
    unfitted = (fit_birch_murnaghan(volumes, energies)(volumes) - energies).std() / 2 * 1e3
    found = float(taught.predictions(mlxc.functional("pbesol"))["energy_curve_mev"])
    assert found == pytest.approx(unfitted, rel=1e-3)
    slope, finite = slope_and_difference(taught, "energy_curve_mev")
    assert slope == pytest.approx(finite, rel=1e-5)


@pytest.mark.thorough
@pytest.mark.usefixtures("tight")
def test_gradient_of_a_gap() -> None:
    state = SelfConsistentState.of(silicon(references={"gap_ev": 1.17}), "pbe")
    slope, finite = slope_and_difference(state, "gap_ev")
    assert slope == pytest.approx(finite, rel=1e-5)


@pytest.mark.thorough
@pytest.mark.usefixtures("tight")
def test_gradient_of_a_magnetisation() -> None:
    nickel = Solid("Ni_fcc", prototype("Ni_fcc", 3.7), {"magnetisation_bohr_magneton": 0.6}, MAGNET)
    state = SelfConsistentState.of(nickel, "pbe")
    slope, finite = slope_and_difference(state, "magnetisation_bohr_magneton", 2e-3)
    assert slope == pytest.approx(finite, rel=1e-5)


@pytest.mark.thorough
@pytest.mark.usefixtures("tight")
def test_gradients_of_distances_from_a_teachers_density_and_forces(tmp_path: Path) -> None:
    teacher = Teacher("pbesol", tmp_path)
    solid = teacher.teaches(moved(silicon()))
    teacher.prepare(solid)
    state = SelfConsistentState.of(solid, "pbe")
    for quantity in ("density_percent", "forces_ha_bohr"):
        slope, finite = slope_and_difference(state, quantity)
        assert slope == pytest.approx(finite, rel=1e-5)


def test_a_moved_solid_has_an_atom_out_of_its_place_and_no_other_reference() -> None:
    solid = silicon(references={"gap_ev": 1.17})
    table = with_moved({"Si_diamond": solid}, ["Si_diamond", "Si_diamond_moved", "Ge_diamond_moved"])
    assert list(table) == ["Si_diamond", "Si_diamond_moved"]
    crystal, before = table["Si_diamond_moved"].crystal, solid.crystal
    step = (crystal.positions - before.positions) @ before.lattice * BOHR_ANG
    assert np.linalg.norm(step, axis=1) == pytest.approx([0, 0.1])
    assert not table["Si_diamond_moved"].references
    with pytest.raises(InputError, match="Al_fcc_moved: with one atom in its cell, Al_fcc has no forces"):
        moved(Solid("Al_fcc", prototype("Al_fcc", 4.0), {}))


@pytest.mark.thorough
def test_gradient_of_the_energy_of_a_magnetic_order() -> None:
    # Two hydrogen atoms that are pulled apart.
    row = mlxc.Crystal([[6, 0, 0], [0, 6, 0], [0, 0, 7]], ["H", "H"], [[0, 0, 0], [0, 0, 0.5]], [1, -1], "row")
    solid = Solid("H_row", row, {"magnetic_order_energy_mev": -900.0}, TEACHING | {"kmesh": [1, 1, 2]}, rigid=True)

    def orders(mu: float) -> float:
        found = MagneticOrders.of(solid, PBE(mu=mu)).predictions(PBE(mu=mu))["magnetic_order_energy_mev"]
        return float(found.detach())

    xc = PBE(trainable=True)
    # With the functional that has made the densities the gradient is that of converged states.
    predicted = MagneticOrders.of(solid, "pbe").predictions(xc)["magnetic_order_energy_mev"]
    (slope,) = torch.autograd.grad(predicted, xc.mu)
    assert float(slope) == pytest.approx((orders(MU + 2e-3) - orders(MU - 2e-3)) / 4e-3, rel=1e-3)


def test_a_solid_without_opposite_moments_has_no_energy_of_a_magnetic_order() -> None:
    nickel = Solid("Ni_fcc", prototype("Ni_fcc", 3.7), {"magnetic_order_energy_mev": 1.0}, MAGNET)
    with pytest.raises(InputError, match="needs an atom with a positive moment and one with a negative one"):
        MagneticOrders.of(nickel, "pbe")


@pytest.fixture
def with_density(tmp_path: Path) -> Solid:
    """Silicon whose reference is its density with another mu."""
    solid = silicon(settings={"tolerance": 1e-8})
    basis = mlxc.PlaneWaves(8.0, cutoff_smoothing=0.5)
    smearing = mlxc.FermiDirac(0.005)
    ground = mlxc.scf(
        solid.crystal, xc=PBE(mu=0.3), basis=basis, kmesh=(2, 2, 2), smearing=smearing, pseudo="gth", tolerance=1e-8
    )
    ground.save(tmp_path / "reference.h5")
    return silicon(density=tmp_path / "reference.h5")


@pytest.mark.thorough
def test_a_density_tells_the_functional_that_it_was_made_with(with_density: Solid) -> None:
    state = SelfConsistentState.of(with_density, "pbe")
    targets = (Target(quantity="density_percent", scale=0.1),)
    xc = PBE(trainable=True)
    xc.kappa.requires_grad_(False)
    optimiser = torch.optim.LBFGS([xc.mu], lr=1.0, max_iter=8, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = assess(xc, [state], targets).loss
        loss.backward()
        return loss

    optimiser.step(closure)
    assert float(xc.mu.detach()) == pytest.approx(0.3, abs=1e-4)


@pytest.mark.thorough
def test_a_teacher_makes_the_references_of_solids_that_have_none(tmp_path: Path) -> None:
    teacher = Teacher("pbesol", tmp_path / "teacher")
    solid = teacher.teaches(moved(silicon()))
    prepare = Preparation({solid.name: solid}, "pbe", tmp_path, teacher=teacher)
    (state,) = prepare.subjects([solid.name], ["density_percent", "forces_ha_bohr"])
    of_teacher = state.predictions(mlxc.functional("pbesol"))
    assert float(of_teacher["density_percent"]) < 1e-4
    assert float(of_teacher["forces_ha_bohr"]) < 1e-6
    assert float(state.predictions(PBE())["density_percent"]) > 0.1
    assert [file.name for file in (tmp_path / "teacher").iterdir()] == ["Si_diamond_moved.h5"]


def test_a_saved_result_of_a_solid_goes_before_a_teacher(tmp_path: Path) -> None:
    solid = silicon(density=tmp_path / "own.h5")
    assert Teacher("pbesol", tmp_path / "teacher").teaches(solid).density == solid.density


def test_a_solid_that_a_teacher_does_not_converge_is_left_out_with_a_warning(tmp_path: Path) -> None:
    teacher = Teacher("pbesol", tmp_path / "teacher")
    solid = teacher.teaches(silicon(settings={"max_iterations": 1}))
    prepare = Preparation({"Si_diamond": solid}, "pbe", tmp_path, teacher=teacher)
    with pytest.warns(UserWarning, match="With pbesol, which teaches"), pytest.raises(InputError, match="None of"):
        prepare.subjects(["Si_diamond"], ["density_percent"])


@pytest.mark.thorough
@pytest.mark.usefixtures("tight")
def test_forces_tell_their_distance_from_those_of_a_reference_and_each_step_of_the_adjoint(tmp_path: Path) -> None:
    crystal = prototype("Si_diamond", 5.43)
    pulled = mlxc.Crystal(crystal.lattice, crystal.species, np.array([[0.01, 0, 0], [0.25, 0.25, 0.25]]))
    settings: dict[str, Any] = {"basis": mlxc.PlaneWaves(8.0, cutoff_smoothing=0.5), "kmesh": (2, 2, 2)}
    ground = mlxc.scf(
        pulled, xc=PBE(mu=0.3), smearing=mlxc.FermiDirac(0.005), pseudo="gth", tolerance=1e-8, forces=True, **settings
    )
    ground.save(tmp_path / "reference.h5")
    solid = Solid("Si_pulled", pulled, {}, TEACHING | {"tolerance": 1e-8}, density=tmp_path / "reference.h5")
    heard: list[tuple[str, int]] = []
    state = SelfConsistentState.of(solid, "pbe", lambda name, record: heard.append((name, record.iteration)))
    slope, finite = slope_and_difference(state, "forces_ha_bohr")
    assert slope == pytest.approx(finite, rel=1e-5)
    assert heard[:2] == [("Si_pulled", 1), ("Si_pulled", 2)]
    assert float(state.predictions(PBE(mu=0.3))["forces_ha_bohr"]) < 1e-6


@pytest.mark.thorough
def test_a_density_on_another_grid_is_refused(with_density: Solid) -> None:
    finer = Solid(
        with_density.name, with_density.crystal, {}, TEACHING | {"ecut_ha": 14.0}, density=with_density.density
    )
    with pytest.raises(InputError, match="on a grid"):
        SelfConsistentState.of(finer, "pbe")


@pytest.mark.thorough
def test_a_density_of_another_crystal_is_refused(with_density: Solid) -> None:
    larger = Solid(with_density.name, with_density.crystal.scaled(1.001), {}, TEACHING, density=with_density.density)
    with pytest.raises(InputError, match="another crystal"):
        SelfConsistentState.of(larger, "pbe")


@pytest.mark.thorough
def test_solids_are_prepared_for_what_is_asked_of_them(tmp_path: Path) -> None:
    known = {"lattice_constant_ang": 5.4, "cohesive_energy_ev": 4.6, "gap_ev": 1.2}
    solid, other = silicon(relative_to={"Si_sc": 2.0}, references=known), silicon("sc", 2.6, rigid=True)
    prepare = Preparation({"Si_diamond": solid, "Si_sc": other}, "lda", tmp_path)
    subjects = prepare.subjects(["Si_diamond", "Si_sc"], [*known, "magnetisation_bohr_magneton"])
    assert [type(subject).__name__ for subject in subjects] == ["SolidCurve", "EnergyDifference", "SelfConsistentState"]
    assert all(subject.snapshots for subject in subjects)


def test_a_solid_that_does_not_converge_is_left_out_with_a_warning(tmp_path: Path) -> None:
    hopeless = silicon(settings={"max_iterations": 1}, references={"gap_ev": 1.2})
    table = {"Si_diamond": hopeless, "Si_sc": silicon("sc", 2.6, rigid=True, references={"gap_ev": 1.2})}
    with pytest.warns(UserWarning, match="Si_diamond is left out"):
        subjects = Preparation(table, "lda", tmp_path).subjects(["Si_diamond", "Si_sc"], ["gap_ev"])
    assert [subject.solid.name for subject in subjects] == ["Si_sc"]
    with pytest.raises(InputError, match="None of the solids converged"), pytest.warns(UserWarning, match="left out"):
        Preparation(table, "lda", tmp_path).subjects(["Si_diamond"], ["gap_ev"])


def test_small_absolute_errors_are_squared_and_large_ones_count_once() -> None:
    small, large = torch.tensor(1e-3, requires_grad=True), torch.tensor(7.0)
    assert float(absolute(small).detach()) == pytest.approx(5 * float(squared(small).detach()), rel=1e-3)
    assert float(absolute(large)) == pytest.approx(6.9, abs=1e-3)
