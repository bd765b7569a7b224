"""The entry points of a self-consistent calculation."""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch
from torch import nn

from mlxc.basis.kinds import basis_settings
from mlxc.basis.planewave.basis import PlaneWaves
from mlxc.basis.protocol import BasisSettings
from mlxc.calculation.settings import CalculationSettings
from mlxc.crystal.brillouin import irreducible_mesh
from mlxc.crystal.crystal import Crystal
from mlxc.grid.fields import Fields
from mlxc.grid.grid import Grid
from mlxc.kohn_sham.iteration import SCFIteration, State
from mlxc.kohn_sham.mixing_schedule import reason
from mlxc.kohn_sham.monitor import Monitor, SCFRecord
from mlxc.kohn_sham.occupations import make_smearing
from mlxc.kohn_sham.problem import KohnSham
from mlxc.kohn_sham.residual import residual_energy, residual_spectrum
from mlxc.kohn_sham.spin import check_spin
from mlxc.kohn_sham.state import GroundState
from mlxc.pseudo.library import find_pseudopotentials
from mlxc.pseudo.make import make_pseudopotential
from mlxc.terms.entropy import Smearing
from mlxc.xc.catalogue import functional


def scf(
    crystal: Crystal,
    *,
    xc: str | nn.Module = "pbe",
    basis: BasisSettings,
    kmesh: tuple[int, int, int],
    smearing: Smearing | None = None,
    spin: bool = False,
    total_moment: float | None = None,
    pseudo: str | None = None,
    pseudo_names: dict[str, str] | None = None,
    tolerance: float = 1e-6,
    max_iterations: int = 60,
    device: str = "cpu",
    seed: int = 0,
    monitor: Monitor | None = None,
    start: GroundState | Sequence[GroundState] = (),
) -> GroundState:
    """Compute the ground state of a crystal.

    Args:
        crystal: what to compute.
        xc: name of a functional, or a module that is one.
        basis: plane waves up to a cutoff, or Gaussian orbitals.
        kmesh: points of the Gamma-centred mesh along the reciprocal lattice vectors.
        smearing: None for fixed occupations.
        spin: treat up and down electrons separately (collinear spin), starting from the crystal's moments.
        total_moment: magnetic moment of the cell to hold, Bohr magneton; by default it finds its own value.
        pseudo: family of pseudopotentials, or a folder of UPF files; by default what suits the basis.
        pseudo_names: names in the family, by element, where the default is not wanted.
        tolerance: of the density residual, the integral of |n_out - n_in| per electron.
        max_iterations: SCF steps.
        device: where torch computes.
        seed: of the noise in the starting orbitals.
        monitor: called with a record after each step.
        start: a result with as many atoms and k points to start from, or several, the most similar one last.

    Raises:
        InputError: what was asked cannot be computed.
        RunStoppedError: the monitor stopped the run.
    """
    started = time.perf_counter()
    family_of = xc if isinstance(xc, str) else "pbe"
    family = basis.pseudopotential_family(crystal) if pseudo is None else pseudo
    entries = find_pseudopotentials(crystal.species, family, family_of, pseudo_names or {})
    pseudopotentials = {symbol: make_pseudopotential(entry) for symbol, entry in entries.items()}
    group = basis.symmetry(crystal)
    discretised = basis.discretise(crystal, irreducible_mesh(kmesh, group), group, device)
    kohn_sham = KohnSham(crystal, discretised, functional(xc), pseudopotentials, group)
    check_spin(spin, total_moment, smearing is None)
    iteration = SCFIteration(kohn_sham, smearing, tolerance, seed, 2 if spin else 1, total_moment)
    with torch.no_grad():
        iteration.prepare([start] if isinstance(start, GroundState) else start)
        prepared = time.perf_counter()
        history: list[SCFRecord] = []
        for _ in range(max_iterations):
            state = iteration.step()
            history.append(_record(discretised.grid, len(history) + 1, state, time.perf_counter() - prepared))
            if monitor is not None:
                monitor(history[-1])
            if iteration.converged:
                break
    finished = time.perf_counter()
    seconds = {"setup": prepared - started, "scf": finished - prepared, "total": finished - started}
    message = "" if iteration.converged else _why(kohn_sham, state, history, tolerance, iteration.bands_suffice)
    ground = _ground_state(kohn_sham, state, history, message, seconds)
    ground.smearing, ground.total_moment = smearing, total_moment
    discretised.release()
    return ground


