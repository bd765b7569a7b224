"""What is computed in threads does not depend on what the process has computed before."""

import subprocess
import sys

import pytest

TWICE = """
import mlxc

def energies():
    silicon, basis = mlxc.Crystal.load("si"), mlxc.PlaneWaves(8.0)
    return [record.free_energy_ha for record in mlxc.scf(silicon, basis=basis, kmesh=(2, 2, 2), pseudo="gth").history]

first, second = energies(), energies()
assert first == second, (first, second)
"""


@pytest.mark.process
def test_the_first_scf_of_a_process_rounds_as_all_later_ones() -> None:
    subprocess.run([sys.executable, "-c", TWICE], check=True)
