"""Lattice constants of fourteen solids that ``solids-mgga`` has not met in training, beside PBE and PBEsol.

    python benchmarks/pseudodojo_files.py      # once: the pseudopotentials
    python benchmarks/solids.py [--network solids-mgga] [Ge_diamond ...]

Errors are relative to measured lattice constants without zero-point motion, in percent. The network is self-consistent;
PBE and PBEsol are both evaluated at the densities of PBE, as in training.
"""

from __future__ import annotations

import argparse
import os

import torch
from pseudodojo_files import DEFAULT_FOLDER, require
from tables import print_header, print_row

from mlxc.frozen.curve import SolidCurve, compute_curve
from mlxc.ground_state import warm_up
from mlxc.solids.table import SOL58LC, read_solids
from mlxc.xc.catalogue import functional

TESTED = (
    "Li_bcc", "Sr_fcc", "Nb_bcc", "Ni_fcc", "Ag_fcc", "Ge_diamond", "LiF_b1", "LiCl_b1", "TiC_b1", "FeAl_b2", "BN_b3",
    "AlAs_b3", "GaP_b3", "SiC_b3",
)  # fmt: skip


def error_percent(curve: SolidCurve, xc: str) -> float:
    """Of the lattice constant that a functional has with the densities of a curve."""
    with torch.no_grad():
        found = float(curve.predictions(functional(xc))["lattice_constant_ang"])
    return 100 * (found / curve.solid.references["lattice_constant_ang"] - 1)


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("solids", nargs="*", default=TESTED, metavar="solid")
    parser.add_argument("--network", default="solids-mgga")
    arguments = parser.parse_args()
    table = read_solids(SOL58LC)
    if unknown := set(arguments.solids) - set(table):
        parser.error(f"no such solid: {', '.join(sorted(unknown))}; choose from {', '.join(table)}")
    os.environ.setdefault("MLXC_PSEUDO_DIR", str(require(DEFAULT_FOLDER)))
    warm_up()
    print_header("solid", "measured (ang)", "PBE", "PBEsol", arguments.network)
    rows = []
    for name in arguments.solids:
        solid = table[name]
        fixed, own = compute_curve(solid), compute_curve(solid, arguments.network)
        seen = (fixed, "pbe"), (fixed, "pbesol"), (own, arguments.network)
        rows.append([error_percent(curve, xc) for curve, xc in seen])
        measured = f"{solid.references['lattice_constant_ang']:.3f}"
        print_row([name.replace("_", " "), measured, *(f"{error:+.2f}" for error in rows[-1])])
    means = torch.tensor(rows).abs().mean(0).tolist()
    print_row(["**mean absolute**", "", *(f"**{mean:.2f}**" for mean in means)])


if __name__ == "__main__":
    main()
