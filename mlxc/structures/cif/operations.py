"""The symmetry operations of a space group, or of a magnetic one, as matrices. Imports no torch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlxc.errors import InputError
from mlxc.structures.cif.document import number, shortened

if TYPE_CHECKING:
    import gemmi

# Translations of space groups are multiples of this, and decimals such as 0.333 are rounded ones.
TWENTY_FOURTH = 24
ROUNDED = 0.0015
# How much the metric of a cell may change under its own symmetry, beside the product of two lengths.
SAME_METRIC = 5e-3
# More than any group has, magnetic ones in cells of several primitive ones included.
MOST_OPERATIONS = 2000
# Of a cube, with time reversed and not.
MOST_ROTATIONS = 2 * 48

_TERM = re.compile(r"([+-]?)(?:((?:\d+\.?\d*|\.\d+)(?:/\d+)?)\*?)?([xyz])?")


@dataclass(frozen=True)
class Operations:
    """A group of operations: x becomes R x + t, and a moment m becomes θ det(R) R m.

    Attributes:
        rotations: R in fractional coordinates, shape ``(n, 3, 3)``.
        translations: t in fractional coordinates, shape ``(n, 3)``.
        reversals: θ, -1 where time is reversed, else 1, shape ``(n,)``.
    """

    rotations: NDArray[np.int64]
    translations: NDArray[np.float64]
    reversals: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rotations)

    def same_as(self, other: Operations) -> bool:
        """Whether these are the operations of another group, in whatever order."""
        first, second = self._by_rotation(), other._by_rotation()
        return first.keys() == second.keys() and all(
            len(first[key]) == len(second[key]) and all(_one_of(vector, second[key]) for vector in first[key])
            for key in first
        )

    def _by_rotation(self) -> dict[tuple[int, ...], NDArray[np.float64]]:
        """The translations of each rotation, with time reversed or not, shape ``(n, 3)``."""
        classes: dict[tuple[int, ...], list[NDArray[np.float64]]] = {}
        for rotation, translation, reversal in zip(self.rotations, self.translations, self.reversals, strict=True):
            classes.setdefault(_code(rotation, reversal), []).append(translation)
        return {key: np.array(known) for key, known in classes.items()}

    def keep_metric(self, metric: NDArray[np.float64]) -> bool:
        """Whether lengths and angles with this metric, shape ``(3, 3)``, are the same after every operation."""
        lengths = np.sqrt(np.diag(metric))
        changed = np.transpose(self.rotations, (0, 2, 1)) @ metric @ self.rotations
        return bool(np.abs((changed - metric) / np.outer(lengths, lengths)).max() < SAME_METRIC)

    def keep(self, lattice: NDArray[np.float64]) -> bool:
        """Whether every operation maps a lattice, its vectors in rows, onto itself."""
        return self.keep_metric(lattice @ lattice.T)


def translations_only(vectors: Sequence[Sequence[float]] = ((0, 0, 0),)) -> Operations:
    """The group of the identity alone, or with centring vectors."""
    count = len(vectors)
    return Operations(np.tile(np.eye(3, dtype=np.int64), (count, 1, 1)), np.array(vectors, float), np.ones(count, int))


def from_gemmi(group: gemmi.GroupOps) -> Operations:
    """All operations of a group of gemmi, with its centring vectors."""
    listed = list(group)
    rotations = np.array([operation.rot for operation in listed]) // listed[0].DEN
    translations = np.array([operation.tran for operation in listed]) / listed[0].DEN
    return Operations(rotations, translations % 1, np.ones(len(listed), dtype=np.int64))


def from_texts(texts: Sequence[str | None], what: str) -> Operations:
    """Operations that are written like ``x+1/2,-y,z``, magnetic ones with ``,-1`` behind where time is reversed.

    Args:
        texts: the operations.
        what: their tag in the file, for messages.

    Raises:
        InputError: one is not understood.
    """
    if len(texts) > MOST_OPERATIONS:
        raise InputError(f"The CIF lists {len(texts)} values of {what}, more operations than any group has.")
    parsed = [_parsed(text or "?", what) for text in texts]
    rotations, translations, reversals = (np.array(part) for part in zip(*parsed, strict=True))
    return Operations(rotations, translations % 1, reversals)


def product(first: Operations, second: Operations) -> Operations:
    """Every operation of the first after every one of the second.

    Raises:
        InputError: these are more than any group has.
    """
    if len(first) * len(second) > MOST_OPERATIONS:
        raise InputError(f"The CIF lists {len(first)} times {len(second)} operations, more than any group has.")
    rotations = np.einsum("aij,bjk->abik", first.rotations, second.rotations).reshape(-1, 3, 3)
    moved = np.einsum("aij,bj->abi", first.rotations, second.translations) + first.translations[:, None, :]
    return Operations(rotations, moved.reshape(-1, 3) % 1, np.outer(first.reversals, second.reversals).reshape(-1))


def as_group(operations: Operations, what: str) -> Operations:
    """The operations without repetitions and with the identity.

    Raises:
        InputError: they form no group: the product of two of them is not among them.
    """
    classes: dict[tuple[int, ...], list[NDArray[np.float64]]] = {_code(np.eye(3, dtype=int), 1): [np.zeros(3)]}
    for rotation, translation, reversal in zip(
        operations.rotations, operations.translations, operations.reversals, strict=True
    ):
        known = classes.setdefault(_code(rotation, reversal), [])
        if not known or not _one_of(translation, np.array(known)):
            known.append(translation)
    keys = np.array(list(classes))
    counts = [len(known) for known in classes.values()]
    group = Operations(
        np.repeat(keys[:, :9].reshape(-1, 3, 3), counts, axis=0),
        np.concatenate([np.array(known) for known in classes.values()]),
        np.repeat(keys[:, 9], counts),
    )
    if not _closed(group._by_rotation()):
        raise InputError(
            f"The operations of the CIF in {what} form no group: the product of two of them is missing among them."
        )
    return group


def _code(rotation: NDArray[np.int64], reversal: int) -> tuple[int, ...]:
    return (*(int(value) for value in rotation.ravel()), int(reversal))


def _one_of(vector: NDArray[np.float64], vectors: NDArray[np.float64]) -> bool:
    """Whether a vector is one of several modulo lattice vectors."""
    difference = vectors - vector
    return bool((np.abs(difference - np.round(difference)).max(axis=1) < 2 * ROUNDED).any())


def _closed(classes: dict[tuple[int, ...], NDArray[np.float64]]) -> bool:
    """Whether products stay within a set of operations: translations of each rotation, with time reversed or not."""
    lattice = classes[_code(np.eye(3, dtype=int), 1)]
    if len(classes) > MOST_ROTATIONS or any(len(known) != len(lattice) for known in classes.values()):
        return False
    if not all(_one_of(known[0] + vector, known) for known in classes.values() for vector in lattice):
        return False
    keys, offsets = np.array(list(classes)), np.array([known[0] for known in classes.values()])
    rotations = keys[:, :9].reshape(-1, 3, 3)
    for rotation, offset, reversal in zip(rotations, offsets, keys[:, 9], strict=True):
        products = np.column_stack([(rotation @ rotations).reshape(-1, 9), reversal * keys[:, 9]])
        same = (products[:, None] == keys).all(axis=2)
        if not same.any(axis=1).all():
            return False
        difference = (offset + offsets @ rotation.T - offsets[same.argmax(axis=1)])[:, None] - lattice
        if (np.abs(difference - np.round(difference)).max(axis=2).min(axis=1) > 2 * ROUNDED).any():
            return False
    return True


def _parsed(text: str, what: str) -> tuple[list[list[int]], list[float], int]:
    parts = re.sub(r"\s", "", text.lower()).split(",")
    if len(parts) not in (3, 4):
        raise _not_understood(text, what)
    rows = [_row(part, text, what) for part in parts[:3]]
    reversal = {"1": 1, "+1": 1, "-1": -1}.get(parts[3] if len(parts) == 4 else "1")
    rotation = [row for row, _ in rows]
    if reversal is None or abs(round(float(np.linalg.det(np.array(rotation))))) != 1:
        raise _not_understood(text, what)
    return rotation, [shift for _, shift in rows], reversal


def _row(part: str, text: str, what: str) -> tuple[list[int], float]:
    """The row of R and the component of t that one coordinate such as ``x-y+1/3`` stands for."""
    row, shift, end = [0, 0, 0], 0.0, 0
    while end < len(part):
        match = _TERM.match(part, end)
        if match is None or match.end() == end or not (match[2] or match[3]) or (end > 0 and not match[1]):
            raise _not_understood(text, what)
        value = number(match[2] or "1", what) * (-1 if match[1] == "-" else 1)
        if not match[3]:
            shift += value
        elif value in (1, -1, 2, -2):
            row["xyz".index(match[3])] += int(value)
        else:
            raise _not_understood(text, what)
        end = match.end()
    nearest = round(shift * TWENTY_FOURTH) / TWENTY_FOURTH
    return row, nearest if abs(shift - nearest) < ROUNDED else shift


def _not_understood(text: str, what: str) -> InputError:
    return InputError(f"'{shortened(text)}' in {what} of the CIF is no symmetry operation such as 'x+1/2,-y,z'.")
