"""Which crystals may be magnetic, and the moments that their atoms start with. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.vacuum import vacuum_directions
from mlxc.errors import InputError

# Unpaired f electrons of free atoms, or d electrons where no f shell is open, by the ground configurations of
# A. Kramida, Yu. Ralchenko, J. Reader and the NIST ASD Team, NIST Atomic Spectra Database (2024). A crystal that has a
# high-spin and a low-spin state is found in the lower one from above; from below it may end in the other one, or
# without a moment.
_UNPAIRED = {
    1: "Sc Y La Ce Pt Tm Ac",
    2: "Ti Ni Zr Rh Hf Er Th Pa",
    3: "V Co Ru Pr Ta Ir Ho U",
    4: "Fe Nb Nd W Os Dy Np",
    5: "Cr Mn Mo Tc Re Pm Tb",
    6: "Sm Pu",
    7: "Eu Gd Am Cm",
}
HIGH_SPIN = {symbol: float(moment) for moment, symbols in _UNPAIRED.items() for symbol in symbols.split()}
# Elements whose crystals and compounds have moments more often than not.
_OFTEN = "Cr Mn Fe Co Ni Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm U Np Pu Am Cm"
OFTEN_MAGNETIC = frozenset(_OFTEN.split())
# The moments that atoms of other elements start with, Bohr magneton: among magnetic ones, and where there is none.
SMALL, ALONE = 0.5, 1.0
# Smaller moments of atoms are none, Bohr magneton.
NO_MOMENT = 0.1


def starting_moments(crystal: Crystal) -> NDArray[np.float64]:
    """The moments that a self-consistent field starts with, Bohr magneton, shape ``(natom,)``.

    Moments that are given for any atom are those of all; otherwise each element has its own.
    """
    return crystal.moments if crystal.moments.any() else moments_by_element(crystal.species)


def moments_by_element(species: Sequence[str]) -> NDArray[np.float64]:
    """The starting moment of each of some atoms of one crystal where nobody has given any, Bohr magneton."""
    others = SMALL if OFTEN_MAGNETIC.intersection(species) else ALONE
    return np.array([HIGH_SPIN.get(symbol, others) for symbol in species])


def shifted_to(total_moment: float, moments: NDArray[np.float64]) -> NDArray[np.float64]:
    """Moments whose sum is a given one: all that are not zero are changed by as much, so that none is lost.

    Args:
        total_moment: The sum, Bohr magneton.
        moments: The moment of each atom, Bohr magneton, at least one of which is not zero.
    """
    magnetic = moments != 0
    return np.where(magnetic, moments + (total_moment - moments.sum()) / magnetic.sum(), 0.0)


def often_magnetic(species: Sequence[str]) -> list[str]:
    """The elements that are often magnetic, each once."""
    return [symbol for symbol in dict.fromkeys(species) if symbol in OFTEN_MAGNETIC]


def may_be_magnetic(crystal: Crystal) -> bool:
    """Whether a crystal is to be computed with spin where nobody has decided.

    It is if moments are given, if an element is often magnetic, and for free atoms and molecules with an odd number of
    electrons or of a single element, as O2 has two unpaired electrons.
    """
    if crystal.moments.any() or often_magnetic(crystal.species):
        return True
    odd = sum(crystal.atomic_numbers) % 2 == 1
    return len(vacuum_directions(crystal)) == 3 and (odd or len(set(crystal.species)) == 1)


def check_opposite_moments(crystal: Crystal) -> None:
    """Say that the moments of a crystal make no antiferromagnet or ferrimagnet to start from.

    Raises:
        InputError: no moment is given, or all point in one direction.
    """
    if not (crystal.moments.max() > 0 > crystal.moments.min()):
        given = ", ".join(f"{moment:g}" for moment in crystal.moments)
        raise InputError(
            f"moments: {crystal.name} starts with {given}; the energy of a magnetic order needs an atom with a "
            "positive moment and one with a negative one."
        )


def with_parallel_moments(crystal: Crystal) -> Crystal:
    """The same crystal with all starting moments up."""
    return replace(crystal, moments=np.abs(crystal.moments))


def changed_order(signs: Sequence[float], moments: Sequence[float]) -> str | None:
    """What an order has turned into in its self-consistent field; None if it has stayed what it was.

    Args:
        signs: A number for each atom whose sign says whether its moment started up or down; 0 where it has none.
        moments: The moments of the atoms, Bohr magneton.
    """
    asked = np.sign(signs)
    found = np.array(moments)[asked != 0]
    asked = asked[asked != 0]
    if (np.abs(found) < NO_MOMENT).all():
        return "non-magnetic"
    kept = np.where(np.abs(found) < NO_MOMENT, 0, np.sign(found))
    if (kept == asked).all() or (kept == -asked).all():
        return None
    return "ferromagnetic" if (kept == kept[0]).all() else "another order"
