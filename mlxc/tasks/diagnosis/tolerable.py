"""What is tolerable, in whose units errors are counted, and how an error is told. Imports no torch."""

from __future__ import annotations

# Each of these is an error of severity one.
TOLERABLE_SIZE_PERCENT = 0.2
TOLERABLE_ENERGY_MHA = 2.0
TOLERABLE_GAP_EV = 0.1
# What leaves no answer at all is as bad as an error of this severity, and is not told as a number.
NO_ANSWER = 50.0
UNITS_IN_WORDS = (
    f"Tolerable are {TOLERABLE_SIZE_PERCENT:g} % of the lattice constant or, where no two lattice constants could be "
    f"compared, {TOLERABLE_ENERGY_MHA:g} mHa per atom of the energy; of a gap, {TOLERABLE_GAP_EV:g} eV. An error is "
    "that of the given calculation: it is positive where it says too much."
)


def severity_of(size_percent: float | None, energy_mha: float | None) -> float | None:
    """The error of an answer in units of what is tolerable; None if nothing could be compared.

    The lattice constant decides wherever it is known, so that causes are compared by the same quantity: most of an
    error of the energy is the same at all sizes.

    Args:
        size_percent: The error of the lattice constant, in percent; None if it is not known.
        energy_mha: The error of the energy per atom, millihartree, likewise.
    """
    if size_percent is not None:
        return abs(size_percent) / TOLERABLE_SIZE_PERCENT
    return None if energy_mha is None else abs(energy_mha) / TOLERABLE_ENERGY_MHA


def error_in_words(size_percent: float | None, energy_mha: float | None) -> str:
    """The errors that :func:`severity_of` counts, in part of a sentence; empty if nothing could be compared."""
    energy = "" if energy_mha is None else f"{energy_mha:+z.2f} mHa per atom"
    if size_percent is not None:
        return f"the lattice constant is off by {size_percent:+z.2f} %" + (energy and f", the energy by {energy}")
    return energy and f"the energy is off by {energy}"
