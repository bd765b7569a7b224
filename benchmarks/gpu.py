"""The same SCF on the processor and on a GPU, in turn: times, their ratio, and the difference of the energies.

    python benchmarks/gpu.py [--repeats 3] [--threads N]

Each time is a whole SCF from free atoms, set-up included, in a process that has run one before on that device.
"""

from __future__ import annotations

import argparse
import os
import time
from typing import Any

import torch
from tables import median, print_header, print_row

import mlxc
from mlxc import Calculation, Crystal
from mlxc.calculation.run import run_calculation

CASES: dict[str, tuple[str, tuple[int, int, int], dict[str, Any]]] = {
    "Al, 8 x 8 x 8 k points": ("al", (1, 1, 1), {"kmesh": (8, 8, 8), "ecut_ha": 20}),
    "graphene, 9 x 9 x 1": ("graphene", (1, 1, 1), {"kmesh": (9, 9, 1), "ecut_ha": 40}),
    "Ni with spin, 6 x 6 x 6": ("ni", (1, 1, 1), {"kmesh": (6, 6, 6), "ecut_ha": 45, "spin": True}),
    "Si, 16 atoms, 2 x 2 x 2": ("si", (2, 2, 2), {"kmesh": (2, 2, 2), "ecut_ha": 20, "smearing": "none"}),
    "Si, 54 atoms, 1 x 1 x 1": ("si", (3, 3, 3), {"kmesh": (1, 1, 1), "ecut_ha": 20, "smearing": "none"}),
}


def calculation_of(name: str, device: str) -> Calculation:
    """A case with PBE and PseudoDojo's pseudopotentials."""
    structure, repeats, settings = CASES[name]
    crystal = Crystal.load(structure).supercell(*repeats)
    return Calculation.from_dict({"structure": crystal.to_dict(), "device": device} | settings)


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        parser.error("PyTorch finds no GPU here")
    torch.set_num_threads(arguments.threads)
    print_header("case", f"{arguments.threads} threads (s)", "GPU (s)", "ratio", "difference of energies (Ha)")
    for name in CASES:
        seconds: dict[str, list[float]] = {"cpu": [], "cuda": []}
        energies: dict[str, float] = {}
        for device in seconds:
            run_calculation(calculation_of(name, device).model_copy(update={"max_iterations": 2}))
        for _ in range(arguments.repeats):
            for device, times in seconds.items():
                started = time.perf_counter()
                energies[device] = float(run_calculation(calculation_of(name, device)).energy)
                times.append(time.perf_counter() - started)
        here, there = median(seconds["cpu"]), median(seconds["cuda"])
        difference = energies["cuda"] - energies["cpu"]
        print_row([name, f"{here:.2f}", f"{there:.2f}", f"{here / there:.1f}", f"{difference:.1e}"])
    print(f"\n{torch.cuda.get_device_name()}, mlxc {mlxc.__version__}, PyTorch {torch.__version__}.")


if __name__ == "__main__":
    main()
