"""Free atoms as snapshots, beside which solids have cohesive energies."""

from __future__ import annotations

from typing import Any

from torch import nn

from mlxc.atoms.free_atom import COARSE, ELLS, FINE, free_atom
from mlxc.atoms.shells import RADIUS
from mlxc.calculation.calculation import Calculation
from mlxc.frozen.snapshot import Snapshot
from mlxc.pseudo.library import find_pseudopotentials
from mlxc.pseudo.make import make_pseudopotential
from mlxc.solids.table import Solid
from mlxc.units import BOHR_ANG
from mlxc.xc.catalogue import functional
from mlxc.xc.identity import identity_of


def snapshot_of_atom(solid: Solid, calculation: Calculation, xc: str | nn.Module) -> Snapshot:
    """The densities and the energy of a free atom, with the cutoff and the pseudopotential of a calculation.

    Args:
        solid: The atom.
        calculation: How a crystal of it would be computed.
        xc: The name of a functional, or a module that is one.

    Raises:
        InputError: the element has no pseudopotential, or the functional is not known.
        MlxcError: the atom does not converge.
    """
    module = functional(xc) if isinstance(xc, str) else xc
    name = xc if isinstance(xc, str) else calculation.xc
    (symbol,) = solid.crystal.species
    data = find_pseudopotentials((symbol,), calculation.pseudo, name, calculation.pseudo_names)[symbol]
    atom = free_atom(make_pseudopotential(data), module, calculation.ecut_ha, calculation.cutoff_smoothing_ha)
    volume = solid.crystal.volume * BOHR_ANG**3
    return Snapshot(volume, atom.energy_ha - atom.energies["xc"], atom.ingredients, atom.volumes, identity_of(module))


def free_atom_protocol() -> list[Any]:
    """What the densities of a free atom depend on besides the solid and the functional, as plain data."""
    return [RADIUS, ELLS, FINE, COARSE]
