"""What single precision on the way to the orbitals does to converged energies, forces and stress: nothing to speak of.

    python benchmarks/pseudodojo_files.py      # once: the pseudopotentials
    python benchmarks/precision.py [case ...]

Each crystal of ``real_crystals.py`` is computed from free atoms twice: with corrections of orbitals in single
precision, as by default, and with everything in double precision. Both stop at a density residual of 1e-8 per electron,
so that what differs is not the residual. Wanted are energies within 1e-9 Ha per atom and forces within 1e-7 Ha/bohr.
"""

from __future__ import annotations

import argparse
import json
import sys

from real_crystals import FOLDER, calculation_of
from tables import print_header, print_row
from torch import Tensor

import mlxc
from mlxc import Calculation, GroundState
from mlxc.basis.kinds import basis_of
from mlxc.kohn_sham.eigensolver import Davidson
from mlxc.kohn_sham.occupations import make_smearing

TOLERANCE = 1e-8
# Hartree per atom, and hartree/bohr.
ENERGY_WANTED, FORCE_WANTED = 1e-9, 1e-7


def ground_state(calculation: Calculation, single_precision: bool) -> GroundState:
    """The state with forces and stress."""
    settings = calculation.model_dump()
    return mlxc.scf(
        calculation.crystal,
        xc=calculation.xc,
        basis=basis_of(settings),
        kmesh=calculation.kmesh,
        smearing=make_smearing(calculation.smearing, calculation.width_ha),
        spin=calculation.spin,
        pseudo=calculation.pseudo,
        tolerance=TOLERANCE,
        max_iterations=2 * calculation.max_iterations,
        eigensolver=Davidson(single_precision=single_precision),
        forces=True,
        differentiate=None,
    )


def difference(one: Tensor | None, other: Tensor | None) -> float:
    """The largest difference of two tensors that have been computed."""
    assert one is not None
    assert other is not None
    return float((one - other).abs().max())


def main() -> None:
    """Print a Markdown table; exit code 1 if a difference is larger than wanted, or a case has not converged."""
    cases = json.loads((FOLDER / "cases.json").read_text(encoding="utf-8"))["cases"]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="case", help="default: all")
    arguments = parser.parse_args()
    if unknown := set(arguments.cases) - set(cases):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; choose from {', '.join(cases)}")
    print_header("case", "SCF steps", "double", "dF (Ha/atom)", "forces (Ha/bohr)", "stress (Ha/bohr^3)", "s", "double")
    as_wanted = True
    for name in arguments.cases or cases:
        calculation = calculation_of(name, cases[name], "pbe")
        single, double = (ground_state(calculation, precision) for precision in (True, False))
        if not (single.converged and double.converged):
            print_row([name, len(single.history), len(double.history), "not converged", *["-"] * 4])
            as_wanted = False
            continue
        energy = abs(float(single.energy - double.energy)) / len(calculation.crystal.species)
        force, stress = difference(single.forces, double.forces), difference(single.stress, double.stress)
        seconds = (f"{state.seconds['total']:.0f}" for state in (single, double))
        differences = (f"{value:.1e}" for value in (energy, force, stress))
        print_row([name, len(single.history), len(double.history), *differences, *seconds])
        as_wanted = as_wanted and energy < ENERGY_WANTED and force < FORCE_WANTED
    sys.exit(not as_wanted)


if __name__ == "__main__":
    main()
