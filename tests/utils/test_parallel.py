"""What is computed in threads does not depend on what the process has computed before."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import torch

from mlxc.utils.parallel import map_in_threads

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


FORKED = """
import multiprocessing
import mlxc

def energy(name="si"):
    settings = {"basis": BASIS, "kmesh": (2, 2, 2), "pseudo": "gth", "xc": XC}
    ground = mlxc.scf(mlxc.Crystal.load(name), **settings)
    if ground.energy.requires_grad:
        ground.energy.backward()
    return float(ground.energy.detach())

if __name__ == "__main__":
    import torch
    torch.set_num_threads(2)
    first = energy()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        found = pool.map_async(energy, ["si", "si"]).get(timeout=60)
    assert all(abs(other - first) < 1e-9 for other in found), (first, found)
"""


@pytest.mark.process
@pytest.mark.parametrize(
    ("basis", "xc"),
    [
        ("mlxc.PlaneWaves(5.0)", "mlxc.functional('pbe-kappa-mu')"),
        pytest.param("mlxc.GaussianOrbitals('gth-szv')", "'gga_x_pbe,gga_c_pbe'", marks=pytest.mark.slow),
    ],
)
def test_a_process_that_was_forked_after_a_computation_computes_as_well(basis: str, xc: str) -> None:
    code = FORKED.replace("BASIS", basis).replace("XC", xc)
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120, env=environment)


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
def test_results_stay_in_order_whatever_is_begun_first() -> None:
    assert map_in_threads(lambda item: item**2, [1, 3, 2, 5, 4], work=float) == [1, 9, 4, 25, 16]


@pytest.mark.usefixtures("two_threads")
def test_after_an_error_nothing_more_is_begun() -> None:
    begun: list[int] = []

    def compute(item: int) -> None:
        begun.append(item)
        time.sleep(0.05)
        if item == 0:
            raise ValueError("the first one")

    with pytest.raises(ValueError, match="the first one"):
        map_in_threads(compute, range(100))
    time.sleep(0.2)
    assert len(begun) < 100
