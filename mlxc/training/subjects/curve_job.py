"""The curve of one solid as a job for another process."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from mlxc.frozen.curve import SolidCurve, SolidError, compute_curve
from mlxc.solids.table import Solid


@dataclass(frozen=True)
class CurveJob:
    """What is to be computed.

    Attributes:
        solid: The solid.
        xc: The name of a functional, or a module that is one, which another process can unpickle.
    """

    solid: Solid
    xc: str | nn.Module


@dataclass(frozen=True)
class ComputedCurve:
    """What came of it.

    Attributes:
        name: The name of the solid.
        curve: The curve, or why there is none: a volume does not converge.
    """

    name: str
    curve: SolidCurve | str


def computed_curve(job: CurveJob) -> ComputedCurve:
    """Compute the curve.

    Raises:
        InputError: the solid cannot be computed.
    """
    try:
        return ComputedCurve(job.solid.name, compute_curve(job.solid, job.xc))
    except SolidError as error:
        return ComputedCurve(job.solid.name, str(error))
