"""The kinetic energies of plane waves below a cutoff that may be smooth."""

from __future__ import annotations

from torch import Tensor

# The smoothed kinetic energy diverges at the cutoff; beyond this factor a plane wave is as good as absent.
LARGEST_FACTOR = 1e4


def kinetic_energies(kplusg: Tensor, ecut: float, smoothing: float) -> Tensor:
    """|k+G|^2 / 2 of each plane wave, raised smoothly towards infinity within ``smoothing`` below the cutoff.

    The factor 1 / (x^2 (3 + x - 6 x^2 + 3 x^3)) with x = (ecut - T) / smoothing is the one of M. Bernasconi et al.,
    J. Phys. Chem. Solids 56, 501 (1995), in the polynomial form that ABINIT calls ``ecutsm``: it leaves and reaches the
    ends with zero slope, so plane waves enter and leave a basis of fixed cutoff without a jump of the energy.

    Args:
        kplusg: k + G, shape ``(..., 3)``, 1/bohr.
        ecut: The cutoff, hartree.
        smoothing: The width, hartree; zero for the bare kinetic energy.
    """
    energies = kplusg.square().sum(-1) / 2
    if smoothing == 0:
        return energies
    x = ((ecut - energies) / smoothing).clamp(0, 1)
    inverse = x**2 * (3 + x - 6 * x**2 + 3 * x**3)
    return energies / inverse.clamp(min=1 / LARGEST_FACTOR)
