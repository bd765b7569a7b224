"""Compares free energies with those of ABINIT at the same discretisation, and prints a Markdown table.

    python benchmarks/accuracy.py [al si ...]

The reference figures and their settings are those of tests/data/plane_wave_energies.json.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from reference_systems import SYSTEMS, UNPOLARISED, calculation


def main() -> None:
    """Print one row per system."""
    print("| system | ABINIT 9.6.2 (Ha) | mlxc (Ha) | difference per atom (Ha) |\n| --- | --- | --- | --- |")
    for name in sys.argv[1:] or [*UNPOLARISED, "o2-molecule", "si-r2scan"]:
        ground = calculation(name).run()
        reference = SYSTEMS[name]["free_energy_ha"]
        difference = (float(ground.energy) - reference) / len(ground.crystal.species)
        print(f"| {name} | {reference:.7f} | {float(ground.energy):.7f} | {difference:+.1e} |", flush=True)


if __name__ == "__main__":
    main()
