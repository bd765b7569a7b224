"""How long a calculation will take, before it is run. Imports no torch.

The work of an SCF in plane waves is in the Fourier transforms of all bands, so it grows as k points x spins x bands x
N ln N with the N points of the grid; with Gaussians it is in the functions on the grid, k points x spins x functions x
N. The factors are fitted to the times in the README (two cores, PBE, default tolerance) and, with Gaussians, to five
runs of aluminium, silicon and graphene. Times of other machines differ, and so do those of crystals that need more
steps: what is estimated here is right within a factor of two or three.
"""

from __future__ import annotations

from math import log, log10, prod

from mlxc.calculation.calculation import Calculation
from mlxc.calculation.feasibility import Size
from mlxc.errors import MlxcError
from mlxc.xc.checkpoints.files import checkpoint_of
from mlxc.xc.expression import split_sum

SECONDS_PER_TRANSFORM_POINT = 5.0e-8
# Of Gaussians: once, to find them on the grid, and for each k point.
SECONDS_PER_FUNCTION_POINT = 3.0e-6
SECONDS_PER_BLOCH_FUNCTION_POINT = 1.0e-6
# What even the smallest run needs in a process that is warm, and what PySCF adds that computes the integrals.
START_SECONDS = 0.2
GAUSSIAN_START_SECONDS = 1.0
# A potential that acts on kinetic energies doubles the transforms.
META_GGA_FACTOR = 2.0
# Half of the steps of an SCF serve the digits that are asked for, this many by default.
USUAL_DIGITS = 6.0
META_GGA_NAMES = ("scan", "mgga", "tpss", "m06", "ms2", "b97m")
# Seven volumes, each of which starts from those before.
SCFS_PER_EQUATION_OF_STATE = 3.0


def estimate_seconds(calculation: Calculation, size: Size) -> float:
    """Seconds of one SCF on two cores in a process that is warm.

    Args:
        calculation: what is to be computed.
        size: of it, see :func:`mlxc.calculation.feasibility.check_calculation`.
    """
    points = prod(size.fft_grid)
    states = size.irreducible_kpoints * (2 if calculation.spin else 1)
    steps = (1 - log10(calculation.tolerance) / USUAL_DIGITS) / 2
    if calculation.basis == "gaussian":
        work = SECONDS_PER_FUNCTION_POINT + SECONDS_PER_BLOCH_FUNCTION_POINT * states * steps
        return GAUSSIAN_START_SECONDS + work * size.functions * points
    bands = size.electrons / 2 * 1.2 + 4
    work = SECONDS_PER_TRANSFORM_POINT * states * bands * points * log(points)
    return START_SECONDS + work * steps * (META_GGA_FACTOR if _wants_kinetic_density(calculation.xc) else 1.0)


def seconds_in_words(seconds: float) -> str:
    """A duration with as many digits as an estimate deserves, such as ``about 5 s`` or ``about 3 min``."""
    if seconds < 1.5:
        return "about 1 s"
    for unit, length, limit in (("s", 1, 90), ("min", 60, 90 * 60), ("h", 3600, 72 * 3600)):
        if seconds < limit:
            return f"about {_rounded(seconds / length)} {unit}"
    return f"about {_rounded(seconds / 86400)} days"


def _rounded(value: float) -> int:
    """To one digit from 20 on: 7, 18, 40."""
    step = 10 ** int(log10(value)) if value >= 20 else 1
    return round(value / step) * step


def _wants_kinetic_density(expression: str) -> bool:
    """Whether a functional is a meta-GGA, as far as its name or its record tells."""
    try:
        names = [name for _, name in split_sum(expression)]
        records = [checkpoint_of(name) for name in names]
    except MlxcError:
        return False
    own = any(record is not None and "tau" in record.ingredients for record in records)
    return own or any(word in name.lower() for name in names for word in META_GGA_NAMES)
