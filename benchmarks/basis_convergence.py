"""How lattice constants and energies in Gaussian orbitals approach those in plane waves, for aluminium and graphene.

    python benchmarks/basis_convergence.py [--figure assets/figures/basis_convergence.png] [al graphene]

All have the same GTH pseudopotential, k mesh, Fermi-Dirac smearing of 0.01 Ha and PBE, so that what differs is the
basis alone; plane waves are converged. Volumes, or areas of graphene at fixed height, rise in steps of 3 % from 91 % of
the given one until the energy has its minimum in the middle of seven; they lie on one grid and start from each other.
Energies are compared at the given structure: they can only fall where a set contains the one before it.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tables import cell, print_header, print_row

import mlxc
from mlxc import Calculation
from mlxc.calculation.run import run_calculation
from mlxc.crystal.resizing import lattice_constant, natural_variation
from mlxc.ground_state import warm_up
from mlxc.kohn_sham.state import GroundState
from mlxc.properties.birch_murnaghan import FitError, fit_birch_murnaghan
from mlxc.units import BOHR_ANG

HERE = Path(__file__).resolve().parent
FIGURE = HERE.parent / "assets" / "figures" / "basis_convergence.png"
# A family in which each set contains the one before, and the sets that are the default.
FAMILY = ("gth-szv", "gth-dzvp", "gth-tzvp", "gth-tzv2p")
MOLOPT = ("gth-szv-molopt-sr", "gth-dzvp-molopt-sr")
CASES: dict[str, dict[str, Any]] = {
    "al": {"kmesh": (6, 6, 6)},
    "graphene": {"kmesh": (4, 4, 1)},
}
TITLES = {"al": "Aluminium", "graphene": "Graphene"}
# Hartree. Of graphene's Gaussians the grid's, at which energies are converged to some microhartree.
PLANE_WAVES_HA = {"al": 30.0, "graphene": 60.0}
GRID_HA = {"al": 20.0, "graphene": 40.0}
# Of volumes or areas; the largest one decides on the grid. The smallest sets have them grow by a tenth to a third.
LOWEST, STEP, FITTED = 0.91, 0.03, 7
LARGEST = {"al": 1.45, "graphene": 1.27}
# Of Okabe and Ito, which colour-blind people can tell apart.
BLUE, VERMILLION, INK = "#0072B2", "#D55E00", "#1f2933"


@dataclass(frozen=True)
class Point:
    """A crystal in one basis.

    Attributes:
        functions: per atom; plane waves per k point and atom.
        energy_ha: free energy per atom in the given structure.
        constant_ang: lattice constant; None where the energies have no minimum.
        condition_number: of the overlap matrices; None for plane waves.
        seconds: of one SCF from free atoms, set-up included, on one processor.
    """

    functions: int
    energy_ha: float
    constant_ang: float | None
    condition_number: float | None
    seconds: float


def calculation_of(name: str, basis_set: str | None) -> Calculation:
    """In a Gaussian basis set, or in plane waves."""
    settings: dict[str, Any] = {"structure": name, "pseudo": "gth", "smearing": "fermi-dirac", "width_ha": 0.01}
    if basis_set is None:
        settings |= {"ecut_ha": PLANE_WAVES_HA[name], "cutoff_smoothing_ha": 0.5}
    else:
        settings |= {"basis": "gaussian", "gaussian_basis": basis_set, "ecut_ha": GRID_HA[name]}
    return Calculation.from_dict(settings | CASES[name])


def compute(name: str, basis_set: str | None) -> Point:
    """All volumes or areas of a crystal in one basis."""
    ratios = np.arange(LOWEST, LARGEST[name] + 1e-9, STEP)
    *cases, at_given = calculation_of(name, basis_set).at_volumes([*ratios.tolist(), 1.0])
    started = time.process_time()
    given = run_calculation(at_given)
    seconds = time.process_time() - started
    natom, dependence = len(given.crystal.species), given.basis.linear_dependence
    functions = given.orbitals.shape[-1] if dependence is None else dependence.functions
    return Point(
        round(functions / natom),
        float(given.energy.detach()) / natom,
        constant_of(cases),
        None if dependence is None else dependence.condition_number,
        seconds,
    )


def constant_of(cases: list[Calculation]) -> float | None:
    """Where the fit has its minimum, angstrom; None where it has none. Computes no further than it must."""
    states: list[GroundState] = []
    energies: list[float] = []
    for case in cases:
        states.append(run_calculation(case, start=states))
        assert states[-1].converged, states[-1].message
        energies.append(float(states[-1].energy.detach()))
        if len(states) >= FITTED and np.argmin(energies) <= len(states) - 1 - FITTED // 2:
            break
    volumes = [state.crystal.volume * BOHR_ANG**3 for state in states[-FITTED:]]
    try:
        volume0 = fit_birch_murnaghan(volumes, energies[-FITTED:]).volume0
    except FitError:
        return None
    return lattice_constant(states[0].crystal, volume0, natural_variation(states[0].crystal))


def print_point(name: str, basis_set: str | None, point: Point, limit: Point) -> None:
    """One row."""
    off = None
    if point.constant_ang is not None and limit.constant_ang is not None:
        off = 100 * (point.constant_ang / limit.constant_ang - 1)
    print_row(
        [
            name,
            f"plane waves, {PLANE_WAVES_HA[name]:g} Ha" if basis_set is None else basis_set,
            point.functions,
            f"{1000 * (point.energy_ha - limit.energy_ha):.2f}",
            cell(point.constant_ang, ".4f"),
            cell(off, "+.2f"),
            cell(point.condition_number, ".1e"),
            f"{point.seconds:.2f}",
        ]
    )


def draw(found: dict[str, dict[str | None, Point]], path: Path) -> None:
    """Lattice constants above, energies below, a column for each crystal."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    figure = Figure(figsize=(9.5, 6.2), layout="constrained")
    axes = figure.subplots(2, len(found), squeeze=False)
    for column, (name, points) in enumerate(found.items()):
        limit = points[None]
        above, below = axes[0, column], axes[1, column]
        above.axhline(limit.constant_ang, color=INK, linestyle="--", label="plane waves")
        for sets, colour, marker, label in (
            (FAMILY, BLUE, "o-", "gth-*"),
            (MOLOPT, VERMILLION, "s-", "gth-*-molopt-sr"),
        ):
            own = [points[basis_set] for basis_set in sets]
            counts = [point.functions for point in own]
            above.plot(counts, [point.constant_ang or np.nan for point in own], marker, color=colour, label=label)
            errors = [1000 * (point.energy_ha - limit.energy_ha) for point in own]
            below.semilogy(counts, errors, marker, color=colour, label=label)
            for basis_set, count, error in zip(sets, counts, errors, strict=True):
                below.annotate(
                    basis_set.removeprefix("gth-").removesuffix("-molopt-sr"), (count, error), (7, 3),
                    textcoords="offset points", color=colour, fontsize=9,
                )  # fmt: skip
        above.set_title(TITLES[name])
        above.set_ylabel("lattice constant (Å)")
        below.set_ylabel("energy above plane waves (mHa/atom)")
        below.set_xlabel("Gaussian functions per atom")
        for axis in (above, below):
            axis.grid(color="#e4e8eb")
            axis.margins(x=0.15, y=0.12)
        below.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        below.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        below.yaxis.set_minor_formatter(NullFormatter())
    axes[0, 0].legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def main() -> None:
    """Print a Markdown table and draw it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="case", help=f"default: {' '.join(CASES)}")
    parser.add_argument("--figure", type=Path, default=FIGURE)
    arguments = parser.parse_args()
    if unknown := set(arguments.cases) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; choose from {', '.join(CASES)}")
    torch.set_num_threads(1)
    warm_up()
    print_header(
        "crystal", "basis", "functions per atom", "energy above plane waves (mHa/atom)", "a0 (ang)", "off by %",
        "condition number", "one SCF (CPU s)",
    )  # fmt: skip
    found: dict[str, dict[str | None, Point]] = {}
    for name in arguments.cases or CASES:
        found[name] = {}
        for basis_set in (None, *FAMILY, *MOLOPT):
            found[name][basis_set] = compute(name, basis_set)
            print_point(name, basis_set, found[name][basis_set], found[name][None])
    draw(found, arguments.figure)
    print(f"\nmlxc {mlxc.__version__}, PyTorch {torch.__version__}, one thread.")


if __name__ == "__main__":
    main()
