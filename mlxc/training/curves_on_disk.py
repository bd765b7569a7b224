"""Curves that have been computed are kept, so that a run that is killed goes on where it was."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterable
from pathlib import Path

from torch import nn

from mlxc.errors import InputError
from mlxc.training.curve import CurveError, SolidCurve, compute_curve
from mlxc.training.solids import Solid


def curves_of(solids: Iterable[Solid], xc: str | nn.Module, folder: Path) -> tuple[list[SolidCurve], list[str]]:
    """The curve of each solid, from the folder where it is there; and the solids that could not be computed.

    Args:
        solids: to compute.
        xc: name of a functional, or a module that is one.
        folder: for the curves of this functional.

    Raises:
        InputError: none of the solids could be computed.
    """
    curves, failed = [], []
    for solid in solids:
        place = folder / _key(solid)
        curve = SolidCurve.load(solid, place)
        try:
            if curve is None:
                curve = compute_curve(solid, xc)
                curve.save(place)
        except CurveError as error:
            warnings.warn(f"{error} {solid.name} is left out.", stacklevel=2)
            failed.append(solid.name)
        else:
            curves.append(curve)
    if failed and not curves:
        raise InputError(f"None of the solids converged: {', '.join(failed)}.")
    return curves, failed


def _key(solid: Solid) -> str:
    """A name for what is computed: another crystal or other settings make another one."""
    described = json.dumps([solid.crystal.to_dict(), solid.settings], sort_keys=True)
    return f"{solid.name}-{hashlib.sha256(described.encode()).hexdigest()[:8]}"
