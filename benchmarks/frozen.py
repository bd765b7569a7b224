"""Lattice constants at frozen densities beside self-consistent ones, and how many of the changes an estimate covers.

    mlxc freeze sol58lc --xc r2scan --out FOLDER/r2scan     # once for each functional: hours
    python benchmarks/frozen.py FOLDER/r2scan FOLDER/pbesol ...

Each folder is a library of frozen densities that the functional itself has made, so that its own lattice constants
there are self-consistent; solids that it lacks are left out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tables import print_header, print_row

from mlxc.frozen.library import FrozenLibrary
from mlxc.frozen.screening import screen


def main() -> None:
    """Print a Markdown table, and the mean and largest difference and the share covered."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("libraries", nargs="+", type=Path)
    print_header("functional", "solid", "frozen (angstrom)", "self-consistent", "difference (%)", "estimate (%)")
    differences, covered = [], []
    for folder in parser.parse_args().libraries:
        library = FrozenLibrary(folder)
        name, solids = library.functional.name, library.names
        frozen = screen([name], solids=solids).rows
        for row, found in zip(frozen, screen([name], library, solids=solids).rows, strict=True):
            edges, estimate = (row.lattice_constant_ang, found.lattice_constant_ang), row.self_consistency_percent
            if edges[0] is None or edges[1] is None or estimate is None:
                print_row([name, row.solid, row.message or found.message, "-", "-", "-"])
                continue
            difference = 100 * (edges[0] / edges[1] - 1)
            differences.append(abs(difference))
            covered.append(abs(difference) <= estimate)
            print_row([name, row.solid, f"{edges[0]:.4f}", f"{edges[1]:.4f}", f"{difference:+.4f}", f"{estimate:.4f}"])
    mean, share = sum(differences) / len(differences), 100 * sum(covered) / len(covered)
    print(f"\nMean difference {mean:.3f} %, largest {max(differences):.3f} %; the estimate covers {share:.0f} %.")


if __name__ == "__main__":
    main()
