"""Which settings of spin make a calculation. Imports no torch."""

from __future__ import annotations

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.magnetism import may_be_magnetic
from mlxc.errors import InputError


def usual_spin(crystal: Crystal, total_moment: float | None, fixed_occupations: bool) -> bool:
    """Whether up and down electrons are told apart where nobody has decided.

    They are where a total moment is given. With fixed occupations they are only then: the moment must be known.

    Args:
        crystal: The crystal.
        total_moment: The total moment to hold, Bohr magneton; None where none is given.
        fixed_occupations: Whether there is no smearing.
    """
    if total_moment is not None or fixed_occupations:
        return total_moment is not None
    return may_be_magnetic(crystal)


def check_spin(spin: bool, total_moment: float | None, fixed_occupations: bool) -> None:
    """Say what is missing when the settings of spin do not make a calculation.

    Raises:
        InputError: there is a total moment without spin, or spin with fixed occupations and no total moment.
    """
    if total_moment is not None and not spin:
        raise InputError("total_moment: a moment needs a spin-polarised calculation; switch spin on as well.")
    if spin and fixed_occupations and total_moment is None:
        raise InputError("total_moment: with spin and fixed occupations the total moment must be given.")


def check_filling(nelectrons: float, total_moment: float | None, fixed_occupations: bool) -> None:
    """Say why electrons cannot fill the states of a cell in the way that was asked for.

    Args:
        nelectrons: The number of valence electrons per cell.
        total_moment: The total moment to hold, Bohr magneton; None where it is free, or without spin.
        fixed_occupations: Whether there is no smearing.

    Raises:
        InputError: the moment is larger than the number of electrons, or does not leave whole electrons in each spin,
            or the electrons cannot be paired.
    """
    moment = total_moment or 0.0
    if abs(moment) > nelectrons:
        raise InputError(
            f"total_moment: {moment:g} is more than the {nelectrons:g} valence electrons of the cell allow."
        )
    if not fixed_occupations or _is_even(nelectrons - moment):
        return
    if total_moment is None:
        raise InputError(
            f"smearing: {nelectrons:g} electrons per cell cannot fill bands in pairs; "
            "choose a smearing such as fermi-dirac, or spin with a total moment."
        )
    parity = "even" if _is_even(nelectrons) else "odd"
    raise InputError(
        f"total_moment: {nelectrons:g} electrons per cell and a moment of {moment:g} leave no whole number of "
        f"electrons in each spin; with fixed occupations give an {parity} moment, or choose a smearing."
    )


def _is_even(number: float) -> bool:
    return abs(number / 2 - round(number / 2)) < 1e-9
