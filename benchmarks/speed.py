"""Times the same calculation in mlxc, ABINIT and Quantum ESPRESSO, in turn, on two cores.

    python benchmarks/speed.py [--repeats 3] [al graphene ...]

mlxc is timed inside a warm process (set-up and SCF), as a person on the page or a sweep meets it; the others as whole
processes, which start in a few hundredths of a second. All use the same GTH pseudopotentials, cutoff, mesh and
smearing, and stop at about the same error of the energy (below 1e-8 Ha).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from other_codes import Timing, median, run_abinit, run_quantum_espresso

from mlxc import Calculation
from mlxc.scf.loop import warm_up

CASES: dict[str, dict[str, Any]] = {
    "al": {"structure": "al", "ecut_ha": 20, "kmesh": (8, 8, 8), "width_ha": 0.01},
    "si": {"structure": "si", "ecut_ha": 20, "kmesh": (4, 4, 4), "smearing": "none"},
    "graphene": {"structure": "graphene", "ecut_ha": 30, "kmesh": (9, 9, 1), "width_ha": 0.01},
    "ca": {"structure": "ca", "ecut_ha": 40, "kmesh": (6, 6, 6), "width_ha": 0.01},
    "mgo": {"structure": "mgo", "ecut_ha": 40, "kmesh": (4, 4, 4), "smearing": "none", "pseudo_names": {"Mg": "q2"}},
}
PROCESSES = 2


def run_mlxc(calculation: Calculation) -> Timing:
    """Set-up and SCF in this process."""
    ground = calculation.run()
    return Timing(ground.seconds["total"], float(ground.energy))


def measure(name: str, repeats: int) -> dict[str, list[Timing]]:
    """Run all installed codes in turn, ``repeats`` times."""
    calculation = Calculation.from_dict(CASES[name])
    timings: dict[str, list[Timing]] = {}
    for _ in range(repeats):
        timings.setdefault("mlxc", []).append(run_mlxc(calculation))
        for code, run in (("ABINIT", run_abinit), ("Quantum ESPRESSO", run_quantum_espresso)):
            with tempfile.TemporaryDirectory() as folder:
                timing = run(calculation, Path(folder), PROCESSES)
            if timing is not None:
                timings.setdefault(code, []).append(timing)
    return timings


def main() -> None:
    """Print a Markdown table of medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", default=list(CASES), metavar="case", help=", ".join(CASES))
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    warm_up()
    print("| case | code | median s | time mlxc / time code | F (Ha) |\n| --- | --- | --- | --- | --- |")
    for name in arguments.cases:
        timings = measure(name, arguments.repeats)
        ours = median([t.seconds for t in timings["mlxc"]])
        for code, results in timings.items():
            theirs = median([t.seconds for t in results])
            print(f"| {name} | {code} | {theirs:.2f} | {ours / theirs:.2f} | {results[-1].energy_ha:.7f} |", flush=True)


if __name__ == "__main__":
    main()
