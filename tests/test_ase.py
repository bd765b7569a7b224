"""The ASE calculator in ASE's own workflows."""

from __future__ import annotations

import numpy as np
import pytest
from ase.calculators.calculator import SCFError
from ase.calculators.fd import calculate_numerical_forces
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS

from mlxc import Crystal, EquationOfStateTask
from mlxc.ase import MLXC

SILICON = {"ecut_ha": 8.0, "kmesh": [2, 2, 2], "smearing": "none", "pseudo": "gth"}


def test_forces_in_ase_units_are_slopes_of_the_energy() -> None:
    atoms = Crystal.load("si").to_ase()
    atoms.rattle(0.05, seed=1)
    atoms.calc = MLXC(**SILICON, tolerance=1e-9)
    numerical = calculate_numerical_forces(atoms, eps=0.005, iatoms=[0], icarts=[0])
    assert atoms.get_forces()[0, 0] == pytest.approx(numerical[0, 0], abs=2e-3)


def test_a_strained_cell_relaxes_to_the_minimum_of_its_equation_of_state() -> None:
    settings = SILICON | {"ecut_ha": 12.0, "kmesh": [3, 3, 3], "cutoff_smoothing_ha": 2.0}
    silicon = Crystal.load("si").scaled(0.99)
    atoms = silicon.to_ase()
    atoms.set_cell(atoms.cell * [1.0, 1.0, 1.01], scale_atoms=True)
    atoms.rattle(0.03, seed=2)
    atoms.calc = MLXC(**settings)
    BFGS(FrechetCellFilter(atoms), logfile=None).run(fmax=0.01, steps=60)
    task = {"calculation": {"structure": silicon, **settings}, "lowest_volume": 0.95, "highest_volume": 1.15}
    fit = EquationOfStateTask.from_dict(task).run().fit
    assert fit is not None
    assert atoms.get_volume() == pytest.approx(fit.volume0, rel=2e-3)
    lengths = np.linalg.norm(atoms.cell, axis=1)
    assert lengths == pytest.approx(lengths.mean(), rel=2e-3)


def test_an_scf_that_fails_is_an_error_that_ase_knows() -> None:
    atoms = Crystal.load("si").to_ase()
    atoms.calc = MLXC(**SILICON, max_iterations=1)
    with pytest.raises(SCFError, match="Not converged"):
        atoms.get_potential_energy()
