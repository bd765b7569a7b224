"""All kinds of basis that there are. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlxc.basis.gaussian.kind import GAUSSIAN_ORBITALS
from mlxc.basis.kind import BasisKind
from mlxc.basis.planewave.kind import PLANE_WAVES

if TYPE_CHECKING:
    from mlxc.basis.protocol import BasisSettings

# By their names in task files; the first is the default.
BASES: dict[str, BasisKind] = {kind.name: kind for kind in (PLANE_WAVES, GAUSSIAN_ORBITALS)}
DEFAULT_BASIS = next(iter(BASES))


def basis_settings(settings: Mapping[str, Any]) -> BasisSettings:
    """The basis that a calculation names.

    Args:
        settings: those of the calculation as plain data.
    """
    return BASES[settings["basis"]].basis_settings(settings)


def saved_kind(saved: Mapping[str, Any]) -> BasisKind:
    """The kind of basis that plain data describe; what names no kind are plane waves."""
    return BASES[saved.get("kind", PLANE_WAVES.name)]


def saved_settings(saved: Mapping[str, Any]) -> BasisSettings:
    """The basis that plain data describe: the fields of its settings, ``fft_grid`` among them."""
    return saved_kind(saved).from_saved(saved)
