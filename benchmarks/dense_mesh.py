"""The energy on a k mesh that is denser than that of an SCF, without another SCF.

The functional of Harris and Foulkes (J. Harris, Phys. Rev. B 31, 1770 (1985); W. M. C. Foulkes and R. Haydock, Phys.
Rev. B 39, 12520 (1989)) is stationary in the density that makes the potential: that of a coarse mesh, with a wide
smearing, leaves an error of second order in what it lacks. Of its terms only the sum of the occupied levels and the
entropy depend on the mesh and on the smearing; so they are computed on both meshes in the same potential.
"""

from __future__ import annotations

from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlxc import GroundState
from mlxc.crystal.brillouin import KPoints, irreducible_mesh
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.kohn_sham.eigensolver import diagonalise
from mlxc.kohn_sham.occupations import occupy
from mlxc.kohn_sham.start.guess import starting_orbitals
from mlxc.terms.entropy import FermiDirac

# Residual of the orbitals, hartree: levels are wrong by its square over the distance to other levels.
RESIDUAL = 1e-3
MAX_STEPS = 60
# Levels this many widths above the Fermi level hold no electrons to speak of.
EMPTY_WIDTHS = 12
# The electrons that the highest level may hold.
EMPTY = 1e-4
# More bands than can hold electrons make those converge quickly.
SPARE_BANDS, SPARE_COUNT = 3, 0.05
# K points at the same time.
TOGETHER = 32


def energy_on_mesh(ground: GroundState, kmesh: tuple[int, int, int]) -> float:
    """The energy of a state without spin on another mesh, hartree, at zero temperature as far as that can be had.

    The free energy F and the energy F + TS of Fermi and Dirac's occupations differ from that of zero temperature by as
    much, in opposite directions, but for terms of fourth order in the width: so it is F + TS / 2 (M. J. Gillan, J.
    Phys.: Condens. Matter 1, 689 (1989)), on the new mesh.

    Args:
        ground: A converged state with Fermi and Dirac's occupations, with more bands than hold electrons.
        kmesh: The mesh.
    """
    assert isinstance(ground.smearing, FermiDirac)
    assert len(ground.density) == 1
    new = irreducible_mesh(kmesh, SpaceGroup.of(ground.crystal))
    levels_before, entropy_before = _levels_and_entropy(ground, ground.kpoints)
    levels, entropy = _levels_and_entropy(ground, new)
    return float(ground.energy.detach()) - levels_before - entropy_before + levels + entropy / 2


def _levels_and_entropy(ground: GroundState, kpoints: KPoints) -> tuple[float, float]:
    """The sum of the occupied levels, and -TS, hartree."""
    portions = np.array_split(kpoints.fractional, ceil(len(kpoints.fractional) / TOGETHER))
    with torch.no_grad():
        levels = torch.cat([_levels(ground, portion) for portion in portions])
        weights = torch.as_tensor(kpoints.weights)
        filled = occupy(levels, weights, ground.problem.ions.nelectrons, ground.smearing)
        assert float(filled.electrons[:, -1].max()) < EMPTY, "More bands hold electrons than the SCF has."
        return float((weights[:, None] * filled.electrons * levels).sum()), float(filled.entropy_energy)


def _levels(ground: GroundState, kpoints: NDArray[np.float64]) -> Tensor:
    """The lowest levels in the potential of the state, shape ``(nk, nband)``, all that can hold electrons.

    They are as accurate as energies need, not as those of a band structure, whose levels are seen one by one.
    """
    problem, nband = ground.problem, _filled_bands(ground)
    settings = ground.basis.settings.with_grid(ground.basis.grid.shape)
    weights = np.full(len(kpoints), 1 / len(kpoints))
    basis = settings.discretise(ground.crystal, KPoints(kpoints, weights), SpaceGroup.identity(), ground.basis.device)
    total = nband + SPARE_BANDS
    guess = starting_orbitals(basis, problem.ions, total, seed=0)
    counts = torch.full((len(kpoints), total), SPARE_COUNT, dtype=torch.float64)
    counts[:, :nband] = 1
    hamiltonian = problem.hamiltonian_in(basis, ground.effective_potential)
    pairs = diagonalise(hamiltonian, guess, total, counts, RESIDUAL, MAX_STEPS)
    assert pairs.residual <= RESIDUAL, "The levels did not converge."
    return pairs.eigenvalues[:, :nband]


def _filled_bands(ground: GroundState) -> int:
    """The number of bands that can hold electrons anywhere between the k points of the state: one more than there."""
    assert ground.smearing is not None
    highest = ground.fermi_level + EMPTY_WIDTHS * ground.smearing.width
    count = int((ground.eigenvalues.detach() < highest).sum(1).max()) + 1
    return min(count, ground.eigenvalues.shape[1])
