"""How long a training takes at stored densities: seconds until the first step, and of 300 steps of Adam.

Each is measured with Python, PyTorch and a first training of one step behind it, as in the process that
computes for the page. Besides what a clock says stands what the processor worked, which does not depend on what else
runs on the machine.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tables import cell, print_header, print_row

from mlxc.training.config import TrainingConfig
from mlxc.training.trainer import Trainer

FOUR = ("Si_diamond", "Al_fcc", "V_bcc", "NaCl_b1")
EIGHT = ("K_bcc", "Ca_fcc", "Al_fcc", "V_bcc", "Pd_fcc", "Si_diamond", "NaCl_b1", "GaAs_b3")
CASES: dict[str, dict[str, Any]] = {
    "kappa and mu of PBE, four solids": {"start": "pbe-kappa-mu", "train": FOUR},
    "constrained GGA network (16×16), eight solids": {"network": {"rung": "gga"}, "train": EIGHT},
    "constrained meta-GGA network (16×16), eight solids": {"network": {"rung": "mgga"}, "train": EIGHT},
}
STEPS = 300


def seconds_of(settings: dict[str, Any], steps: int) -> tuple[float, float, float]:
    """Seconds until the first step has been told, until the end, and of the processor's work."""
    optimiser = {"rate": 0.003, "steps": steps}
    config = TrainingConfig.model_validate({"name": "benchmark", "rounds": 1, "optimiser": optimiser} | settings)
    told: list[float] = []
    started, worked = time.perf_counter(), time.process_time()
    with TemporaryDirectory() as folder:
        Trainer(config, Path(folder), on_step=lambda record: told.append(time.perf_counter() - started)).run()
    return told[0], time.perf_counter() - started, time.process_time() - worked


def main() -> None:
    """Print a row for each training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=STEPS, help=f"of Adam ({STEPS})")
    steps = parser.parse_args().steps
    seconds_of(CASES["kappa and mu of PBE, four solids"], 1)
    print_header("training", "first step (s)", f"{steps} steps (s)", "processor (s)")
    for name, settings in CASES.items():
        print_row([name, *(cell(seconds, ".1f") for seconds in seconds_of(settings, steps))])


if __name__ == "__main__":
    main()
