"""What a sweep comes to, and from which value on it has converged. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from mlxc.tasks.sweep.task import SweepTask
from mlxc.units import HARTREE_EV

if TYPE_CHECKING:
    from mlxc.kohn_sham.state import GroundState

HARTREE_MEV = 1000 * HARTREE_EV
PERCENT = 100


@dataclass(frozen=True)
class SweepPoint:
    """What one value came to.

    Attributes:
        value: The value as a text of the task.
        label: The value as a person reads it.
        free_energy_per_atom_ha: F per atom at the given volume, hartree.
        lattice_constant_ang: The lattice constant of the equation of state, angstrom; None if there is none.
        size_ang: What the equation of state says of the size of any crystal: the cube root of the volume per atom, or
            of a sheet the square root of its area per atom, angstrom; None without an equation of state.
        bulk_modulus_gpa: The bulk modulus, GPa; None if there is none.
        iterations: The SCF steps at the given volume.
        converged: Whether all self-consistent calculations of this value have converged, and its curve has a minimum.
        message: One sentence when they have not.
        seconds: The time of this value.
    """

    value: str
    label: str
    free_energy_per_atom_ha: float
    lattice_constant_ang: float | None
    size_ang: float | None
    bulk_modulus_gpa: float | None
    iterations: int
    converged: bool
    message: str
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


@dataclass(frozen=True)
class SweepResult:
    """All values of a sweep.

    Attributes:
        task: What was asked.
        points: The values, in the order of the task.
        state: The state of the last value at the given volume.
    """

    task: SweepTask
    points: Sequence[SweepPoint]
    state: GroundState

    @property
    def converged(self) -> bool:
        """Whether the calculations of all values have converged."""
        return not self.message

    @property
    def message(self) -> str:
        """One sentence that names the values whose calculations have not converged; empty if all have."""
        left = [point.label for point in self.points if not point.converged]
        return f"{len(left)} of {len(self.points)} values did not converge: {', '.join(left)}." if left else ""

    def summary(self) -> dict[str, Any]:
        """The result as plain data, the JSON object of the command line; what is not computed is None.

        ``points`` are as in :class:`SweepPoint`, with ``difference_mev`` per atom and ``size_difference_percent`` from
        the last one; ``energy_converged_from`` and ``size_converged_from`` are values, see :func:`converged_from`.
        """
        energies, sizes = differences(self.points)
        rows = [
            point.to_dict() | {"difference_mev": energy, "size_difference_percent": size}
            for point, energy, size in zip(self.points, energies, sizes, strict=True)
        ]
        return {
            "converged": self.converged,
            "message": self.message,
            "vary": self.task.vary,
            "points": rows,
            "energy_tolerance_mev": self.task.energy_tolerance_mev,
            "size_tolerance_percent": self.task.size_tolerance_percent,
            "energy_converged_from": self._converged_from(energies, self.task.energy_tolerance_mev),
            "size_converged_from": self._converged_from(sizes, self.task.size_tolerance_percent),
            "seconds": sum(point.seconds for point in self.points),
            "calculation": self.task.calculation.model_dump(mode="json"),
        }

    def _converged_from(self, distances: Sequence[float | None], tolerance: float) -> str | None:
        index = converged_from(distances, tolerance) if self.task.varied.has_limit else None
        return None if index is None else self.points[index].value


def differences(points: Sequence[SweepPoint]) -> tuple[list[float], list[float | None]]:
    """How far each energy is from the last one, meV per atom, and each size, per cent; None where one is missing."""
    last = points[-1]
    energies = [(point.free_energy_per_atom_ha - last.free_energy_per_atom_ha) * HARTREE_MEV for point in points]
    sizes = [
        None if point.size_ang is None or last.size_ang is None else PERCENT * (point.size_ang / last.size_ang - 1)
        for point in points
    ]
    return energies, sizes


def converged_from(distances: Sequence[float | None], tolerance: float) -> int | None:
    """The index of the first value from which on nothing changes by more than ``tolerance``.

    None if only the last value is left, which nothing vouches for.

    Args:
        distances: How far each value is from the last one; None where it is unknown.
        tolerance: The largest distance between any two of the values that count.
    """
    first = len(distances)
    low, high = 0.0, 0.0
    for index in reversed(range(len(distances))):
        distance = distances[index]
        if distance is None:
            break
        low, high = min(low, distance), max(high, distance)
        if high - low > tolerance:
            break
        first = index
    return first if first < len(distances) - 1 else None
