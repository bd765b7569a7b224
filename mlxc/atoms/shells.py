"""How the electrons of a free atom fill its shells: candidates for the ground state of a spin-polarised atom.

A candidate fills orbitals of an angular momentum m about an axis together with those of -m, so that no current flows
and the density has the symmetry of a cylinder: one p electron is a p_z orbital, two are p_x and p_y. The spins of an
open shell are as parallel as they can be (Hund). Where an s and a d shell compete, electrons move from one to the other
in further candidates. Which of them is the lowest is a question to the functional.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from mlxc.crystal.elements import atomic_number
from mlxc.errors import InputError

# Electrons in s, p, d and f shells of cores, by their number.
_CORES = {
    0: (0, 0, 0, 0), 2: (2, 0, 0, 0), 10: (4, 6, 0, 0), 18: (6, 12, 0, 0), 28: (6, 12, 10, 0), 36: (8, 18, 10, 0),
    46: (8, 18, 20, 0), 54: (10, 24, 20, 0), 60: (8, 18, 20, 14), 68: (10, 24, 20, 14), 78: (10, 24, 30, 14),
}  # fmt: skip

# The radius of the sphere that an atom is solved in, bohr: the density of the largest one, potassium, is below 1e-7
# there.
RADIUS = 20.0


@dataclass(frozen=True, order=True)
class Channel:
    """Orbitals that an axial, mirror-symmetric potential does not mix with others.

    Attributes:
        spin: 0 or 1.
        m: The absolute value of the angular momentum about the axis.
        parity: 0 for even, 1 for odd angular momenta l.
    """

    spin: int
    m: int
    parity: int

    @property
    def electrons(self) -> int:
        """The electrons in each orbital, that of -m included."""
        return 1 if self.m == 0 else 2


# The number of filled orbitals in each channel.
Filling = dict[Channel, int]


def magnetisation(filling: Filling) -> int:
    """Electrons with spin up less those with spin down."""
    return sum((1 - 2 * channel.spin) * channel.electrons * count for channel, count in filling.items())


def candidate_fillings(symbol: str, charge: int) -> list[Filling]:
    """The ways of filling the valence shells of an atom, the one of the element's textbook configuration first.

    Args:
        symbol: The chemical symbol.
        charge: The number of valence electrons.

    Raises:
        InputError: the core of the pseudopotential is not made of closed shells.
    """
    from pyscf.data.elements import CONFIGURATION

    number = atomic_number(symbol)
    core = _CORES.get(number - charge)
    if core is None:
        raise InputError(f"{symbol}: a core of {number - charge} electrons is not made of closed shells.")
    usual = [total - inner for total, inner in zip(CONFIGURATION[number], core, strict=True)]
    if min(usual) < 0:
        raise InputError(f"{symbol}: {charge} valence electrons are fewer than those of its outer shells.")
    found: list[Filling] = []
    for shells in _transfers(usual):
        found += [one for one in _fillings(shells) if one not in found]
    return found


def _transfers(usual: Sequence[int]) -> Iterator[list[int]]:
    """Electrons by l, and the same with one or two moved between an outer s and an open d shell."""
    yield list(usual)
    if usual[2] == 0:
        return
    # Where a p shell below the d shell belongs to the valence, so does the s shell below, which stays full.
    inner = 2 * (usual[1] // 6)
    for moved in (1, -1, 2):
        s, d = usual[0] - moved, usual[2] + moved
        if inner <= s <= inner + 2 and d <= 10:
            yield [s, usual[1], d, usual[3]]


def _fillings(shells: Sequence[int]) -> Iterator[Filling]:
    choices = []
    for ell, count in enumerate(shells):
        capacity = 2 * ell + 1
        full, rest = divmod(count, 2 * capacity)
        up, down = min(rest, capacity), max(rest - capacity, 0)
        choices.append([(full, more, less) for more in _sets(ell, up) for less in _sets(ell, down)])
    for chosen in product(*choices):
        filling: Counter[Channel] = Counter()
        for ell, (full, *open_shells) in enumerate(chosen):
            for spin, extra in enumerate(open_shells):
                for m in range(ell + 1):
                    filling[Channel(spin, m, ell % 2)] += full + (m in extra)
        yield {channel: count for channel, count in sorted(filling.items()) if count}


def _sets(ell: int, electrons: int) -> list[frozenset[int]]:
    """The sets of |m| that hold so many electrons of one spin."""
    return [
        frozenset(chosen)
        for size in range(ell + 2)
        for chosen in combinations(range(ell + 1), size)
        if sum(1 if m == 0 else 2 for m in chosen) == electrons
    ]
