"""Writes what mlxc has read from a UPF file in ABINIT's psp8 format, so that ABINIT and mlxc can read it again.

ABINIT 9.6.2 finds -8.3681447 Ha for silicon with the psp8 file, mlxc -8.3681439 Ha with the psp8 and with the UPF file.
"""

from __future__ import annotations

from math import pi

import numpy as np
from ase.data import atomic_numbers

from mlxc.pseudo.files.radial import Array, RadialPseudopotential

LOCAL = 4


def psp8_text(file: RadialPseudopotential, ixc: int = 11, extension: int = 1, title: str = "made from UPF") -> str:
    """The text of a psp8 file; projectors must have a diagonal coupling and the mesh must be uniform."""
    ells = [projector.angular_momentum for projector in file.projectors]
    counts = [ells.count(ell) for ell in range(max(ells) + 1)]
    size = len(file.radius)
    lines = [
        title,
        f"{atomic_numbers[file.symbol]:.4f} {file.charge:.4f} 171102 zatom,zion,pspd",
        f"8 {ixc} {len(counts) - 1} {LOCAL} {size} 0 pspcod,pspxc,lmax,lloc,mmax,r2well",
        f"{file.radius[-1]:.8f} {0.0 if file.core_density is None else 1.0:.8f} 0.0 rchrg fchrg qchrg",
        " ".join(str(count) for count in [*counts, 0, 0, 0, 0, 0][:5]) + " nproj",
        f"{extension} {extension if extension else ''} extension_switch",
    ]
    for ell, count in enumerate(counts):
        if count:
            index = [i for i, other in enumerate(ells) if other == ell]
            lines.append(f"{ell} " + " ".join(fortran(file.coupling[i, i]) for i in index))
            lines += rows(file.radius, *(file.projectors[i].values for i in index))
    lines += [str(LOCAL), *rows(file.radius, file.local)]
    if file.core_density is not None:
        derivatives = [4 * pi * file.core_density]
        for _ in range(4):
            derivatives.append(np.gradient(derivatives[-1], file.radius))
        lines += rows(file.radius, *derivatives)
    if extension:
        density = file.atomic_density / np.maximum(file.radius, file.radius[1]) ** 2
        density[0] = density[1]
        lines += rows(file.radius, density, density, 0 * density)
    return "\n".join(lines) + "\n"


def rows(radius: Array, *functions: Array) -> list[str]:
    """The lines of a block."""
    columns = zip(radius, *functions, strict=True)
    return [" ".join([f"{i:5d}", *map(fortran, values)]) for i, values in enumerate(columns, start=1)]


def fortran(value: float) -> str:
    """A number as ONCVPSP writes it."""
    return f"{value:.13E}".replace("E", "D")
