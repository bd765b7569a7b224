"""The ASE calculator in ASE's own workflows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import spglib
from ase import Atoms
from ase.calculators.calculator import CalculatorSetupError, PropertyNotImplementedError, SCFError
from ase.calculators.fd import calculate_numerical_forces
from ase.db import connect
from ase.dft.bandgap import bandgap
from ase.dft.dos import DOS
from ase.dft.kpoints import get_monkhorst_pack_size_and_offset
from ase.eos import EquationOfState
from ase.filters import FrechetCellFilter
from ase.io import jsonio
from ase.optimize import BFGS
from ase.spectrum.band_structure import calculate_band_structure
from ase.units import GPa

from mlxc import Crystal, EquationOfStateTask, GroundState
from mlxc.ase import MLXC
from mlxc.crystal.brillouin import band_path
from mlxc.errors import InputError
from mlxc.properties.bands import bands_on_path, eigenvalues_at
from mlxc.response.levels import band_gap
from mlxc.units import HARTREE_EV

SILICON = {"ecut_ha": 8.0, "kmesh": [2, 2, 2], "smearing": "none", "pseudo": "gth"}
HYDROGEN = {"ecut_ha": 8.0, "kmesh": [1, 1, 1], "smearing": "fermi-dirac", "width_ha": 0.002, "pseudo": "gth"}


def silicon(**settings: object) -> Atoms:
    atoms = Crystal.load("si").to_ase()
    atoms.calc = MLXC(**SILICON | settings)
    return atoms


def hydrogen(moment: float) -> Atoms:
    """An atom in a box, far from its images."""
    return Atoms("H", cell=[3.2, 3.2, 3.2], pbc=True, magmoms=[moment])


@pytest.mark.thorough
def test_forces_in_ase_units_are_slopes_of_the_energy() -> None:
    atoms = silicon(tolerance=1e-9)
    atoms.rattle(0.05, seed=1)
    numerical = calculate_numerical_forces(atoms, eps=0.005, iatoms=[0], icarts=[0])
    assert atoms.get_forces()[0, 0] == pytest.approx(numerical[0, 0], abs=2e-3)


@pytest.fixture(scope="module")
def relaxed() -> tuple[Atoms, dict[str, object]]:
    """Silicon that was compressed, strained and shaken, after a relaxation of cell and positions."""
    settings = SILICON | {"ecut_ha": 12.0, "cutoff_smoothing_ha": 2.0}
    atoms = Crystal.load("si").scaled(0.99).to_ase()
    atoms.set_cell(atoms.cell * [1.0, 1.0, 1.01], scale_atoms=True)
    atoms.rattle(0.03, seed=2)
    atoms.calc = MLXC(**settings)
    BFGS(FrechetCellFilter(atoms), logfile=None).run(fmax=0.01, steps=60)
    return atoms, settings


@pytest.mark.thorough
def test_a_strained_cell_relaxes_to_the_minimum_of_its_equation_of_state(
    relaxed: tuple[Atoms, dict[str, object]],
) -> None:
    atoms, settings = relaxed
    task = {"calculation": {"structure": "si", **settings}, "lowest_volume": 0.95, "highest_volume": 1.15}
    fit = EquationOfStateTask.from_dict(task).run().fit
    assert fit is not None
    assert atoms.get_volume() == pytest.approx(fit.volume0, rel=2e-3)


@pytest.mark.thorough
def test_a_relaxed_cell_has_no_stress_no_forces_and_its_symmetry_back(
    relaxed: tuple[Atoms, dict[str, object]],
) -> None:
    atoms, _ = relaxed
    assert np.abs(atoms.get_forces()).max() < 0.01
    assert np.abs(atoms.get_stress()).max() < 0.1 * GPa
    cell = (atoms.cell[:], atoms.get_scaled_positions(), atoms.numbers)
    assert spglib.get_symmetry_dataset(cell, symprec=0.02).number == 227


@pytest.mark.thorough
def test_the_equation_of_state_of_ase_has_the_lattice_constant_of_ours() -> None:
    settings = {"ecut_ha": 12.0, "cutoff_smoothing_ha": 2.0}
    calculation = {"structure": "si", **SILICON, **settings}
    task = EquationOfStateTask.from_dict({"calculation": calculation, "lowest_volume": 0.95, "highest_volume": 1.15})
    ours = task.run()
    assert ours.fit is not None
    atoms = silicon(**settings)
    cell, energies, volumes = atoms.cell.copy(), [], []
    for ratio in task.ratios:
        atoms.set_cell(cell * np.cbrt(ratio), scale_atoms=True)
        energies.append(atoms.get_potential_energy())
        volumes.append(atoms.get_volume())
    volume0, _, bulk_modulus = EquationOfState(volumes, energies, eos="birchmurnaghan").fit()
    assert np.cbrt(4 * volume0) == pytest.approx(np.cbrt(4 * ours.fit.volume0), rel=1e-5)
    assert bulk_modulus == pytest.approx(ours.fit.bulk_modulus, rel=1e-3)


@pytest.mark.thorough
def test_only_a_change_makes_it_compute_again_and_then_from_the_density_before() -> None:
    atoms = silicon()
    energy = atoms.get_potential_energy()
    first = atoms.calc.ground_state
    atoms.get_forces()
    assert atoms.calc.ground_state is first
    atoms.set_cell(atoms.cell * 1.005, scale_atoms=True)
    assert atoms.calc.get_property("energy", atoms, allow_calculation=False) is None
    assert atoms.get_potential_energy() != pytest.approx(energy, abs=1e-4)
    anew = silicon()
    anew.set_cell(atoms.cell, scale_atoms=True)
    assert anew.get_potential_energy() == pytest.approx(atoms.get_potential_energy(), abs=1e-5)
    assert len(atoms.calc.ground_state.history) < len(anew.calc.ground_state.history)


def test_a_saved_calculation_goes_on(tmp_path: Path) -> None:
    atoms = silicon()
    energy = atoms.get_potential_energy()
    atoms.calc.ground_state.save(tmp_path / "silicon.h5")
    again = silicon()
    again.calc.ground_state = GroundState.load(tmp_path / "silicon.h5")
    assert again.get_potential_energy() == pytest.approx(energy, abs=1e-6)
    assert len(again.calc.ground_state.history) < len(atoms.calc.ground_state.history)


def test_changed_settings_are_another_calculation() -> None:
    atoms = silicon()
    energy = atoms.get_potential_energy()
    assert atoms.calc.set(kmesh=[2, 2, 2]) == {}
    assert atoms.calc.results
    assert atoms.calc.set(xc="lda") == {"xc": "lda"}
    assert atoms.get_potential_energy() != pytest.approx(energy, abs=0.1)
    with pytest.raises(InputError, match=r"kpts: there is no such setting; the settings are xc, "):
        MLXC(kpts=(2, 2, 2))


@pytest.mark.thorough
def test_atoms_with_moments_are_polarised_and_other_moments_start_anew() -> None:
    atoms = hydrogen(1.0)
    atoms.calc = MLXC(**HYDROGEN)
    assert atoms.get_magnetic_moment() == pytest.approx(1.0, abs=1e-3)
    polarised = atoms.get_potential_energy()
    atoms.set_initial_magnetic_moments([-1.0])
    assert atoms.get_magnetic_moment() == pytest.approx(-1.0, abs=1e-3)
    assert atoms.get_potential_energy() == pytest.approx(polarised, abs=1e-3)
    atoms.set_initial_magnetic_moments(None)
    assert atoms.get_potential_energy() > polarised + 0.3
    assert "magmom" not in atoms.calc.results


def test_the_levels_hold_the_electrons_and_give_ase_its_density_of_states() -> None:
    atoms = silicon(smearing="fermi-dirac", width_ha=0.005)
    with pytest.raises(CalculatorSetupError, match="Nothing is computed yet"):
        atoms.calc.get_fermi_level()
    atoms.get_potential_energy()
    calculator = atoms.calc
    points = range(len(calculator.get_ibz_k_points()))
    assert calculator.get_k_point_weights().sum() == pytest.approx(1)
    assert sum(calculator.get_occupation_numbers(k).sum() for k in points) == pytest.approx(8)
    spectrum = DOS(calculator, width=0.2, window=(-20, 20), npts=2001)
    energies = spectrum.get_energies()
    assert np.trapezoid(spectrum.get_dos()[energies < 0], energies[energies < 0]) == pytest.approx(8, abs=0.1)


def test_the_gap_of_ase_is_the_gap_of_the_mesh() -> None:
    atoms = silicon()
    atoms.get_potential_energy()
    calculator = atoms.calc
    gap, (_, first, valence), (_, second, conduction) = bandgap(calculator)
    expected = float(band_gap(calculator.ground_state).detach()) * HARTREE_EV
    assert gap == pytest.approx(expected, abs=1e-5)
    assert (valence, conduction) == (3, 4)
    filled, empty = calculator.get_homo_lumo()
    assert calculator.get_eigenvalues(first)[valence] == pytest.approx(filled)
    assert calculator.get_eigenvalues(second)[conduction] == pytest.approx(empty)
    assert calculator.get_fermi_level() == pytest.approx((filled + empty) / 2)
    assert bandgap(calculator, direct=True)[0] > gap
    assert calculator.get_number_of_bands() == len(calculator.get_eigenvalues(first)) > conduction


def test_smearing_that_does_not_reach_across_the_gap_leaves_it_as_it_is() -> None:
    fixed, smeared = silicon(), silicon(smearing="gaussian", width_ha=0.001)
    for atoms in (fixed, smeared):
        atoms.get_potential_energy()
    assert bandgap(smeared.calc)[0] == pytest.approx(bandgap(fixed.calc)[0], abs=1e-4)
    assert smeared.calc.get_fermi_level() == pytest.approx(fixed.calc.get_fermi_level(), abs=0.01)


def test_the_whole_mesh_is_that_of_ase_and_its_tetrahedra_hold_all_states() -> None:
    atoms = silicon(kmesh=[3, 3, 3])
    atoms.get_potential_energy()
    calculator = atoms.calc
    size, _ = get_monkhorst_pack_size_and_offset(calculator.get_bz_k_points())
    assert size.tolist() == [3, 3, 3]
    weights = np.bincount(calculator.get_bz_to_ibz_map()) / 27
    assert weights == pytest.approx(calculator.get_k_point_weights())
    whole = eigenvalues_at(calculator.ground_state, calculator.get_bz_k_points())[0] * HARTREE_EV
    for levels, place in zip(whole, calculator.get_bz_to_ibz_map(), strict=True):
        assert calculator.get_eigenvalues(place) == pytest.approx(levels, abs=1e-4)
    # Tetrahedra between equivalent points, in which a band is flat, hold a part of the states that no curve shows.
    tetrahedra = DOS(calculator, width=0.0, window=(-20, 40), npts=3001)
    energies = tetrahedra.get_energies()
    assert np.trapezoid(tetrahedra.get_dos()[energies < 0], energies[energies < 0]) == pytest.approx(8, abs=0.5)


def test_fields_are_in_units_of_ase_and_on_the_grid() -> None:
    atoms = silicon()
    atoms.get_potential_energy()
    density = atoms.calc.get_pseudo_density()
    assert density.shape == tuple(atoms.calc.get_number_of_grid_points())
    assert density.mean() * atoms.get_volume() == pytest.approx(8)
    assert atoms.calc.get_pseudo_density(spin=1) * 2 == pytest.approx(density)
    assert atoms.calc.get_effective_potential().shape == density.shape
    assert atoms.calc.get_xc_functional() == "pbe"


@pytest.mark.thorough
def test_bands_of_ase_are_those_of_the_library() -> None:
    atoms = silicon()
    path = atoms.cell.bandpath(npoints=9)
    bands = calculate_band_structure(atoms, path)
    ours = bands_on_path(atoms.calc.ground_state, band_path(atoms.calc.ground_state.crystal, 9))
    assert bands.energies == pytest.approx(ours.eigenvalues * HARTREE_EV, abs=1e-6)
    assert bands.reference == atoms.calc.get_fermi_level()
    assert atoms.calc.results["energy"] == atoms.get_potential_energy()


def test_a_spin_with_a_fermi_level_of_its_own_is_filled_to_it() -> None:
    atoms = hydrogen(1.0)
    atoms.calc = MLXC(**HYDROGEN, total_moment=1.0)
    atoms.get_potential_energy()
    up, down = atoms.calc.get_fermi_levels()
    assert np.isfinite(up)
    assert down == -np.inf
    highest, lowest = atoms.calc.get_homo_lumo()
    assert highest < atoms.calc.get_fermi_level() < lowest
    assert atoms.calc.get_occupation_numbers(spin=0).sum() == pytest.approx(1)
    assert atoms.calc.get_occupation_numbers(spin=1).sum() == 0


def test_a_state_from_a_file_says_what_it_lacks(tmp_path: Path) -> None:
    atoms = silicon()
    atoms.get_potential_energy()
    atoms.calc.ground_state.save(tmp_path / "silicon.h5")
    again = silicon()
    again.calc.ground_state = GroundState.load(tmp_path / "silicon.h5")
    assert again.calc.get_number_of_bands() == 4
    assert again.calc.get_eigenvalues(1) == pytest.approx(atoms.calc.get_eigenvalues(1)[:4], abs=1e-5)
    assert again.calc.get_homo_lumo()[1] == np.inf
    with pytest.raises(CalculatorSetupError, match="without its Hamiltonian"):
        again.calc.band_structure()


@pytest.mark.thorough
def test_forces_of_a_shaken_crystal_add_up_to_nothing_and_the_rest_is_told() -> None:
    atoms = silicon(smearing="fermi-dirac", width_ha=0.02)
    atoms.symbols[1] = "C"  # centres of inversion between two atoms of one element would leave nothing to take off
    atoms.rattle(0.1, seed=3)
    assert np.abs(atoms.get_forces().sum(0)).max() < 1e-12
    assert np.abs(atoms.calc.ground_state.summary()["net_force_ha_bohr"]).max() > 1e-8


def test_settings_and_results_go_into_a_database_of_ase(tmp_path: Path) -> None:
    atoms = silicon()
    energy, forces = atoms.get_potential_energy(), atoms.get_forces()
    assert jsonio.decode(jsonio.encode(atoms.calc.todict())) == SILICON
    with connect(tmp_path / "atoms.json") as database:
        database.write(atoms)
    (row,) = connect(tmp_path / "atoms.json").select()
    assert row.calculator == "mlxc"
    assert row.calculator_parameters == SILICON
    assert row.energy == energy
    assert row.forces == pytest.approx(forces)


@pytest.mark.thorough
def test_gaussian_orbitals_give_energies_and_say_that_they_give_no_forces() -> None:
    atoms = Crystal.load("si").to_ase()
    atoms.calc = MLXC(basis="gaussian", gaussian_basis="gth-szv", kmesh=[1, 1, 1], smearing="none", ecut_ha=20)
    assert atoms.get_potential_energy() < 0
    with pytest.raises(PropertyNotImplementedError):
        atoms.get_forces()


def test_an_scf_that_fails_is_an_error_that_ase_knows() -> None:
    atoms = silicon(max_iterations=1)
    with pytest.raises(SCFError, match="Not converged"):
        atoms.get_potential_energy()
