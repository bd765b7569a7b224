"""The ground state of a crystal: the one entry to everything that is self-consistent."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from torch import nn

from mlxc.basis.kinds import BASES, described_basis
from mlxc.basis.planewave.basis import PlaneWaves
from mlxc.basis.protocol import Basis, BasisSettings
from mlxc.crystal.brillouin import irreducible_mesh
from mlxc.crystal.crystal import Crystal
from mlxc.errors import MlxcWarning
from mlxc.grid.skewed_cells import least_skewed
from mlxc.kohn_sham.eigensolver import Davidson, Eigensolver
from mlxc.kohn_sham.kpoint_division import KPointDivision, check_divisible
from mlxc.kohn_sham.loop import converge
from mlxc.kohn_sham.mixing.mixers import AndersonMixing, Mixing
from mlxc.kohn_sham.monitor import Monitor
from mlxc.kohn_sham.occupations import described_smearing
from mlxc.kohn_sham.problem import Problem
from mlxc.kohn_sham.residual import DensityResidual
from mlxc.kohn_sham.solved_state import SolvedState
from mlxc.kohn_sham.spin import check_filling, check_spin, usual_spin
from mlxc.kohn_sham.state import GroundState
from mlxc.properties.atomic_moments import atomic_moments
from mlxc.properties.forces import with_forces
from mlxc.pseudo.library import find_pseudopotentials, sources
from mlxc.pseudo.make import make_pseudopotential
from mlxc.response.adjoint import Adjoint
from mlxc.response.choice import AdjointName, adjoint_of
from mlxc.terms.entropy import Smearing
from mlxc.terms.selectable import SelectedTerm, common_symmetry
from mlxc.terms.standard import standard_terms
from mlxc.utils.processes import processes
from mlxc.utils.stages import stage
from mlxc.xc.catalogue import functional
from mlxc.xc.identity import identity_of


def scf(
    crystal: Crystal,
    *,
    xc: str | nn.Module = "pbe",
    basis: BasisSettings,
    kmesh: tuple[int, int, int],
    smearing: Smearing | None = None,
    spin: bool | None = None,
    total_moment: float | None = None,
    pseudo: str | None = None,
    pseudo_names: dict[str, str] | None = None,
    tolerance: float = 1e-6,
    max_iterations: int = 60,
    device: str = "cpu",
    seed: int = 0,
    monitor: Monitor | None = None,
    start: SolvedState | Sequence[SolvedState] = (),
    terms: Sequence[SelectedTerm] = (),
    mixer: Mixing = AndersonMixing(),
    eigensolver: Eigensolver = Davidson(),
    forces: bool = False,
    differentiate: AdjointName | Adjoint | None = "implicit",
) -> GroundState:
    """Compute the ground state of a crystal.

    If parameters of the functional require gradients, so do the parts of the state: ``energy`` by the variational
    principle, density, eigenvalues, occupations and orbitals by one solution of Dyson's equation when a loss that
    depends on them is differentiated.

    Inside :func:`mlxc.distributed` several processes divide the k points among themselves, and each returns the whole
    state. What comes after it, gradients included, each of them computes for itself.

    Args:
        crystal: What to compute.
        xc: Name of a functional, see :func:`mlxc.functional`, or a module that is one. A local functional or PBEsol is
            given pseudopotentials that are made for it, whatever else PBE's, a module whose parameters have been moved
            included.
        basis: Plane waves up to a cutoff, :class:`mlxc.PlaneWaves`, or :class:`mlxc.GaussianOrbitals`.
        kmesh: Points of the Gamma-centred mesh along the three reciprocal lattice vectors.
        smearing: How states around the Fermi level are occupied, such as :class:`mlxc.FermiDirac`, whose width is in
            hartree; None for fixed occupations.
        spin: Whether to treat up and down electrons separately (collinear spin), starting from the crystal's moments,
            or from those of its elements, see :mod:`mlxc.crystal.magnetism`; by default where that is often needed.
        total_moment: Magnetic moment of the cell to hold, Bohr magneton; by default it finds its own value.
        pseudo: Family of pseudopotentials, or a folder of UPF or psp8 files; by default what suits the basis.
        pseudo_names: The names in the family by element, where the default is not wanted.
        tolerance: The tolerance of the density residual, the integral of |n_out - n_in| per electron.
        max_iterations: The largest number of SCF steps. A state that has not converged by then says so.
        device: Where torch computes, such as ``cpu`` or ``cuda``.
        seed: The seed of the noise in the starting orbitals.
        monitor: A function that is called with a record after each step; it stops the run by raising
            :class:`~mlxc.errors.RunStoppedError`.
        start: A result with as many atoms and k points to start from, live or read from a file, or several, the most
            similar one last. What does not fit is left aside.
        terms: Further terms of the energy, such as :class:`mlxc.ExternalPotential`.
        mixer: How the next density follows from past ones: :class:`mlxc.AndersonMixing` or :class:`mlxc.LinearMixing`.
        eigensolver: How orbitals are found, see :class:`~mlxc.kohn_sham.eigensolver.Davidson`.
        forces: Whether forces, hartree/bohr, and stress, hartree/bohr^3, are computed as well, as plain numbers, once
            the state has converged and where the basis gives them. Without further terms the forces add up to nothing,
            see :func:`~mlxc.properties.forces.with_forces`; :func:`~mlxc.properties.forces.forces_and_stress` gives
            differentiable ones as they are.
        differentiate: ``implicit``: gradients by Dyson's equation; ``unrolled``: the SCF is repeated in plain steps
            that autograd goes back through, for small cells, for teaching and as a witness; None: gradients of the
            energy alone; or an adjoint, :class:`~mlxc.response.implicit.Implicit` or
            :class:`~mlxc.response.unrolled.Unrolled`.

    Returns:
        the state, converged or not, with the settings of the run and the identity of the functional.

    Raises:
        InputError: what was asked cannot be computed.
        RunStoppedError: the monitor stopped the run.
        UnrolledError: plain mixing does not converge for this crystal.
    """
    started = time.perf_counter()
    _advise_on_cell(crystal)
    adjoint = adjoint_of(differentiate)
    if spin is None:
        spin = usual_spin(crystal, total_moment, smearing is None)
    check_spin(spin, total_moment, smearing is None)
    stage("Reading the pseudopotentials")
    module = functional(xc)
    family = basis.pseudopotential_family(crystal) if pseudo is None else pseudo
    name = identity_of(module).name
    entries = find_pseudopotentials(crystal.species, family, name, pseudo_names or {})
    check_filling(sum(entries[symbol].charge for symbol in crystal.species), total_moment, smearing is None)
    pseudopotentials = {symbol: make_pseudopotential(entry) for symbol, entry in entries.items()}
    stage("Looking for the symmetry")
    group = basis.symmetry(crystal)
    remaining = common_symmetry(terms, crystal, group)
    # The grid is the same whatever terms are selected.
    kpoints = irreducible_mesh(kmesh, remaining)
    stage(f"Setting up the basis at {len(kpoints)} k point{'s' if len(kpoints) > 1 else ''}")
    division = KPointDivision(kpoints, processes())
    discretised = basis.discretise(crystal, division.own, group, device)
    if not division.is_whole:
        check_divisible(discretised)
    calculation: dict[str, Any] = {
        "structure": crystal.to_dict(),
        "xc": name,
        **described_basis(basis, crystal),
        "kmesh": list(kmesh),
        **described_smearing(smearing),
        "spin": spin,
        "total_moment": total_moment,
        "pseudo": family,
        "pseudo_names": pseudo_names or {},
        "tolerance": tolerance,
        "max_iterations": max_iterations,
        "device": device,
        "seed": seed,
    }
    if terms:
        # What no text defines, or several terms of one name, cannot be asked for by a calculation.
        names = [term.name for term in terms]
        calculation["terms"] = {term.name: term.text if names.count(term.name) == 1 else None for term in terms}
    stage("Placing the ions and their potentials")
    ground = converge(
        Problem(crystal, discretised, standard_terms(module, terms), pseudopotentials, remaining, division),
        smearing=smearing,
        spin=spin,
        total_moment=total_moment,
        convergence=DensityResidual(tolerance),
        mixer=mixer,
        eigensolver=eigensolver,
        max_iterations=max_iterations,
        seed=seed,
        monitor=monitor,
        start=division.own_parts([start] if isinstance(start, SolvedState) else start),
        calculation=calculation,
        note=BASES[calculation["basis"]].note(crystal, calculation),
        started=started,
    )
    ground = replace(ground, atomic_moments=atomic_moments(ground), pseudopotentials=sources(family, name, entries))
    if forces:
        stage("Forces and stress")
        ground = with_forces(ground, held=bool(terms))
    if not division.is_whole:
        ground = _with_all_kpoints(ground, basis.discretise(crystal, kpoints, group, device))
    if adjoint is not None:
        ground = adjoint.attach(ground)
    discretised.release()
    return ground


def _with_all_kpoints(ground: GroundState, basis: Basis) -> GroundState:
    """The state that several processes have found, as one process would have it but for the orbitals above."""
    electrons = ground.problem.division.whole(ground.electrons, basis)
    problem = ground.problem.in_basis(basis)
    return replace(ground, basis=basis, problem=problem, electrons=electrons, orbitals_above=None)


def _advise_on_cell(crystal: Crystal) -> None:
    """Warn where another cell of the same crystal would cost less; the one that was given is computed all the same."""
    if least_skewed(crystal) is not crystal:
        warnings.warn(
            f"crystal: the cell of {crystal.name} is very skewed; crystal.reduced() is the same crystal in a cell that "
            "needs a smaller grid.",
            MlxcWarning,
            stacklevel=3,
        )


def warm_up() -> None:
    """Compute something tiny, so that libraries are loaded and threads running before the first real run."""
    scf(Crystal.load("si"), basis=PlaneWaves(4.0), kmesh=(2, 2, 2), tolerance=1e-2)
