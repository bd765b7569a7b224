"""How long a calculation will take, before it is run, in seconds and in words. Imports no torch.

Each kind of basis knows the work of an SCF, see :meth:`mlxc.basis.kind.BasisKind.seconds`. Times of other machines
differ, and so do those of crystals that need more steps: what is estimated here is right within a factor of two or
three.
"""

from __future__ import annotations

from math import log10

from mlxc.basis.kind import Size
from mlxc.calculation.settings import CalculationSettings
from mlxc.errors import MlxcError
from mlxc.xc.checkpoints.files import checkpoint_of
from mlxc.xc.sums.expression import split_sum

# Half of the steps of an SCF serve the digits that are asked for, this many by default.
USUAL_DIGITS = 6.0
META_GGA_NAMES = ("scan", "mgga", "tpss", "m06", "ms2", "b97m")
# Seven volumes, each of which starts from those before.
SCFS_PER_EQUATION_OF_STATE = 3.0


def estimate_seconds(calculation: CalculationSettings, size: Size) -> float:
    """Seconds of one SCF on two cores in a process that is warm.

    Args:
        calculation: What is to be computed.
        size: The size of the calculation, see :func:`mlxc.calculation.feasibility.check_calculation`.
    """
    steps = (1 - log10(calculation.tolerance) / USUAL_DIGITS) / 2
    meta_gga = _wants_kinetic_density(calculation.xc)
    return calculation.basis_kind.seconds(size, 2 if calculation.spin else 1, steps, meta_gga)


def seconds_in_words(seconds: float) -> str:
    """A duration with as many digits as an estimate deserves, such as ``about 5 s`` or ``about 3 min``."""
    if seconds < 1.5:
        return "about 1 s"
    for unit, length, limit in (("s", 1, 90), ("min", 60, 90 * 60), ("h", 3600, 72 * 3600)):
        if seconds < limit:
            return f"about {_rounded(seconds / length)} {unit}"
    return f"about {_rounded(seconds / 86400)} days"


def memory_in_words(memory_gb: float) -> str:
    """An amount of memory with as many digits as an estimate deserves, such as ``0.3 GB``."""
    return f"{memory_gb:.1f} GB" if memory_gb >= 0.1 else "less than 0.1 GB"


def _rounded(value: float) -> int:
    """A number rounded to one digit from 20 on: 7, 18, 40."""
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
