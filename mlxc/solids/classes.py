"""Kinds of solids by their bonds, since functionals err alike within a kind. Imports no torch.

The kinds are those of tables in the literature, F. Tran, J. Stelzl, P. Blaha, J. Chem. Phys. 144, 204120 (2016) for
instance.
"""

from __future__ import annotations

from collections.abc import Callable

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.elements import NONMETALS
from mlxc.crystal.resizing import natural_variation

ALKALI = frozenset(("Li", "Na", "K", "Rb", "Cs"))
ALKALINE_EARTH = frozenset(("Be", "Mg", "Ca", "Sr", "Ba"))
# Between groups 2 and 13, with their neighbours La and Lu.
TRANSITION = frozenset(
    ("Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Y", "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag",
     "Cd", "La", "Lu", "Hf", "Ta", "W", "Re", "Os", "Ir", "Pt", "Au", "Hg")
)  # fmt: skip
HALOGENS_AND_CHALCOGENS = frozenset(("O", "F", "S", "Cl", "Se", "Br", "Te", "I"))

# The first kind that fits is that of a solid.
_KINDS: tuple[tuple[str, Callable[[Crystal, frozenset[str]], bool]], ...] = (
    ("sheet", lambda crystal, elements: natural_variation(crystal) == "area"),
    ("alkali metal", lambda crystal, elements: elements <= ALKALI),
    ("alkaline earth", lambda crystal, elements: elements <= ALKALINE_EARTH),
    ("transition metal", lambda crystal, elements: not elements & NONMETALS and bool(elements & TRANSITION)),
    ("sp metal", lambda crystal, elements: not elements & NONMETALS),
    ("ionic", lambda crystal, elements: bool(elements & HALOGENS_AND_CHALCOGENS and elements - NONMETALS)),
    ("carbide, nitride", lambda crystal, elements: bool(elements & TRANSITION)),
    ("semiconductor", lambda crystal, elements: True),
)
# All kinds, in the order in which tables have them.
CLASSES = tuple(name for name, _ in _KINDS)


def class_of(crystal: Crystal) -> str:
    """The kind of a solid, one of :data:`CLASSES`: a semiconductor where nothing else fits, insulators included."""
    elements = frozenset(crystal.species)
    return next(name for name, fits in _KINDS if fits(crystal, elements))
