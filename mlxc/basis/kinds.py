"""All kinds of basis that there are. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlxc.basis.gaussian.kind import GAUSSIAN_ORBITALS
from mlxc.basis.kind import BasisKind
from mlxc.basis.planewave.kind import PLANE_WAVES
from mlxc.crystal.crystal import Crystal

if TYPE_CHECKING:
    from mlxc.basis.protocol import BasisSettings

# By their names in task files; the first is the default.
BASES: dict[str, BasisKind] = {kind.name: kind for kind in (PLANE_WAVES, GAUSSIAN_ORBITALS)}
DEFAULT_BASIS = next(iter(BASES))
# The settings that depend on the kind of basis, of a basis that does not have them.
NOTHING_CHOSEN: dict[str, Any] = {"gaussian_basis": None, "gaussian_basis_names": {}, "cutoff_smoothing_ha": 0.0}


def basis_of(calculation: Mapping[str, Any]) -> BasisSettings:
    """The basis that the settings of a :class:`mlxc.Calculation`, as plain data, name."""
    return BASES[calculation["basis"]].basis_settings(calculation)


def described_basis(basis: BasisSettings, crystal: Crystal) -> dict[str, Any]:
    """The settings of a :class:`mlxc.Calculation` that name a basis, as plain data.

    A setting that only another kind of basis has is None, or empty where it holds names by element. A calculation knows
    no ghost functions: where there are some, they have a key of their own, ``ghosts``.
    """
    own = basis.to_dict()
    kind = _saved_kind(own)
    shape = None if own["fft_grid"] is None else list(own["fft_grid"])
    return NOTHING_CHOSEN | {"basis": kind.name, "fft_grid": shape} | kind.described(own, crystal)


def saved_settings(saved: Mapping[str, Any]) -> BasisSettings:
    """The basis that plain data describe: the fields of its settings, ``fft_grid`` among them."""
    return _saved_kind(saved).from_saved(saved)


def _saved_kind(saved: Mapping[str, Any]) -> BasisKind:
    """The kind of basis that plain data describe; what names no kind are plane waves."""
    return BASES[saved.get("kind", PLANE_WAVES.name)]
