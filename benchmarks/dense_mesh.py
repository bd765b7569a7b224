"""Free energies on a dense k mesh with a narrow smearing, from SCFs on a coarse mesh with a wide one.

The functional of Harris and Foulkes (J. Harris, Phys. Rev. B 31, 1770 (1985); W. M. C. Foulkes and R. Haydock, Phys.
Rev. B 39, 12520 (1989)) is stationary in the density that makes the potential: that of a coarse mesh, with a wide
smearing, leaves an error of second order in what it lacks. Of its terms only the sum of the occupied levels and the
entropy depend on the mesh and on the smearing; so they are computed for both in the same potential.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from interpolated_levels import SampledOrbitals, SmallHamiltonian
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

from mlxc import GroundState
from mlxc.crystal.brillouin import KPoints, irreducible_mesh
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.kohn_sham.occupations import occupy
from mlxc.terms.entropy import FermiDirac, Smearing

# Levels this many widths above the Fermi level hold no electrons to speak of.
EMPTY_WIDTHS = 12
# The electrons that the highest level may hold.
EMPTY = 1e-4


def free_energies_on_mesh(
    grounds: Sequence[GroundState], kmesh: tuple[int, int, int], smearing: Smearing
) -> NDArray[np.float64]:
    """The free energies of states without spin on another mesh and with another smearing, hartree.

    What these change is smooth in the volume: it is computed at the first, the middle and the last one, and a parabola
    gives it at the others.

    Args:
        grounds: Converged states of one crystal at an odd number of volumes, three or more, in their order, with Fermi
            and Dirac's occupations.
        kmesh: The mesh.
        smearing: The smearing on it.
    """
    assert all(isinstance(ground.smearing, FermiDirac) and len(ground.density) == 1 for ground in grounds)
    assert len(grounds) >= 3
    assert len(grounds) % 2
    chosen = grounds[:: len(grounds) // 2]
    # Between the k points of the states levels may be lower than at them.
    nband = max(map(_filled_bands, grounds)) + 1
    with torch.no_grad():
        while (changes := _changes(chosen, kmesh, smearing, nband)) is None:
            nband += 2
    parabola = Polynomial.fit([ground.crystal.volume for ground in chosen], changes, 2)
    before = np.array([float(ground.energy.detach()) for ground in grounds])
    return before + parabola(np.array([ground.crystal.volume for ground in grounds]))


def _changes(
    grounds: Sequence[GroundState], kmesh: tuple[int, int, int], smearing: Smearing, nband: int
) -> list[float] | None:
    """The changes of the free energies with so many bands; None where more of them hold electrons."""
    sampled, changes = SampledOrbitals(nband), []
    new = irreducible_mesh(kmesh, SpaceGroup.of(grounds[0].crystal))
    for ground in grounds:
        assert ground.smearing is not None
        hamiltonian = sampled.of(ground)
        before, highest_before = _filled(ground, hamiltonian, nband, ground.kpoints, ground.smearing)
        after, highest = _filled(ground, hamiltonian, nband, new, smearing)
        if max(highest, highest_before) > EMPTY:
            return None
        changes.append(after - before)
    return changes


def _filled(
    ground: GroundState, hamiltonian: SmallHamiltonian, nband: int, kpoints: KPoints, smearing: Smearing
) -> tuple[float, float]:
    """The sum of the occupied levels less TS, hartree, and the electrons in a level of the highest band."""
    levels, weights = hamiltonian.levels(kpoints.fractional, nband), torch.as_tensor(kpoints.weights)
    filled = occupy(levels, weights, ground.problem.ions.nelectrons, smearing)
    total = (weights[:, None] * filled.electrons * levels).sum() + filled.entropy_energy
    return float(total), float(filled.electrons[:, -1].max())


def _filled_bands(ground: GroundState) -> int:
    """One band more than can hold electrons at the k points of the state, as far as they were computed there."""
    assert ground.smearing is not None
    highest = ground.fermi_level + EMPTY_WIDTHS * ground.smearing.width
    return int((ground.eigenvalues.detach() < highest).sum(1).max()) + 1
