"""Where in a crystal a functional's potential differs from that of PBE, at the same density."""

from __future__ import annotations

from torch import Tensor

from mlxc.errors import InputError
from mlxc.kohn_sham.state import GroundState
from mlxc.xc.catalogue import functional

REFERENCE = "pbe"


def xc_potentials(ground: GroundState) -> dict[str, Tensor]:
    """v_xc of the state's own functional and of PBE, both at the state's density, for :meth:`GroundState.save`.

    Of a meta-GGA it is the derivative with respect to the density at a fixed tau.

    Returns:
        ``xc_potential_ha`` and ``pbe_xc_potential_ha``, hartree, each of shape ``(nspin, n1, n2, n3)``. Nothing for PBE
        itself, for a state read from a file, and where one of them is not finite, as far from convergence.
    """
    problem = ground.problem
    if problem is None or ground.calculation.get("xc") == REFERENCE:
        return {}
    try:
        _, own = problem.xc.on_grid(problem.functional, ground.density, ground.kinetic_density)
        _, reference = problem.xc.on_grid(functional(REFERENCE), ground.density, None)
    except InputError:
        return {}
    return {"xc_potential_ha": own, "pbe_xc_potential_ha": reference}
