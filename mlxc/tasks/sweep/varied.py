"""The settings that a sweep varies: how their values are written, and which ones are usual."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from mlxc.calculation.calculation import Calculation
from mlxc.structures.default_settings import flat_along_vacuum, mesh_with_spacing, spacing_of_mesh

# Of the calculation's own cutoff.
CUTOFF_FACTORS = (0.5, 0.65, 0.8, 0.9, 1.0, 1.2, 1.5)
# Of the distance between the calculation's own k points.
SPACING_FACTORS = (2.0, 1.5, 1.2, 1.0, 0.8, 0.65, 0.5)
FUNCTIONALS = ("lda", "pbesol", "pbe", "r2scan")


@dataclass(frozen=True)
class Varied:
    """One setting that a sweep varies.

    Attributes:
        name: The word for it in tasks and on the command line.
        title: The word for people.
        setting: The field of the calculation.
        example: A value as a text.
        read: A function that makes the setting of a text.
        label: A function that tells the setting to a person.
        write: A function that makes the text of a setting.
        usual: A function that gives the usual values for a calculation.
        order: A function by which values are sorted, the coarsest first; None if they have no order.
        has_limit: Whether larger values come nearer to a limit, so that one can be called converged.
        is_number: Whether the setting is a single number, which has a place on an axis.
    """

    name: str
    title: str
    setting: str
    example: str
    read: Callable[[str], Any]
    label: Callable[[Any], str]
    write: Callable[[Any], str]
    usual: Callable[[Calculation], Sequence[Any]]
    order: Callable[[Any], float] | None
    has_limit: bool = True
    is_number: bool = False


def read_mesh(text: str) -> tuple[int, ...]:
    """A k mesh from a text such as ``4x4x2``.

    Raises:
        ValueError: the text is no mesh.
    """
    mesh = tuple(int(points) for points in text.lower().replace("×", "x").split("x"))
    if len(mesh) != 3 or min(mesh) < 1:
        raise ValueError(text)
    return mesh


def _cutoffs(calculation: Calculation) -> list[float]:
    return list(dict.fromkeys(float(round(factor * calculation.ecut_ha)) for factor in CUTOFF_FACTORS))


def _meshes(calculation: Calculation) -> list[tuple[int, ...]]:
    crystal = calculation.crystal
    own = spacing_of_mesh(crystal, calculation.kmesh)
    spacings = [factor * own for factor in SPACING_FACTORS]
    meshes = [tuple(flat_along_vacuum(crystal, mesh_with_spacing(crystal, spacing))) for spacing in spacings]
    return list(dict.fromkeys(meshes))


def _functionals(calculation: Calculation) -> list[str]:
    return list(dict.fromkeys([*FUNCTIONALS, calculation.xc]))


CUTOFF = Varied(
    name="cutoff",
    title="cutoff",
    setting="ecut_ha",
    example="20",
    read=float,
    label="{:g} Ha".format,
    write="{:g}".format,
    usual=_cutoffs,
    order=float,
    is_number=True,
)
K_MESH = Varied(
    name="kmesh",
    title="k mesh",
    setting="kmesh",
    example="4x4x4",
    read=read_mesh,
    label=lambda mesh: "×".join(map(str, mesh)),
    write=lambda mesh: "x".join(map(str, mesh)),
    usual=_meshes,
    order=lambda mesh: float(prod(mesh)),
)
FUNCTIONAL = Varied(
    name="functional",
    title="functional",
    setting="xc",
    example="pbe",
    read=str,
    label=str,
    write=str,
    usual=_functionals,
    order=None,
    has_limit=False,
)
VARIED = {varied.name: varied for varied in (CUTOFF, K_MESH, FUNCTIONAL)}
