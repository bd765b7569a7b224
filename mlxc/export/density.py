"""The density of a run as volumetric data that other programs draw: Gaussian cube files and XCrySDen's XSF.

Both hold electrons/bohr^3 on the grid of the calculation. Read without torch.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.crystal import Crystal
from mlxc.results.state_file import StateFile


@dataclass(frozen=True)
class SavedDensity:
    """What the HDF5 file of a run says of the density.

    Attributes:
        crystal: The crystal whose density it is.
        values: The density, shape ``(nspin, n1, n2, n3)``, electrons/bohr^3.
    """

    crystal: Crystal
    values: NDArray[np.float64]

    @classmethod
    def read(cls, path: Path) -> SavedDensity | None:
        """Read the density from the HDF5 file of a run; None where there is no such file, or no density in it.

        Raises:
            InputError: the file is damaged.
        """
        if not path.exists():
            return None
        with StateFile(path) as file:
            return cls(file.crystal, file.density) if file.has_density else None

    @property
    def total(self) -> NDArray[np.float64]:
        """The density of both spins together, shape ``(n1, n2, n3)``."""
        total: NDArray[np.float64] = self.values.sum(axis=0)
        return total

    @property
    def spin(self) -> NDArray[np.float64] | None:
        """Spin up minus spin down, shape ``(n1, n2, n3)``; None without spin polarisation."""
        return self.values[0] - self.values[1] if len(self.values) == 2 else None


def cube_text(crystal: Crystal, values: NDArray[np.float64], comment: str) -> str:
    """A Gaussian cube file.

    Args:
        crystal: The crystal whose cell the grid divides.
        values: The values, shape ``(n1, n2, n3)``.
        comment: The first line of the file.
    """
    from ase.io.cube import write_cube

    # NumPy writes the numbers past the file object, so it must be a real file.
    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
        write_cube(file, crystal.to_ase(), np.ascontiguousarray(values), comment=comment)
        file.seek(0)
        return file.read() + "\n"


def xsf_text(crystal: Crystal, values: NDArray[np.float64], comment: str) -> str:
    """An XSF file with the structure and the values on a grid.

    The format wants a general grid, whose last points along each direction repeat the first ones, and the first
    direction fastest.

    Args:
        crystal: The crystal whose cell the grid divides.
        values: The values, shape ``(n1, n2, n3)``.
        comment: The first line of the file.
    """
    atoms = crystal.to_ase()
    cell = [" ".join(f"{x:16.10f}" for x in row) for row in np.asarray(atoms.cell)]
    atom_rows = zip(atoms.numbers, atoms.positions, strict=True)
    positions = [f"{number:4d} " + " ".join(f"{x:16.10f}" for x in position) for number, position in atom_rows]
    general = np.pad(values, [(0, 1)] * 3, mode="wrap")
    numbers = [f"{x:.6e}" for x in general.ravel(order="F")]
    rows = [" ".join(numbers[start : start + 6]) for start in range(0, len(numbers), 6)]
    lines = [
        f"# {comment}",
        "CRYSTAL",
        "PRIMVEC",
        *cell,
        "PRIMCOORD",
        f"{len(atoms)} 1",
        *positions,
        "BEGIN_BLOCK_DATAGRID_3D",
        "density",
        "BEGIN_DATAGRID_3D_density",
        " ".join(map(str, general.shape)),
        "0.0 0.0 0.0",
        *cell,
        *rows,
        "END_DATAGRID_3D",
        "END_BLOCK_DATAGRID_3D",
    ]
    return "\n".join(lines) + "\n"