def run_calculation(
    calculation: CalculationSettings,
    monitor: Monitor | None = None,
    start: GroundState | Sequence[GroundState] = (),
    xc: nn.Module | None = None,
) -> GroundState:
    """Compute what a :class:`mlxc.Calculation` describes, with another functional than it names if one is given."""
    ground = scf(
        calculation.crystal,
        xc=calculation.xc if xc is None else xc,
        basis=basis_settings(calculation.model_dump()),
        kmesh=calculation.kmesh,
        smearing=make_smearing(calculation.smearing, calculation.width_ha),
        spin=calculation.spin,
        total_moment=calculation.total_moment,
        pseudo=calculation.pseudo,
        pseudo_names=calculation.pseudo_names,
        tolerance=calculation.tolerance,
        max_iterations=calculation.max_iterations,
        device=calculation.device,
        seed=calculation.seed,
        monitor=monitor,
        start=start,
    )
    ground.calculation = calculation.model_dump(mode="json")
    return ground


def warm_up() -> None:
    """Compute something tiny, so that libraries are loaded and threads running before the first real run."""
    crystal = Crystal.load("si")
    scf(crystal, basis=PlaneWaves(4.0), kmesh=(2, 2, 2), tolerance=1e-2)


def _record(grid: Grid, iteration: int, state: State, seconds: float) -> SCFRecord:
    return SCFRecord(
        iteration=iteration,
        free_energy_ha=state.free_energy,
        energies_ha=state.energies,
        density_residual=state.density_residual,
        residual_energy_ha=residual_energy(grid, state.change),
        fermi_level_ha=state.occupations.fermi_level,
        magnetisation_bohr_magneton=state.magnetisation,
        eigensolver_residual=state.pairs.residual,
        hamiltonian_applications=state.pairs.applications,
        seconds=seconds,
        residual_spectrum=residual_spectrum(grid, state.change),
    )


def _why(kohn_sham: KohnSham, state: State, history: list[SCFRecord], tolerance: float, bands_suffice: bool) -> str:
    """One sentence about an SCF that has not converged."""
    cause = reason(kohn_sham.basis.grid, state.change, history, bands_suffice)
    return (
        f"Not converged: after {len(history)} steps the density residual is {state.density_residual:.1e}, where "
        f"{tolerance:.1e} is asked for: {cause}."
    )


def _ground_state(
    kohn_sham: KohnSham, state: State, history: list[SCFRecord], message: str, seconds: dict[str, float]
) -> GroundState:
    # F is variational: with respect to the functional's parameters only the explicit dependence of E_xc counts.
    xc = kohn_sham.xc_energy(state.fields)
    fields = Fields.unstacked(kohn_sham.basis.grid.real(state.fields))
    energy = state.free_energy + (xc - xc.detach())
    return GroundState(
        crystal=kohn_sham.crystal,
        basis=kohn_sham.basis,
        converged=not message,
        message=message,
        energy=energy,
        energies=state.energies,
        density=fields.density,
        density_gradient=fields.gradient,
        kinetic_density=fields.tau,
        potential=state.potential.local,
        gradient_potential=state.potential.gradient,
        kinetic_potential=state.potential.kinetic,
        eigenvalues=state.pairs.eigenvalues,
        occupations=state.occupations.electrons,
        orbitals=state.pairs.orbitals,
        fermi_level=state.occupations.fermi_level,
        magnetisation=state.magnetisation,
        history=history,
        seconds=seconds,
        outside_training_domain=kohn_sham.outside_training_domain(state.fields),
        problem=kohn_sham,
    )
