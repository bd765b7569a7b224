"""What a table says of a solid that a functional can be judged by."""

from __future__ import annotations

from mlxc.crystal.resizing import natural_variation
from mlxc.crystal.symmetry import cells_per_cube
from mlxc.observables.catalogue import TARGETS
from mlxc.properties.birch_murnaghan import BirchMurnaghan
from mlxc.solids.table import Solid
from mlxc.units import EV_PER_ANG3_GPA


def is_known(solid: Solid, quantity: str) -> bool:
    """Whether there is something to compare a prediction of one of :data:`~mlxc.observables.catalogue.TARGETS` with."""
    source = TARGETS[quantity].source
    if (source == "curve" and solid.rigid) or (source == "difference" and not solid.relative_to):
        return False
    if quantity == "energy_curve_mev":
        return bool(solid.teacher) or reference_curve(solid) is not None
    if quantity in ("density_percent", "forces_ha_bohr"):
        return solid.density is not None
    return quantity in solid.references


def reference_curve(solid: Solid) -> BirchMurnaghan | None:
    """E(V) of a cell from the volume, modulus and its derivative in the table, up to a constant, electronvolt.

    None where one of them is missing; the lattice constant of a cubic solid will do for the volume, in cubic angstrom.
    None for a sheet, which has no bulk modulus.
    """
    if natural_variation(solid.crystal) == "area":
        return None
    known, cells = solid.references, cells_per_cube(solid.crystal)
    volume = known.get("volume_ang3")
    if volume is None and cells is not None and "lattice_constant_ang" in known:
        volume = known["lattice_constant_ang"] ** 3 / cells
    if volume is None or "bulk_modulus_gpa" not in known or "bulk_modulus_derivative" not in known:
        return None
    return BirchMurnaghan(0.0, volume, known["bulk_modulus_gpa"] / EV_PER_ANG3_GPA, known["bulk_modulus_derivative"])
