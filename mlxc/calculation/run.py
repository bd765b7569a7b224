"""Computes what a calculation describes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from torch import nn

from mlxc.basis.kinds import basis_of
from mlxc.crystal.crystal import Crystal
from mlxc.ground_state import scf
from mlxc.kohn_sham.monitor import Monitor
from mlxc.kohn_sham.occupations import make_smearing
from mlxc.kohn_sham.solved_state import SolvedState
from mlxc.kohn_sham.state import GroundState
from mlxc.response.adjoint import Adjoint
from mlxc.response.choice import AdjointName
from mlxc.terms.selectable import selected_terms


class Described(Protocol):
    """A run as plain data: a :class:`mlxc.Calculation`."""

    def model_dump(self) -> dict[str, Any]:
        """The settings by name."""
        ...


def run_calculation(
    calculation: Described,
    monitor: Monitor | None = None,
    start: SolvedState | Sequence[SolvedState] = (),
    xc: str | nn.Module | None = None,
    *,
    forces: bool = False,
    differentiate: AdjointName | Adjoint | None = None,
) -> GroundState:
    """Compute the ground state that a calculation describes, without checking it first.

    Args:
        calculation: What to compute and how.
        monitor: A function that is called with a record after each SCF step; it may stop the run.
        start: A result to start from, or several, see :func:`mlxc.scf`.
        xc: A functional, by name or as a module, in the place of the one that the calculation names. The state records
            the one that has made it.
        forces: Whether to compute forces and stress as well, see :func:`mlxc.scf`.
        differentiate: The way to gradients of what is not an energy, see :func:`mlxc.scf`; by default there is none.

    Raises:
        InputError: what was asked cannot be computed.
        RunStoppedError: the monitor stopped the run.
    """
    settings = calculation.model_dump()
    first, second, third = settings["kmesh"]
    return scf(
        Crystal.from_dict(settings["structure"]),
        xc=settings["xc"] if xc is None else xc,
        basis=basis_of(settings),
        kmesh=(first, second, third),
        smearing=make_smearing(settings["smearing"], settings["width_ha"]),
        spin=settings["spin"],
        total_moment=settings["total_moment"],
        pseudo=settings["pseudo"],
        pseudo_names=settings["pseudo_names"],
        tolerance=settings["tolerance"],
        max_iterations=settings["max_iterations"],
        device=settings["device"],
        seed=settings["seed"],
        monitor=monitor,
        start=start,
        terms=selected_terms(settings.get("terms", {})),
        forces=forces,
        differentiate=differentiate,
    )
