"""Four diagnoses of graphene, each with a culprit that is known beforehand: how long they take and what they say.

    python benchmarks/diagnosis.py

Each is a process of its own, as a person starts it. The culprits are held by
``pytest -m slow tests/tasks/test_diagnosis.py``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

from tables import print_header, print_row

CASES = (
    "--xc pbe",
    "--xc pbe --basis gaussian --gaussian-basis gth-szv",
    "--xc pbe --kmesh 8 8 1 --smearing none",
    "--xc bulk-unconstrained",
)


def main() -> None:
    """Print a Markdown table."""
    print_header("command", "seconds", "verdict")
    for options in CASES:
        started = time.perf_counter()
        command = [sys.executable, "-m", "mlxc.cli", "diagnose", "graphene", *options.split(), "--json"]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        print_row([f"`mlxc diagnose graphene {options}`", f"{time.perf_counter() - started:.0f}", found["verdict"]])


if __name__ == "__main__":
    main()
