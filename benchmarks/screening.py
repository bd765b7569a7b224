"""How long a screening of the 28 measured solids takes: PBE, and every network that has a name.

    python benchmarks/screening.py [pbe pcnn ...]

Each functional is screened twice with the library in memory, as the page's process has it, and the shorter time counts;
beside it stands the time of all processors together, on which other programs have less influence.
"""

from __future__ import annotations

import argparse
import time

from tables import print_header, print_row

from mlxc.frozen.library import FrozenLibrary
from mlxc.frozen.screening import screen
from mlxc.references.tables import measured_solids
from mlxc.xc.checkpoints.files import named_checkpoints

BASELINE = "pbe"
REPEATS = 2


def seconds_of(xc: str, library: FrozenLibrary, solids: tuple[str, ...]) -> tuple[float, float]:
    """The shortest time of a screening, and the shortest of the processors."""
    found = []
    for _ in range(REPEATS):
        started, processors = time.perf_counter(), time.process_time()
        screen([xc], library, solids=solids)
        found.append((time.perf_counter() - started, time.process_time() - processors))
    wall, busy = zip(*found, strict=True)
    return min(wall), min(busy)


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("functionals", nargs="*", default=[BASELINE, *named_checkpoints()])
    library = FrozenLibrary()
    measured = measured_solids()
    solids = tuple(name for name in library.names if name in measured)
    screen([BASELINE], library, solids=solids)
    print_header("functional", f"{len(solids)} solids (s)", "of the processors (s)")
    for xc in parser.parse_args().functionals:
        print_row([xc, *(f"{seconds:.2f}" for seconds in seconds_of(xc, library, solids))])


if __name__ == "__main__":
    main()
