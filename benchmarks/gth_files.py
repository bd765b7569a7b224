"""Writes a GTH pseudopotential in the format that ABINIT (pspcod 10) and Quantum ESPRESSO (.gth) both read."""

from __future__ import annotations

from pathlib import Path

from mlxc.crystal.elements import atomic_number
from mlxc.pseudo.gth_table import Channel, GTHParameters

# pspxc of ABINIT and Quantum ESPRESSO's name for the functional that the potential was made for.
PBE_CODE = 11


def write_gth(parameters: GTHParameters, path: Path) -> None:
    """Write one pseudopotential; spin-orbit couplings are zero."""
    lines = [
        f"{parameters.name} {parameters.symbol}",
        f"{atomic_number(parameters.symbol)} {parameters.charge} 000000",
        f"10 {PBE_CODE} {max(len(parameters.channels) - 1, 0)} 0 2001 0",
        _numbers(parameters.local_radius, len(parameters.local_coefficients), *parameters.local_coefficients),
        str(len(parameters.channels)),
    ]
    for angular_momentum, channel in enumerate(parameters.channels):
        lines += _channel(channel, spin_orbit=angular_momentum > 0)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _channel(channel: Channel, spin_orbit: bool) -> list[str]:
    size = len(channel.coupling)
    rows = [" ".join(f"{h:.14f}" for h in row[i:]) for i, row in enumerate(channel.coupling)] or [""]
    lines = [f"{channel.radius:.14f} {size} {rows[0]}", *rows[1:]]
    if spin_orbit:
        lines += [" ".join(["0.0"] * (size - i)) for i in range(size)]
    return lines


def _numbers(radius: float, count: int, *values: float) -> str:
    return " ".join([f"{radius:.14f}", str(count), *(f"{value:.14f}" for value in values)])
