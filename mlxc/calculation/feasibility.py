"""What would stop a run, found before anything is computed. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path

import psutil

from mlxc.calculation.calculation import Calculation
from mlxc.crystal.brillouin import irreducible_mesh
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.errors import InputError
from mlxc.grid.shape import check_shape, choose_shape, grid_radius, plane_wave_count
from mlxc.pseudo.gth_table import GTHParameters
from mlxc.pseudo.library import PseudopotentialData, find_pseudopotentials
from mlxc.terms.selectable import common_symmetry, selected_terms
from mlxc.xc.catalogue import check_name

# Work arrays of the size of all orbitals that a step of the eigensolver holds at once.
ORBITAL_COPIES = 14
# Real or complex fields on the grid, most of them inside the functional and its derivative.
GRID_COPIES = 60


@dataclass(frozen=True)
class Size:
    """How large a calculation is.

    Attributes:
        electrons: valence electrons per cell.
        irreducible_kpoints: k points that are computed.
        functions: plane waves per k point, on average, or Gaussians.
        fft_grid: points of the real-space grid.
        memory_gb: estimate of the memory that it needs.
    """

    electrons: int
    irreducible_kpoints: int
    functions: int
    fft_grid: tuple[int, int, int]
    memory_gb: float


def check_calculation(calculation: Calculation) -> Size:
    """Check functional, pseudopotentials, electrons, device, grid and memory.

    Raises:
        InputError: with one sentence about the first thing that is wrong.
    """
    check_name(calculation.xc)
    crystal = calculation.crystal
    entries = find_pseudopotentials(crystal.species, calculation.pseudo, calculation.xc, calculation.pseudo_names)
    electrons = sum(entries[symbol].charge for symbol in crystal.species)
    moment = calculation.total_moment or 0.0
    if abs(moment) > electrons:
        raise InputError(f"total_moment: {moment:g} is more than the {electrons} valence electrons of the cell allow.")
    if calculation.smearing == "none" and (electrons - moment) % 2:
        raise InputError(
            f"smearing: {electrons} electrons per cell cannot fill bands in pairs; "
            "choose a smearing such as fermi-dirac."
        )
    _check_device(calculation.device)
    size = estimate_size(calculation, electrons, entries)
    available = psutil.virtual_memory().available / 1e9
    if size.memory_gb > available:
        raise InputError(
            f"ecut_ha: {calculation.ecut_ha:g} hartree for this cell and k mesh needs about {size.memory_gb:.3g} GB "
            f"of memory, but {available:.3g} GB are free; lower the cutoff or the k mesh."
        )
    return size


def estimate_size(calculation: Calculation, electrons: int, entries: dict[str, PseudopotentialData]) -> Size:
    """Count what a calculation would hold in memory."""
    if calculation.basis == "gaussian":
        return _size_in_gaussians(calculation, electrons, entries)
    return _size_in_plane_waves(calculation, electrons, entries)


def _size_in_gaussians(calculation: Calculation, electrons: int, entries: dict[str, PseudopotentialData]) -> Size:
    from mlxc.basis.gaussian.sets import function_count

    crystal, group = calculation.crystal, SpaceGroup.of(calculation.crystal)
    for symbol, entry in entries.items():
        if not isinstance(entry, GTHParameters):
            raise InputError(
                f"pseudo: Gaussian basis sets need GTH pseudopotentials, not that of {symbol} in a UPF file; "
                "choose the family gth."
            )
    grid = calculation.fft_grid or choose_shape(crystal.lattice, grid_radius(calculation.ecut_ha), group)
    on_grid = group.on_grid(grid)
    assert calculation.gaussian_basis is not None  # the calculation has checked it
    count = function_count(crystal.species, calculation.gaussian_basis, calculation.gaussian_basis_names)
    if 2 * count < electrons:
        raise InputError(
            f"gaussian_basis: {count} functions per cell cannot hold {electrons} electrons; take a larger basis set."
        )
    nkpoints = _kpoint_count(calculation, on_grid)
    nspin = 2 if calculation.spin else 1
    # The functions and their three derivatives on the grid.
    numbers = 4 * nkpoints * count + nspin * (GRID_COPIES + len(on_grid))
    return Size(electrons, nkpoints, count, grid, 16 * numbers * prod(grid) / 1e9)


def _size_in_plane_waves(calculation: Calculation, electrons: int, entries: dict[str, PseudopotentialData]) -> Size:
    crystal = calculation.crystal
    group = SpaceGroup.of(crystal)
    radius = grid_radius(calculation.ecut_ha)
    if calculation.fft_grid is None:
        grid = choose_shape(crystal.lattice, radius, group)
    else:
        grid = check_shape(calculation.fft_grid, crystal.lattice, radius, group)
    nkpoints = _kpoint_count(calculation, group)
    plane_waves = plane_wave_count(crystal.volume, calculation.ecut_ha)
    projectors = sum(entries[symbol].projector_count for symbol in crystal.species)
    nspin = 2 if calculation.spin else 1
    orbitals = nspin * nkpoints * plane_waves * (ORBITAL_COPIES * (electrons / 2 * 1.2 + 4) + projectors)
    memory = 16 * (orbitals + nspin * (GRID_COPIES + len(group)) * prod(grid))
    return Size(electrons, nkpoints, round(plane_waves), grid, memory / 1e9)


def _kpoint_count(calculation: Calculation, group: SpaceGroup) -> int:
    """k points that are left by those of the operations that all selected terms have."""
    remaining = common_symmetry(selected_terms(calculation.terms), calculation.crystal, group)
    return len(irreducible_mesh(calculation.kmesh, remaining))


def _check_device(device: str) -> None:
    kind, _, index = device.partition(":")
    if kind not in ("cpu", "cuda") or (index and not index.isdigit()):
        raise InputError(f"device: '{device}' is not a device; give cpu, cuda or cuda:0.")
    if kind == "cuda" and not Path("/proc/driver/nvidia/version").exists():
        raise InputError(f"device: '{device}' needs an NVIDIA GPU, and this machine has none; use cpu.")
