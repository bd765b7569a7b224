"""What would stop a run, found before anything is computed. Imports no torch."""

from __future__ import annotations

from pathlib import Path

import psutil

from mlxc.basis.kind import Size
from mlxc.calculation.settings import CalculationSettings
from mlxc.errors import InputError
from mlxc.grid.skewed_cells import least_skewed
from mlxc.kohn_sham.spin import check_filling
from mlxc.pseudo.library import PseudopotentialData, find_pseudopotentials
from mlxc.terms.selectable import common_symmetry, selected_terms
from mlxc.xc.catalogue import check_name


def valence_electrons(calculation: CalculationSettings) -> int:
    """The number of valence electrons per cell.

    Raises:
        InputError: a pseudopotential is missing or unusable.
    """
    entries = _pseudopotentials(calculation)
    return sum(entries[symbol].charge for symbol in calculation.crystal.species)


def check_calculation(calculation: CalculationSettings) -> Size:
    """Check functional, pseudopotentials, electrons, device, grid and memory.

    Raises:
        InputError: with one sentence about the first thing that is wrong.
    """
    check_name(calculation.xc)
    electrons = valence_electrons(calculation)
    check_filling(electrons, calculation.total_moment, calculation.smearing == "none")
    _check_device(calculation.device)
    crystal = calculation.crystal
    size = calculation.basis_kind.size(
        crystal,
        calculation.model_dump(),
        electrons,
        _pseudopotentials(calculation),
        lambda group: common_symmetry(selected_terms(calculation.terms), crystal, group),
    )
    available = psutil.virtual_memory().available / 1e9
    if size.memory_gb > available:
        advice = "lower the cutoff or the k mesh"
        if least_skewed(crystal) is not crystal:
            advice = "the cell is very skewed, so take its reduced one, Crystal.reduced()"
        raise InputError(
            f"ecut_ha: {calculation.ecut_ha:g} hartree for this cell and k mesh needs about {size.memory_gb:.3g} GB "
            f"of memory, but {available:.3g} GB are free; {advice}."
        )
    return size


def _pseudopotentials(calculation: CalculationSettings) -> dict[str, PseudopotentialData]:
    """The pseudopotentials by element; their files are read once."""
    species = calculation.crystal.species
    return find_pseudopotentials(species, calculation.pseudo, calculation.xc, calculation.pseudo_names)


def _check_device(device: str) -> None:
    kind, _, index = device.partition(":")
    if kind not in ("cpu", "cuda") or (index and not index.isdigit()):
        raise InputError(f"device: '{device}' is not a device; give cpu, cuda or cuda:0.")
    if kind == "cuda" and not Path("/proc/driver/nvidia/version").exists():
        raise InputError(f"device: '{device}' needs an NVIDIA GPU, and this machine has none; use cpu.")
