"""Under which name reference tables have a crystal, whatever its own name is. Imports no torch."""

from __future__ import annotations

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.symmetry import space_group_type
from mlxc.references.tables import ReferenceLine, measured_solids, reference_lines
from mlxc.structures.shipped import shipped_names

# By the number of the space group and the elements of the primitive cell, where these leave no choice of positions.
_OF_ELEMENTS = {(225, 1): "fcc", (229, 1): "bcc", (227, 2): "diamond"}
_OF_COMPOUNDS = {225: "b1", 221: "b2", 216: "b3"}


def solid_name(crystal: Crystal) -> str | None:
    """The name by which tables of solids have a cubic crystal, such as ``Al_fcc`` or ``NaCl_b1``; None for others.

    It is found from the elements and the symmetry, in whichever cell the crystal is described; moments do not count.
    """
    primitive = Crystal(crystal.lattice, crystal.species, crystal.positions).primitive()
    group, elements = space_group_type(primitive), sorted(set(primitive.species))
    if group is None:
        return None
    if len(elements) == 1:
        structure = _OF_ELEMENTS.get((group[1], len(primitive.species)))
        return structure and f"{elements[0]}_{structure}"
    if len(primitive.species) != 2 or group[1] not in _OF_COMPOUNDS:
        return None
    # Tables name the metal first.
    names = [f"{formula}_{_OF_COMPOUNDS[group[1]]}" for formula in ("".join(elements), "".join(elements[::-1]))]
    return next((name for name in names if name in measured_solids()), names[0])


def references_of(crystal: Crystal) -> list[ReferenceLine]:
    """What is known of a crystal, see :func:`~mlxc.references.tables.reference_lines`: of a shipped one by its name, of
    others by what they are.
    """
    name = crystal.name if crystal.name in shipped_names() else solid_name(crystal)
    return [] if name is None else reference_lines(name)
