"""The SCF reproduces the energies of another plane-wave code at the same discretisation."""

from __future__ import annotations

import pytest
from reference_systems import CASES, REFERENCE, SYSTEMS, calculation, ground_state

from mlxc import Crystal
from mlxc.units import BOHR_ANG

COMPONENTS = {
    "kinetic": "kinetic",
    "hartree": "hartree",
    "xc": "xc",
    "ewald": "ewald",
    "pseudopotential core (G=0 correction)": "pseudopotential_core",
    "local": "local",
    "nonlocal": "nonlocal",
    "minus TS": "entropy",
}


@pytest.mark.parametrize("name", CASES)
def test_free_energy_equals_that_of_abinit(name: str) -> None:
    ground = ground_state(name)
    natoms = len(ground.crystal.species)
    assert ground.converged
    assert len(ground.kpoints) == SYSTEMS[name]["irreducible_kpoints"]
    assert float(ground.energy) == pytest.approx(SYSTEMS[name]["free_energy_ha"], abs=5e-6 * natoms)
    if name == "al":
        components = REFERENCE["al_components_ha"]
        assert {ours: ground.energies[ours] for ours in COMPONENTS.values()} == pytest.approx(
            {ours: components[theirs] for theirs, ours in COMPONENTS.items()}, abs=1e-6
        )


@pytest.mark.thorough
def test_the_oxygen_molecule_is_a_triplet_with_the_energy_of_abinit() -> None:
    ground = ground_state("o2-molecule")
    assert ground.converged
    assert ground.magnetisation == pytest.approx(SYSTEMS["o2-molecule"]["total_magnetisation_bohr_magneton"], abs=1e-6)
    assert float(ground.energy) == pytest.approx(SYSTEMS["o2-molecule"]["free_energy_ha"], abs=1e-5)


@pytest.mark.thorough
def test_nickel_with_pseudodojo_has_energy_and_moment_of_quantum_espresso() -> None:
    system = SYSTEMS["ni"]
    crystal = calculation("ni").crystal
    magnet = Crystal(crystal.lattice, crystal.species, crystal.positions, [1.0], name="ni")
    ground = calculation("ni").with_crystal(magnet).run()
    assert ground.converged
    assert len(ground.kpoints) == system["irreducible_kpoints"]
    # Quantum ESPRESSO interpolates the projectors and filters the core charge differently.
    assert float(ground.energy) == pytest.approx(system["free_energy_ha"], abs=5e-5)
    assert ground.magnetisation == pytest.approx(system["total_magnetisation_bohr_magneton"], abs=0.02)


@pytest.mark.thorough
def test_silicon_with_r2scan_has_the_energy_of_abinit() -> None:
    ground = ground_state("si-r2scan")
    assert ground.converged
    assert float(ground.energy) == pytest.approx(SYSTEMS["si-r2scan"]["free_energy_ha"], abs=1e-5)


def test_lattice_is_given_in_bohr_and_kept() -> None:
    crystal = calculation("al").crystal
    assert crystal.lattice[0, 1] == pytest.approx(3.8265, abs=1e-9)
    assert crystal.to_ase().cell[0, 1] == pytest.approx(3.8265 * BOHR_ANG)
