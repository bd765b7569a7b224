"""The lattice vectors that Quantum ESPRESSO makes of ``ibrav`` and ``celldm``. Imports no torch.

The definitions are those of https://www.quantum-espresso.org/Doc/INPUT_PW.html, under ``ibrav``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from mlxc.errors import InputError

Rows = list[list[float]]


def lattice_of(ibrav: int, celldm: Sequence[float]) -> NDArray[np.float64]:
    """The lattice vectors as rows, in the unit of the first length.

    Args:
        ibrav: The number of the Bravais lattice, not 0.
        celldm: The six parameters: a, b/a, c/a and cosines of angles. Those that the lattice does not have are 0.

    Raises:
        InputError: there is no such lattice, or a parameter is missing or impossible.
    """
    if ibrav not in _LATTICES:
        known = ", ".join(str(number) for number in _LATTICES)
        raise InputError(f"ibrav: {ibrav} is no Bravais lattice; there are 0, {known}.")
    needed, unit_vectors = _LATTICES[ibrav]
    if celldm[0] <= 0:
        raise InputError(f"celldm(1): the lattice constant is {celldm[0]:g}, and it must be given and positive.")
    for index in needed:
        _check(ibrav, index, celldm[index - 1])
    with np.errstate(invalid="ignore"):
        vectors = celldm[0] * np.array(unit_vectors(*celldm[1:]))
    if not np.isfinite(vectors).all():
        raise InputError(f"celldm: there is no cell with the angles of ibrav {ibrav}.")
    return vectors


def _check(ibrav: int, index: int, value: float) -> None:
    if index <= 3 and value <= 0:
        raise InputError(
            f"celldm({index}): ibrav {ibrav} needs the ratio {'b/a' if index == 2 else 'c/a'}, not {value:g}."
        )
    lowest = -0.5 if abs(ibrav) == 5 else -1.0
    if index > 3 and not lowest < value < 1:
        raise InputError(f"celldm({index}): the cosine {value:g} must lie between {lowest:g} and 1 for ibrav {ibrav}.")


def _sine(cosine: float) -> float:
    return sqrt(1 - cosine**2)


def _rhombohedral(cosine: float) -> Rows:
    across, along = sqrt((1 - cosine) / 6), sqrt((1 + 2 * cosine) / 3)
    return [[sqrt(3) * across, -across, along], [0, 2 * across, along], [-sqrt(3) * across, -across, along]]


def _rhombohedral_along_111(cosine: float) -> Rows:
    across, along = sqrt((1 - cosine) / 6), sqrt((1 + 2 * cosine) / 3)
    own, other = (along - 2 * sqrt(2) * across) / sqrt(3), (along + sqrt(2) * across) / sqrt(3)
    return [[own, other, other], [other, own, other], [other, other, own]]


def _triclinic(b: float, c: float, alpha: float, beta: float, gamma: float) -> Rows:
    """The arguments are two ratios and the cosines of three angles."""
    sine = _sine(gamma)
    height = np.sqrt(1 + 2 * alpha * beta * gamma - alpha**2 - beta**2 - gamma**2)
    return [[1, 0, 0], [b * gamma, b * sine, 0], [c * beta, c * (alpha - beta * gamma) / sine, c * height / sine]]


# The parameters that a lattice needs beside the first, and its vectors in units of a as a function of all the others:
# b/a and c/a, and the cosines of alpha (or of the one angle there is), beta and gamma.
_LATTICES: dict[int, tuple[tuple[int, ...], Callable[[float, float, float, float, float], Rows]]] = {
    1: ((), lambda b, c, p, q, r: [[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
    2: ((), lambda b, c, p, q, r: [[-0.5, 0, 0.5], [0, 0.5, 0.5], [-0.5, 0.5, 0]]),
    3: ((), lambda b, c, p, q, r: [[0.5, 0.5, 0.5], [-0.5, 0.5, 0.5], [-0.5, -0.5, 0.5]]),
    -3: ((), lambda b, c, p, q, r: [[-0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.5, 0.5, -0.5]]),
    4: ((3,), lambda b, c, p, q, r: [[1, 0, 0], [-0.5, sqrt(3) / 2, 0], [0, 0, c]]),
    5: ((4,), lambda b, c, p, q, r: _rhombohedral(p)),
    -5: ((4,), lambda b, c, p, q, r: _rhombohedral_along_111(p)),
    6: ((3,), lambda b, c, p, q, r: [[1, 0, 0], [0, 1, 0], [0, 0, c]]),
    7: ((3,), lambda b, c, p, q, r: [[0.5, -0.5, c / 2], [0.5, 0.5, c / 2], [-0.5, -0.5, c / 2]]),
    8: ((2, 3), lambda b, c, p, q, r: [[1, 0, 0], [0, b, 0], [0, 0, c]]),
    9: ((2, 3), lambda b, c, p, q, r: [[0.5, b / 2, 0], [-0.5, b / 2, 0], [0, 0, c]]),
    -9: ((2, 3), lambda b, c, p, q, r: [[0.5, -b / 2, 0], [0.5, b / 2, 0], [0, 0, c]]),
    91: ((2, 3), lambda b, c, p, q, r: [[1, 0, 0], [0, b / 2, -c / 2], [0, b / 2, c / 2]]),
    10: ((2, 3), lambda b, c, p, q, r: [[0.5, 0, c / 2], [0.5, b / 2, 0], [0, b / 2, c / 2]]),
    11: ((2, 3), lambda b, c, p, q, r: [[0.5, b / 2, c / 2], [-0.5, b / 2, c / 2], [-0.5, -b / 2, c / 2]]),
    12: ((2, 3, 4), lambda b, c, p, q, r: [[1, 0, 0], [b * p, b * _sine(p), 0], [0, 0, c]]),
    -12: ((2, 3, 5), lambda b, c, p, q, r: [[1, 0, 0], [0, b, 0], [c * q, 0, c * _sine(q)]]),
    13: ((2, 3, 4), lambda b, c, p, q, r: [[0.5, 0, -c / 2], [b * p, b * _sine(p), 0], [0.5, 0, c / 2]]),
    -13: ((2, 3, 5), lambda b, c, p, q, r: [[0.5, b / 2, 0], [-0.5, b / 2, 0], [c * q, 0, c * _sine(q)]]),
    14: ((2, 3, 4, 5, 6), lambda b, c, p, q, r: _triclinic(b, c, p, q, r)),
}  # fmt: skip
