"""H of one k point and spin is that of the batch of all of them."""

from __future__ import annotations

import pytest
import torch

import mlxc

BASES = {
    "plane waves": mlxc.PlaneWaves(ecut=6),
    "Gaussians": mlxc.GaussianOrbitals("gth-szv", fft_grid=(16, 16, 16)),
}


@pytest.mark.parametrize("name", BASES)
def test_h_at_one_row_is_that_row_of_the_whole(name: str) -> None:
    silicon = mlxc.Crystal.load("si")
    crystal = mlxc.Crystal(silicon.lattice, silicon.species, silicon.positions, [1.0, -0.5])
    ground = mlxc.scf(crystal, basis=BASES[name], kmesh=(2, 2, 1), smearing=mlxc.FermiDirac(0.05), max_iterations=2)
    hamiltonian = ground.problem.hamiltonian(ground.effective_potential)
    orbitals = ground.orbitals.detach()
    whole = torch.cat([block.apply(orbitals[block.rows]) for block in hamiltonian.blocks])
    for row in range(len(orbitals)):
        block = hamiltonian.at(row)
        assert block.rows == slice(row, row + 1)
        assert torch.allclose(block.apply(orbitals[row : row + 1]), whole[row : row + 1], rtol=0, atol=1e-13)
