"""Forces and stress by the theorem of Hellmann and Feynman, O. H. Nielsen and R. M. Martin.

The free energy is stationary in the orbitals' coefficients and occupations, so its derivative with respect to positions
and strain is that of its terms at fixed coefficients; autograd takes it through the very terms that the SCF minimises.
R. P. Feynman, Phys. Rev. 56, 340 (1939); O. H. Nielsen, R. M. Martin, Phys. Rev. B 32, 3780 (1985).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from mlxc.basis.planewave.basis import PlaneWaveBasis
from mlxc.basis.planewave.densities import kinetic_density_tensor
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.kohn_sham.problem import Problem
from mlxc.kohn_sham.state import GroundState


def forces_and_stress(ground: GroundState) -> tuple[Tensor, Tensor]:
    """Forces on the atoms and stress of the cell, symmetrised by the space group.

    Args:
        ground: A converged state.

    Returns:
        forces, shape ``(natom, 3)``, hartree/bohr, and stress, shape ``(3, 3)``, hartree/bohr^3: the derivative of the
        energy with respect to strain, per volume, so positive where the cell would rather be smaller. They take part in
        autograd if the state does.
    """
    problem = ground.problem
    lattice = problem.basis.grid.lattice
    positions = problem.ions.positions.clone().requires_grad_()
    strain = torch.zeros(3, 3, dtype=torch.float64, device=lattice.device, requires_grad=True)
    differentiable = ground.density.requires_grad and torch.is_grad_enabled()
    with torch.enable_grad():
        energy = _energy_at_fixed_coefficients(ground, problem, positions, strain)
        pulls = torch.autograd.grad(energy, (positions, strain), create_graph=differentiable)
    fractional, deformation = map(problem.division.processes.total, pulls)
    forces = -fractional @ torch.linalg.inv(lattice).T
    stress = (deformation + deformation.T) / (2 * problem.basis.grid.volume)
    group = problem.group
    return _symmetrise_forces(forces, ground, group), _symmetrise_stress(stress, ground, group)


def with_forces(ground: GroundState, held: bool) -> GroundState:
    """The same state with its forces and stress, if it has converged and its basis gives them.

    The energy of exchange and correlation is a sum over the points of a grid, which the atoms can feel: forces then add
    up to a little more than nothing, and a crystal would drift. What they add up to is taken off them in equal parts.

    Args:
        ground: A state.
        held: Whether something else than the atoms has its place in the cell, such as an applied potential. Forces then
            add up to its pull, and are left as they are.
    """
    if not ground.converged or not ground.basis.gives_forces:
        return ground
    forces, stress = forces_and_stress(ground)
    net = forces.sum(0)
    return replace(ground, forces=forces if held else forces - net / len(forces), net_force=net, stress=stress)


def ways_of_forces(ground: GroundState) -> Tensor:
    """The ways in which forces can change while the symmetry of the crystal stays and they add up to nothing.

    Args:
        ground: A state.

    Returns:
        orthonormal vectors of forces, shape ``(nway, 3 * natom)``.
    """
    natom = len(ground.crystal.species)
    units = torch.eye(3 * natom, dtype=torch.float64, device=ground.density.device).view(-1, natom, 3)
    images = torch.stack([_symmetrise_forces(unit, ground, ground.problem.group) for unit in units])
    projector = (images - images.mean(1, keepdim=True)).flatten(1)
    values, vectors = torch.linalg.eigh((projector + projector.T) / 2)
    return vectors[:, values > 0.5].T


def _energy_at_fixed_coefficients(ground: GroundState, problem: Problem, positions: Tensor, strain: Tensor) -> Tensor:
    """E as a function of where the ions are and how the cell is deformed, everything else held.

    Of several processes, each has its own k points' part, and an equal share of what all k points have in common.
    """
    moved = problem.moved(positions, strain)
    fields = [problem.basis.grid.fourier(ground.density)]
    if ground.kinetic_density is not None:
        fields.append(_strained_kinetic_density(ground, problem, ground.kinetic_density, strain))
    # Plane-wave coefficients of orbitals are held, so the number of electrons per cell is, not their density.
    shrunk = torch.stack(fields) * (problem.basis.grid.volume / moved.basis.grid.volume)
    terms = moved.electron_terms(ground.orbitals, ground.occupations, shrunk) | moved.ion_terms()
    share = 1 / problem.division.processes.count
    own = problem.orbital_energies
    return torch.stack([value if name in own else share * value for name, value in terms.items()]).sum()


def _strained_kinetic_density(ground: GroundState, problem: Problem, tau: Tensor, strain: Tensor) -> Tensor:
    """tau times the volume's change, Fourier coefficients, when k+G become (1 + strain)^-T (k+G).

    It is sum_ij M_ij tau_ij with M = (1 + strain)^-1 (1 + strain)^-T; only the change of M asks for the tensor tau_ij,
    which need not be symmetrised because the stress will be.
    """
    identity = torch.eye(3, dtype=strain.dtype, device=strain.device)
    inverse = torch.linalg.inv(identity + strain)
    assert isinstance(problem.basis, PlaneWaveBasis)
    own = kinetic_density_tensor(problem.basis, ground.orbitals, ground.occupations)
    tensor = problem.division.processes.total(own)
    change = torch.einsum("ij,ij...->...", inverse @ inverse.T - identity, tensor)
    return problem.basis.grid.fourier(tau + change)


def _cartesian_rotations(ground: GroundState, group: SpaceGroup) -> np.ndarray:
    """The rotations of a space group in Cartesian coordinates, shape ``(nop, 3, 3)``."""
    columns = ground.crystal.lattice.T
    return np.asarray(columns @ group.rotations @ np.linalg.inv(columns))


def _symmetrise_stress(stress: Tensor, ground: GroundState, group: SpaceGroup) -> Tensor:
    rotations = torch.tensor(_cartesian_rotations(ground, group), device=stress.device)
    return (rotations @ stress @ rotations.mT).mean(0)


def _symmetrise_forces(forces: Tensor, ground: GroundState, group: SpaceGroup) -> Tensor:
    rotations = torch.tensor(_cartesian_rotations(ground, group), device=forces.device)
    images = group.atom_images(ground.crystal)
    total = torch.zeros_like(forces)
    for rotation, image in zip(rotations, images, strict=True):
        total.index_add_(0, torch.tensor(image, device=forces.device), forces @ rotation.T)
    return total / len(group)
