"""Contracted Gaussian basis sets made for GTH pseudopotentials, as PySCF carries them. Imports no torch."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlxc.errors import InputError
from mlxc.utils.spelling import did_you_mean

DEFAULT_GAUSSIAN_BASIS = "gth-dzvp-molopt-sr"
# Part of the norm of its sharpest function that a grid may miss.
LOST_NORM = 1e-6
# Wave vectors between which that of a grid lies, 1/bohr.
WAVE_VECTORS = (0.1, 200.0)

# In PySCF's form: angular momentum, then for each exponent itself and its coefficient in each contraction.
Shell = tuple[int, NDArray[np.float64], NDArray[np.float64]]


@cache
def gaussian_basis_names() -> tuple[str, ...]:
    """Names of the basis sets that there are, in alphabetical order."""
    from pyscf.gto.basis import GTH_ALIAS

    return tuple(sorted(file.removesuffix(".dat") for file in GTH_ALIAS.values()))


@cache
def shells(symbol: str, name: str) -> tuple[Shell, ...]:
    """The contracted functions of an element.

    Args:
        symbol: The chemical symbol.
        name: The name of the basis set, see :func:`gaussian_basis_names`.

    Returns:
        the angular momentum of each shell, its exponents ``(nprimitive,)``, 1/bohr^2, and the coefficients of its
        normalised primitives ``(ncontraction, nprimitive)``.

    Raises:
        InputError: there is no such basis set, or not for this element.
    """
    if name not in gaussian_basis_names():
        hint = did_you_mean(name, gaussian_basis_names(), similarity=0.5)
        raise InputError(
            f"gaussian_basis: there is no basis set '{name}'{hint}; there are {', '.join(gaussian_basis_names())}."
        )
    found = _in_pyscf(symbol, name)
    if not found:
        names = [other for other in gaussian_basis_names() if has_functions(symbol, other)]
        others = f"it is in {', '.join(names)}" if names else "no basis set has any"
        raise InputError(f"gaussian_basis: {name} has no functions for {symbol}; {others}.")
    tables = [(shell[0], np.array(shell[1:], dtype=float)) for shell in found]
    return tuple((momentum, table[:, 0], table[:, 1:].T) for momentum, table in tables)


def has_functions(symbol: str, name: str) -> bool:
    """Whether a basis set has functions for an element."""
    return bool(_in_pyscf(symbol, name))


def _in_pyscf(symbol: str, name: str) -> list[Any]:
    """The functions in PySCF's form; none where the set has none for the element."""
    from pyscf.gto.basis import load

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a package that has other basis sets
        try:
            found: list[Any] = load(name, symbol)
        except (KeyError, RuntimeError, ValueError):
            return []
    return found


def basis_of_elements(species: Iterable[str], name: str, names: dict[str, str]) -> dict[str, str]:
    """The basis set of each element: ``name``, unless ``names`` has another one for it.

    Raises:
        InputError: ``names`` speaks of an element that is not there.
    """
    elements = list(dict.fromkeys(species))
    for symbol in names:
        if symbol not in elements:
            raise InputError(f"gaussian_basis_names: the structure has no {symbol}; it has {', '.join(elements)}.")
    return {symbol: names.get(symbol, name) for symbol in elements}


def function_count(species: Iterable[str], name: str, names: dict[str, str]) -> int:
    """Functions per cell, all magnetic quantum numbers counted."""
    sets = basis_of_elements(species, name, names)
    counts = {
        symbol: sum((2 * momentum + 1) * len(coefficients) for momentum, _, coefficients in shells(symbol, own))
        for symbol, own in sets.items()
    }
    return sum(counts[symbol] for symbol in species)


def grid_cutoff(species: Iterable[str], name: str, names: dict[str, str]) -> float:
    """Cutoff, hartree, of plane waves that represent each function up to a small part of its norm."""
    sets = basis_of_elements(species, name, names)
    return max(_shell_cutoff(*shell) for symbol, own in sets.items() for shell in shells(symbol, own))


def _shell_cutoff(momentum: int, exponents: NDArray[np.float64], contractions: NDArray[np.float64]) -> float:
    """The cutoff, hartree, of the sharpest contraction of a shell.

    A normalised primitive r^l exp(-a r^2) has the Fourier transform a^(-l/2 - 3/4) q^l exp(-q^2 / 4a), up to a factor
    that all of them share; so the norm beyond q is a sum of incomplete gamma functions.
    """
    # Loaded here, since it takes longer than everything else that describes a calculation.
    from scipy.optimize import brentq
    from scipy.special import gammaincc

    decay = (1 / exponents[:, None] + 1 / exponents) / 4
    order = momentum + 1.5
    cutoffs = []
    for contraction in contractions:
        amplitudes = contraction * exponents ** (-order / 2)
        norms = np.outer(amplitudes, amplitudes) * decay**-order

        def excess(q: float, norms: NDArray[np.float64] = norms) -> float:
            return float((norms * gammaincc(order, decay * q**2)).sum() / norms.sum() - LOST_NORM)

        cutoffs.append(brentq(excess, *WAVE_VECTORS, xtol=1e-3) ** 2 / 2)
    return max(cutoffs)
