"""What is asked about a kind of basis, wherever calculations are described, checked or reported. Imports no torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.grid.shape import Shape
from mlxc.pseudo.library import PseudopotentialData

if TYPE_CHECKING:
    from mlxc.basis.protocol import BasisSettings

# Real or complex fields on the grid that a calculation holds, most of them inside the functional and its derivative.
GRID_COPIES = 60


@dataclass(frozen=True)
class Size:
    """How large a calculation is.

    Attributes:
        electrons: The valence electrons per cell.
        irreducible_kpoints: The k points that are computed.
        functions: The plane waves per k point, on average, or Gaussians.
        fft_grid: The points of the real-space grid.
        memory_gb: An estimate of the memory that it needs.
    """

    electrons: int
    irreducible_kpoints: int
    functions: int
    fft_grid: Shape
    memory_gb: float


class BasisKind(ABC):
    """A kind of basis, as a person chooses it; the settings are always those of a calculation as plain data.

    Attributes:
        name: The kind's name in task files and on the command line.
        title: The name for people.
        functions: What the functions are called where they are counted.
        cutoff_of: What the cutoff belongs to, in words.
        cutoff_limits_functions: Whether a higher cutoff makes the orbitals better; otherwise the cutoff only chooses a
            grid that represents them.
        own_settings: The settings that only this kind has, and what each is called in a sentence.
        usual_set: The basis set to start from; empty where there are none.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    functions: ClassVar[str]
    cutoff_of: ClassVar[str]
    cutoff_limits_functions: ClassVar[bool]
    own_settings: ClassVar[Mapping[str, str]] = {}
    usual_set: ClassVar[str] = ""

    @abstractmethod
    def default_settings(self, structure: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """The pseudopotentials, the cutoff and the kind's own settings that suit a structure and what else is given.

        Args:
            structure: The structure as plain data, see :meth:`mlxc.Crystal.from_dict`.
            given: The settings that a person has chosen.
        """

    def check_settings(self, settings: Mapping[str, Any]) -> None:  # noqa: B027 - most kinds have nothing to check
        """Check that the kind's own settings are complete.

        Raises:
            ValueError: something is missing.
        """

    def suits_pseudopotentials(self, family: str) -> bool:
        """Whether the functions can be used with a family of pseudopotentials."""
        return True

    def basis_sets(self, elements: tuple[str, ...]) -> tuple[str, ...]:
        """The names of the basis sets that have functions for all of these elements."""
        return ()

    @abstractmethod
    def size(
        self,
        crystal: Crystal,
        settings: Mapping[str, Any],
        electrons: int,
        pseudopotentials: Mapping[str, PseudopotentialData],
        remaining: Callable[[SpaceGroup], SpaceGroup],
    ) -> Size:
        """Count what a calculation holds in memory.

        Args:
            crystal: What is computed.
            settings: The settings of the calculation.
            electrons: Valence electrons per cell.
            pseudopotentials: The pseudopotential of each element.
            remaining: A function that gives those operations of a space group that all terms of the energy have.

        Raises:
            InputError: the functions do not suit the pseudopotentials, the electrons or the grid.
        """

    def note(self, crystal: Crystal, settings: Mapping[str, Any]) -> str:
        """What a person should know of these settings before a run, in one sentence; empty if there is nothing."""
        return ""

    @abstractmethod
    def seconds(self, size: Size, spins: int, steps: float, meta_gga: bool) -> float:
        """Estimate the time of one SCF on two cores.

        Args:
            size: The size of the calculation.
            spins: The number of spins: 1, or 2 for a spin-polarised calculation.
            steps: The number of SCF steps in units of those that the default tolerance takes.
            meta_gga: Whether the functional depends on the kinetic energy density.
        """

    @abstractmethod
    def in_words(self, settings: Mapping[str, Any]) -> str:
        """The functions, for a person, such as ``plane waves`` or the names of the sets."""

    @abstractmethod
    def in_short(self, settings: Mapping[str, Any]) -> str:
        """What tells one basis of this kind from another, such as ``20 Ha``."""

    @abstractmethod
    def in_full(self, settings: Mapping[str, Any]) -> str:
        """The functions and how far they reach, such as ``plane waves, 20 Ha``."""

    def in_report(self, settings: Mapping[str, Any]) -> str:
        """What the first line of a report says."""
        return self.in_short(settings)

    @abstractmethod
    def described(self, saved: Mapping[str, Any], crystal: Crystal) -> dict[str, Any]:
        """The settings of a calculation that name a basis, ``basis`` apart.

        Args:
            saved: The plain data that ``to_dict`` of the basis made.
            crystal: What is computed in it.
        """

    @abstractmethod
    def basis_settings(self, settings: Mapping[str, Any]) -> BasisSettings:
        """The basis that a calculation names."""

    @abstractmethod
    def from_saved(self, saved: Mapping[str, Any]) -> BasisSettings:
        """The basis of a saved result, from the plain data that its ``to_dict`` made, ``fft_grid`` among them."""


def shape_from(points: Sequence[int] | None) -> Shape | None:
    """The points of a grid from plain data, such as a list that JSON held."""
    if points is None:
        return None
    first, second, third = points
    return first, second, third
