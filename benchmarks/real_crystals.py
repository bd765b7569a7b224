"""Times crystals of a normal day in mlxc and in Quantum ESPRESSO, in turn.

They are oxides, slabs, magnets, a molecule, and cells of up to 64 atoms.

    python benchmarks/pseudodojo_files.py      # once: the pseudopotentials
    python benchmarks/real_crystals.py [--xc pbe] [--repeats 1] [--alone] [case ...]

``crystals/cases.json`` says how each is sampled and smeared. Cutoffs are the recommended ones, everything else is
mlxc's default; both codes stop at the same residual, as in ``speed.py``. With ``--alone``, mlxc computes by itself.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from speed import OURS, measure, print_case
from tables import geometric_mean, median, print_header

from mlxc import Calculation, Crystal

FOLDER = Path(__file__).with_name("crystals")


def cases() -> dict[str, dict[str, Any]]:
    """How each crystal is sampled and smeared, by its name."""
    known: dict[str, dict[str, Any]] = json.loads((FOLDER / "cases.json").read_text(encoding="utf-8"))["cases"]
    return known


def calculation_of(name: str, case: dict[str, Any], xc: str) -> Calculation:
    """The calculation of a case; fixed occupations with spin are those of an antiferromagnet."""
    smearing: dict[str, Any] = {"width_ha": case["width_ha"]}
    if case["width_ha"] is None:
        smearing = {"smearing": "none", "total_moment": 0.0 if case["spin"] else None}
    return Calculation.from_dict(
        {
            "structure": Crystal.load(str(FOLDER / f"{name}.extxyz")).to_dict(),
            "xc": xc,
            "pseudo": "pseudodojo",
            "kmesh": case["kmesh"],
            "spin": case["spin"],
            **smearing,
        }
    )


def main() -> None:
    """Print a Markdown table, the median and the largest number of steps, and the geometric mean of the ratios."""
    known = cases()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="case", help="default: all")
    parser.add_argument("--xc", default="pbe")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--cores", type=int, default=2, help="threads of mlxc, processes of Quantum ESPRESSO")
    parser.add_argument("--alone", action="store_true", help="without Quantum ESPRESSO")
    arguments = parser.parse_args()
    if unknown := set(arguments.cases) - set(known):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; choose from {', '.join(known)}")
    print_header("case", "code", "median s", "time mlxc / time code", "SCF steps", "peak MiB", "F (Ha)")
    ratios: list[float] = []
    steps: list[int] = []
    for name in arguments.cases or known:
        calculation = calculation_of(name, known[name], arguments.xc)
        timings = measure(calculation, arguments.repeats, arguments.cores, alone=arguments.alone)
        ratios.extend(print_case(name, timings).values())
        steps.extend(run.iterations for run in timings[OURS][-1:] if run.iterations is not None)
    print(f"\nSCF steps of mlxc: median {median(steps):g}, largest {max(steps)}.")
    if ratios:
        print(f"Time of mlxc over time of Quantum ESPRESSO: geometric mean {geometric_mean(ratios):.2f}.")


if __name__ == "__main__":
    main()
