"""The electrons' energy in a constant potential v(r) that somebody applies: integral of n v.

Only the electrons feel it, so that the forces on the atoms add up to minus the integral of n grad v. When the cell is
deformed, the potential is carried along: it stays the same function of fractional coordinates. Imports no torch before
a potential is evaluated, so that calculations can be described and checked without it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.errors import InputError
from mlxc.grid.shape import Shape, choose_shape
from mlxc.units import BOHR_ANG

if TYPE_CHECKING:
    from torch import Tensor

    from mlxc.terms.term import FixedPotential, Setting

# Largest |G|, 1/bohr, of the grid on which the symmetry of a function is found.
SYMMETRY_RADIUS = 8.0
# The grid of a cube file begins at the origin if it does so within this, bohr.
ORIGIN = 1e-3
# The cell of a cube file may be this much deformed, as cells are in an equation of state.
LARGEST_STRAIN = 0.2


@dataclass(frozen=True, eq=False)
class ExternalPotential:
    """A potential that acts on the electrons.

    Attributes:
        source: a function of Cartesian positions, bohr, shape ``(..., 3)`` as a tensor, that gives hartree, shape
            ``(...)``, and has the crystal's periodicity; or values, hartree, at points that divide the cell evenly,
            shape ``(m1, m2, m3)``, from which it is interpolated; or a file with such values: a Gaussian cube file,
            whose cell has to be the crystal's, or a deformed one, or one of numpy, ``.npy``. Values are not
            differentiated: parameters of a function get no gradients.

    Raises:
        InputError: the values are no finite numbers on a grid of three dimensions.
    """

    name: ClassVar[str] = "external_potential"
    source: Callable[[Tensor], Any] | NDArray[np.float64] | Tensor | str | Path

    def __post_init__(self) -> None:
        if not callable(self.source) and not isinstance(self.source, (str, Path)):
            _checked(self.source, "the values")

    @property
    def text(self) -> str | None:
        """The file; None for another source."""
        return str(self.source) if isinstance(self.source, (str, Path)) else None

    def on(self, setting: Setting) -> FixedPotential:
        """See :class:`~mlxc.terms.term.TermDefinition`.

        Raises:
            InputError: a file cannot be read or is of another cell, or there is a value that is no finite number.
        """
        # Here, to keep torch out of whatever only describes or checks a calculation.
        from mlxc.grid.interpolation import interpolated_coefficients
        from mlxc.terms.term import FixedPotential

        grid = setting.basis.grid
        coefficients = interpolated_coefficients(grid, self.values(setting.crystal, grid.shape))
        return FixedPotential(self.name, grid, setting.symmetrizer.coefficients(coefficients))

    def symmetry(self, crystal: Crystal, group: SpaceGroup) -> SpaceGroup:
        """The operations of a crystal that leave the potential as it is.

        Raises:
            InputError: see :meth:`on`.
        """
        return group.of_function(self.values(crystal, choose_shape(crystal.lattice, SYMMETRY_RADIUS, group)))

    def values(self, crystal: Crystal, shape: Shape) -> NDArray[np.float64]:
        """The potential, hartree: a function at the points of a grid of this shape, other sources at their own points.

        Raises:
            InputError: see :meth:`on`.
        """
        if callable(self.source):
            return _checked(_sampled(self.source, crystal, shape), "the function", shape)
        if isinstance(self.source, (str, Path)):
            return self._values_of_file(crystal)
        return _checked(self.source, "the values")

    def _values_of_file(self, crystal: Crystal) -> NDArray[np.float64]:
        values, lattice = self._file
        if lattice is not None and np.abs(np.linalg.solve(crystal.lattice, lattice) - np.eye(3)).max() > LARGEST_STRAIN:
            raise InputError(f"external_potential: the cell of '{self.source}' is not the one of {crystal.name}.")
        return values

    @cached_property
    def _file(self) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """The values in the file, which is read once, and its lattice, bohr, if it tells one."""
        values, lattice = _read(Path(str(self.source)))
        return _checked(values, f"'{self.source}'"), lattice


def _checked(values: Any, name: str, shape: Shape | None = None) -> NDArray[np.float64]:
    try:
        array = np.asarray(values.detach().cpu() if hasattr(values, "detach") else values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"external_potential: {name} must give numbers, hartree, on a grid.") from None
    if array.ndim != 3 or array.size == 0 or shape not in (None, array.shape):
        expected = "three dimensions" if shape is None else f"one number for each position, {shape}"
        raise InputError(f"external_potential: {name} must have {expected}, not the shape {array.shape}.")
    if not np.isfinite(array).all():
        raise InputError(f"external_potential: {name} must give finite numbers everywhere.")
    return array


def _sampled(function: Callable[[Tensor], Any], crystal: Crystal, shape: Shape) -> Any:
    import torch  # only a function of tensors needs it

    fractional = np.stack(np.meshgrid(*(np.arange(n) / n for n in shape), indexing="ij"), axis=-1)
    with torch.no_grad():
        return function(torch.as_tensor(fractional @ crystal.lattice))


def _read(path: Path) -> tuple[Any, NDArray[np.float64] | None]:
    try:
        return (np.load(path, allow_pickle=False), None) if path.suffix == ".npy" else _read_cube(path)
    except InputError:
        raise
    except OSError as error:
        reason = (error.strerror or "it is damaged").lower()
        raise InputError(f"external_potential: the file '{path}' cannot be read: {reason}.") from None
    # A damaged file can fail at any place of another library's reader.
    except Exception:
        raise InputError(f"external_potential: '{path}' is neither a Gaussian cube file nor one of numpy.") from None


def _read_cube(path: Path) -> tuple[Any, NDArray[np.float64]]:
    from ase.io.cube import read_cube

    with path.open() as file:
        cube = read_cube(file)
    if not np.allclose(cube["origin"], 0, rtol=0, atol=ORIGIN):
        raise InputError(f"external_potential: the grid of '{path}' has to begin at the origin of the cell.")
    return cube["data"], np.asarray(cube["atoms"].cell) / BOHR_ANG
