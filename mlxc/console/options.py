"""What commands that compute share: the options of a calculation, and how the result is printed."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlxc.errors import InputError

if TYPE_CHECKING:
    from mlxc.crystal.crystal import Crystal

CONVERGED, BAD_INPUT, NOT_CONVERGED, INTERRUPTED = 0, 2, 3, 130


def add_calculation(parser: argparse.ArgumentParser, basis: str = "pw") -> None:
    """The options of a calculation; what is not given, but the ``basis``, is left to :class:`mlxc.Calculation`."""
    add = parser.add_argument
    add("structure", help="a shipped name such as 'al', a file (CIF, POSCAR, ...), or optimade:PROVIDER/ID")
    add(
        "--xc",
        metavar="NAME",
        help="functional, checkpoint, libxc's gga_x_b88,gga_c_lyp, or a sum: '0.5*pbe + 0.5*lda' (pbe)",
    )
    add("--pseudo", metavar="FAMILY", help="pseudopotentials: pseudodojo, gth, gth-pbe, gth-pade, gth-uzh, or a folder")
    add("--pseudo-name", nargs="+", action="extend", metavar="EL=NAME", help="such as Mg=GTH-PBE-q2 O=GTH-PBE-q6")
    kinds = "basis set: plane waves, pw, or Gaussian orbitals, gaussian (%(default)s)"
    add("--basis", metavar="KIND", default=basis, help=kinds)
    add("--gaussian-basis", metavar="NAME", help="of Gaussian orbitals, such as gth-tzvp (gth-dzvp-molopt-sr)")
    add("--gaussian-name", nargs="+", action="extend", metavar="EL=NAME", help="another set for an element")
    add(
        "--ecut",
        type=float,
        metavar="HA",
        help="plane-wave cutoff, which is also the grid's, hartree (what pseudopotentials or Gaussians need)",
    )
    add("--kmesh", type=int, nargs=3, metavar="N", help="Gamma-centred k mesh")
    add("--smearing", metavar="KIND", help="fermi-dirac, gaussian, marzari-vanderbilt, or none (fixed occupations)")
    add("--width", type=float, metavar="HA", help="width of the smearing, hartree")
    add("--spin", action="store_true", default=None, help="collinear spin, from the moments of the structure")
    add("--total-moment", type=float, metavar="MB", help="magnetic moment of the cell to hold, Bohr magneton")
    add("--fft-grid", type=int, nargs=3, metavar="N", help="real-space grid")
    add("--cutoff-smoothing", type=float, metavar="HA", help="smooths energies as functions of the volume, hartree")
    add("--tolerance", type=float, metavar="T", help="density residual at which the SCF has converged")
    add("--max-iterations", type=int, metavar="N", help="SCF steps before giving up")
    add("--device", metavar="D", help="where torch computes (cpu)")
    add("--seed", type=int, metavar="N", help="seed of the random numbers (0)")
    add("--json", action="store_true", help="print one JSON object to standard output")


def add_save(parser: argparse.ArgumentParser) -> None:
    """The option of commands that have a state to keep."""
    parser.add_argument(
        "--save", type=Path, metavar="FILE.h5", help="write density, potential, eigenvalues and orbitals"
    )


def calculation_fields(options: argparse.Namespace) -> dict[str, Any]:
    fields = {
        "structure": _structure(options.structure),
        "xc": options.xc,
        "pseudo": options.pseudo,
        "pseudo_names": _names_of_elements("--pseudo-name", "Al=GTH-PBE-q3", options.pseudo_name),
        "basis": options.basis,
        "gaussian_basis": options.gaussian_basis,
        "gaussian_basis_names": _names_of_elements("--gaussian-name", "Al=gth-tzvp", options.gaussian_name),
        "ecut_ha": options.ecut,
        "kmesh": options.kmesh,
        "smearing": options.smearing,
        "spin": options.spin,
        "total_moment": options.total_moment,
        "width_ha": options.width,
        "fft_grid": options.fft_grid,
        "cutoff_smoothing_ha": options.cutoff_smoothing,
        "tolerance": options.tolerance,
        "max_iterations": options.max_iterations,
        "device": options.device,
        "seed": options.seed,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _structure(named: str) -> str | Crystal:
    """A name or a file as it is; an entry of a database is fetched."""
    from mlxc.structures.optimade import PREFIX, fetch_structure

    return fetch_structure(named.removeprefix(PREFIX)) if named.startswith(PREFIX) else named


def _names_of_elements(option: str, example: str, assignments: list[str] | None) -> dict[str, str] | None:
    if assignments is None:
        return None
    for assignment in assignments:
        if not all(assignment.partition("=")):
            raise InputError(f"{option} takes ELEMENT=NAME, such as {example}, not '{assignment}'.")
    return dict(assignment.split("=", 1) for assignment in assignments)


def check_writable(path: Path | None, option: str = "--save") -> None:
    """Find out before the calculation, not after it, that its result cannot be written."""
    if path is not None and (path.is_dir() or not os.access(path.absolute().parent, os.W_OK)):
        raise InputError(f"{option}: the file '{path}' cannot be written.")


def fail(sentence: str, code: int) -> int:
    print(f"mlxc: {' '.join(sentence.split())}", file=sys.stderr)
    return code
