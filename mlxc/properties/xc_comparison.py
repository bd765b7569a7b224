"""Where in a crystal a functional's potential differs from that of PBE, at the same density."""

from __future__ import annotations

from torch import Tensor

from mlxc.errors import InputError
from mlxc.kohn_sham.state import GroundState
from mlxc.results.state_file import PBE_XC_POTENTIAL, XC_POTENTIAL
from mlxc.xc.catalogue import functional

REFERENCE = "pbe"


def xc_potentials(ground: GroundState) -> dict[str, Tensor]:
    """v_xc of the state's own functional and of PBE, both at the state's density, for :meth:`SolvedState.save`.

    Of a meta-GGA it is the derivative with respect to the density at a fixed tau.

    Returns:
        both by their names in :mod:`mlxc.results.state_file`, hartree, each of shape ``(nspin, n1, n2, n3)``. Nothing
        for PBE itself, and where one of them is not finite, as far from convergence.
    """
    problem = ground.problem
    if ground.calculation["xc"] == REFERENCE:
        return {}
    try:
        _, own = problem.xc.on_grid(problem.functional, ground.density, ground.kinetic_density)
        _, reference = problem.xc.on_grid(functional(REFERENCE), ground.density, None)
    except InputError:
        return {}
    return {XC_POTENTIAL: own, PBE_XC_POTENTIAL: reference}
