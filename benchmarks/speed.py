"""Times the same calculation in mlxc and in other codes, in turn, on two cores.

    python benchmarks/speed.py [--pseudo pseudodojo] [--repeats 3] [al ni ...]
    python benchmarks/speed.py --pseudo gth [al si ...]

With PseudoDojo files, mlxc and Quantum ESPRESSO compute the shipped structures with their shipped settings, at the
recommended cutoff. With GTH pseudopotentials, ABINIT computes as well. All use the same pseudopotentials, cutoff,
k mesh, bands, smearing and starting moments. mlxc stops at a density residual of 1e-6 per electron, its default.
Quantum ESPRESSO stops at the same residual, by its own measure: the energy of the residual that mlxc finds there is its
threshold. ABINIT stops at an energy change of 1e-8 Ha. The free energies in the last column show that the codes agree.

Times: mlxc, set-up and SCF in a process that is warm, as a person on the page or a sweep meets it; Quantum ESPRESSO,
its own report of wall time, on as many processes as cores with one pool of k points each; ABINIT, the whole process.
Peak memory: of the process that runs one case of mlxc and nothing else, Python and torch included.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from abinit import run_abinit
from mlxc_process import MlxcProcess
from other_codes import Timing
from quantum_espresso import run_quantum_espresso
from tables import cell, geometric_mean, median, print_header, print_row

from mlxc import Calculation

GTH_CASES: dict[str, dict[str, Any]] = {
    "al": {"ecut_ha": 20, "kmesh": (8, 8, 8), "width_ha": 0.01},
    "si": {"ecut_ha": 20, "kmesh": (4, 4, 4), "smearing": "none"},
    "graphene": {"ecut_ha": 30, "kmesh": (9, 9, 1), "width_ha": 0.01},
    "ca": {"ecut_ha": 40, "kmesh": (6, 6, 6), "width_ha": 0.01},
    "mgo": {"ecut_ha": 40, "kmesh": (4, 4, 4), "smearing": "none", "pseudo_names": {"Mg": "q2"}},
}
PSEUDODOJO_CASES: dict[str, dict[str, Any]] = {
    "al": {},
    "si": {},
    "ca": {},
    "ni": {"spin": True, "smearing": "gaussian"},
    "cu": {},
    "nacl": {},
    "graphene": {},
}
CASES = {"gth": GTH_CASES, "pseudodojo": PSEUDODOJO_CASES}
OURS = "mlxc"


def measure(calculation: Calculation, repeats: int, cores: int, *, alone: bool = False) -> dict[str, list[Timing]]:
    """Run all installed codes in turn, ``repeats`` times; mlxc only if ``alone``."""
    timings: dict[str, list[Timing]] = {}
    process = MlxcProcess(cores)
    for _ in range(repeats):
        ours = process.run(calculation)
        assert ours.error_ha is not None
        runs: dict[str, Timing | None] = {OURS: ours}
        if not alone:
            runs["Quantum ESPRESSO"] = run_quantum_espresso(calculation, cores, ours.error_ha)
        if calculation.pseudo == "gth" and not alone:
            with tempfile.TemporaryDirectory() as folder:
                runs["ABINIT"] = run_abinit(calculation, Path(folder), cores)
        for code, timing in runs.items():
            if timing is not None:
                timings.setdefault(code, []).append(timing)
    process.close()
    return timings


def print_case(name: str, timings: dict[str, list[Timing]]) -> dict[str, float]:
    """One row per code; the ratio of mlxc's median time to each other code's."""
    medians = {code: median(run.seconds for run in runs) for code, runs in timings.items()}
    ratios = {code: medians[OURS] / seconds for code, seconds in medians.items()}
    for code, runs in timings.items():
        last = runs[-1]
        print_row(
            [
                name,
                code,
                f"{medians[code]:.2f}",
                f"{ratios[code]:.2f}",
                cell(last.iterations, "d") if last.converged else "not converged",
                cell(last.peak_mib, ".0f"),
                f"{last.energy_ha:.7f}",
            ]
        )
    return {code: ratio for code, ratio in ratios.items() if code != OURS}


def main() -> None:
    """Print a Markdown table of medians and ratios, and the geometric means of the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="case", help="default: all of the set")
    parser.add_argument("--pseudo", choices=list(CASES), default="pseudodojo", help="which set of cases")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cores", type=int, default=2, help="threads of mlxc, processes of the others")
    arguments = parser.parse_args()
    known = CASES[arguments.pseudo]
    if unknown := set(arguments.cases) - set(known):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; choose from {', '.join(known)}")
    print_header("case", "code", "median s", "time mlxc / time code", "SCF steps", "peak MiB", "F (Ha)")
    ratios: dict[str, list[float]] = {}
    for name in arguments.cases or known:
        settings = {"structure": name, "pseudo": arguments.pseudo, **known[name]}
        timings = measure(Calculation.from_dict(settings), arguments.repeats, arguments.cores)
        for code, ratio in print_case(name, timings).items():
            ratios.setdefault(code, []).append(ratio)
    for code, values in ratios.items():
        mean = geometric_mean(values)
        print(f"\nTime of mlxc over time of {code}: geometric mean {mean:.2f} of {len(values)} cases.")


if __name__ == "__main__":
    main()
