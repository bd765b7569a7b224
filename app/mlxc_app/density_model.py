"""The valence density of a finished run, cut along a plane through the crystal."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from traitlets import Float, HasTraits, Instance, Unicode, observe

from mlxc.units import BOHR_ANG
from mlxc_app.run_model import RunModel

WINDOW_ANG = 8.0
SAMPLES = 121
# Atoms whose nuclei are this close to the plane are drawn.
IN_PLANE_ANG = 0.4
DIAGONAL = 0.5**0.5

# Cartesian unit vectors to the right and upwards; the two axes' names.
PLANES: dict[str, tuple[tuple[float, float, float], tuple[float, float, float], str, str]] = {
    "x-y (horizontal)": ((1, 0, 0), (0, 1, 0), "x", "y"),
    "x-z": ((1, 0, 0), (0, 0, 1), "x", "z"),
    "y-z": ((0, 1, 0), (0, 0, 1), "y", "z"),
    "xy diagonal-z": ((DIAGONAL, DIAGONAL, 0), (0, 0, 1), "along the diagonal of x and y", "z"),
}


@dataclass(frozen=True, eq=False)
class CrystalDensity:
    """A density with the crystal it belongs to, in angstrom.

    Attributes:
        lattice: rows are the lattice vectors, angstrom.
        species: chemical symbols.
        positions: fractional coordinates, ``(natom, 3)``.
        density: spins added, ``(n1, n2, n3)``, electrons per cubic angstrom.
    """

    lattice: NDArray[np.float64]
    species: tuple[str, ...]
    positions: NDArray[np.float64]
    density: NDArray[np.float64]

    @classmethod
    def read(cls, path: Path) -> CrystalDensity:
        """Read what a run has saved."""
        import h5py

        with h5py.File(path) as file:
            return cls(
                lattice=file["lattice_bohr"][()] * BOHR_ANG,
                species=tuple(file["species"].asstr()[()]),
                positions=file["fractional_positions"][()],
                density=file["density"][()].sum(axis=0) / BOHR_ANG**3,
            )


@dataclass(frozen=True, eq=False)
class DensitySlice:
    """A square cut through the crystal, centred above its first atom.

    Attributes:
        right, up: coordinates of the columns and rows, angstrom.
        right_name, up_name: names of the two directions.
        density: ``(len(up), len(right))``, electrons per cubic angstrom.
        atoms: (right, up, symbol) of the atoms in the plane.
    """

    right: NDArray[np.float64]
    up: NDArray[np.float64]
    right_name: str
    up_name: str
    density: NDArray[np.float64]
    atoms: tuple[tuple[float, float, str], ...]


def cut(crystal: CrystalDensity, plane: str, height_ang: float) -> DensitySlice:
    """Cut along one of ``PLANES``, ``height_ang`` away from the crystal's first atom."""
    from scipy.ndimage import map_coordinates  # half a second to load, and only needed once there is a density

    right, up, right_name, up_name = PLANES[plane]
    axes = np.array([right, up, np.cross(right, up)])
    centre = crystal.positions[0] @ crystal.lattice
    steps = np.linspace(-WINDOW_ANG / 2, WINDOW_ANG / 2, SAMPLES, dtype=np.float64)
    x, y = np.meshgrid(steps, steps)
    points = centre + np.stack([x, y, np.full_like(x, height_ang)], axis=-1) @ axes
    grid = (points @ np.linalg.inv(crystal.lattice)) * crystal.density.shape
    values = map_coordinates(crystal.density, np.moveaxis(grid, -1, 0), order=3, mode="grid-wrap")
    return DensitySlice(steps, steps, right_name, up_name, values, _atoms_near(crystal, axes, centre, height_ang))


def _atoms_near(
    crystal: CrystalDensity, axes: NDArray[np.float64], centre: NDArray[np.float64], height_ang: float
) -> tuple[tuple[float, float, str], ...]:
    spacings = 1 / np.linalg.norm(np.linalg.inv(crystal.lattice), axis=0)
    repeats = [np.arange(-n, n + 1) for n in np.ceil(WINDOW_ANG / spacings).astype(int) + 1]
    shifts = np.stack(np.meshgrid(*repeats, indexing="ij"), axis=-1).reshape(-1, 3)
    found = []
    for symbol, position in zip(crystal.species, crystal.positions, strict=True):
        local = ((position + shifts) @ crystal.lattice - centre) @ axes.T - [0, 0, height_ang]
        inside = (np.abs(local[:, :2]) <= WINDOW_ANG / 2 + 1e-6).all(axis=1) & (np.abs(local[:, 2]) <= IN_PLANE_ANG)
        found += [(float(x), float(y), symbol) for x, y, _ in local[inside]]
    return tuple(found)


class DensityModel(HasTraits):
    """Loads the density when a run has ended, and cuts it as asked.

    Attributes:
        plane: a key of ``PLANES``.
        height_ang: distance of the plane from the first atom.
        title: which run the density belongs to.
        slice: the cut; None as long as there is no density.
    """

    plane = Unicode(next(iter(PLANES)))
    height_ang = Float(0.0)
    title = Unicode()
    slice = Instance(DensitySlice, allow_none=True)

    def __init__(self, run: RunModel) -> None:
        super().__init__()
        self._run = run
        self._crystal: CrystalDensity | None = None
        self._follow()
        run.observe(self._follow, "state")

    def _follow(self, change: Any = None) -> None:
        folder = self._run.folder
        has_density = folder is not None and not self._run.active and folder.ground_state_path.exists()
        self._crystal = CrystalDensity.read(folder.ground_state_path) if folder and has_density else None
        self.title = self._run.title if has_density else ""
        self._cut()

    @observe("plane", "height_ang")
    def _cut(self, change: Any = None) -> None:
        self.slice = cut(self._crystal, self.plane, self.height_ang) if self._crystal else None
