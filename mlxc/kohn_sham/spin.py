"""Which settings of spin make a calculation. Imports no torch."""

from __future__ import annotations

from mlxc.errors import InputError


def check_spin(spin: bool, total_moment: float | None, fixed_occupations: bool) -> None:
    """Say what is missing when the settings of spin do not make a calculation.

    Raises:
        InputError: there is a total moment without spin, or spin with fixed occupations and no total moment.
    """
    if total_moment is not None and not spin:
        raise InputError("total_moment: a moment needs a spin-polarised calculation; switch spin on as well.")
    if spin and fixed_occupations and total_moment is None:
        raise InputError("total_moment: with spin and fixed occupations the total moment must be given.")
