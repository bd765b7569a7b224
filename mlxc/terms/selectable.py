"""Terms of the energy that a person can add to a calculation by name. Imports no torch.

A new one is a file in this folder and one line in ``SELECTABLE``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.errors import InputError
from mlxc.terms.external_potential import ExternalPotential

if TYPE_CHECKING:
    from mlxc.terms.term import Setting, Term


class SelectedTerm(Protocol):
    """The definition of a term that a person has added; see :class:`~mlxc.terms.term.TermDefinition`."""

    @property
    def name(self) -> str:
        """The name in ``SELECTABLE``, which is that of the term's energy."""
        ...

    @property
    def text(self) -> str | None:
        """The text that defines the term; None where no text does."""
        ...

    def on(self, setting: Setting) -> Term:
        """The term in a setting."""
        ...

    def symmetry(self, crystal: Crystal, group: SpaceGroup) -> SpaceGroup:
        """The operations of a crystal that leave the term as it is."""
        ...


@dataclass(frozen=True)
class SelectableTerm:
    """A kind of term that a person can add.

    Attributes:
        define: The function that makes the definition from a text, or raises an :class:`~mlxc.errors.InputError`.
        label: The term's name, for people.
        help: What it is, and what the text has to say.
    """

    define: Callable[[str], SelectedTerm]
    label: str
    help: str


SELECTABLE: dict[str, SelectableTerm] = {
    "external_potential": SelectableTerm(
        ExternalPotential, "External potential", "v(r) on the electrons, hartree: a cube file, or .npy on a grid"
    ),
}


def selected_terms(selected: Mapping[str, str]) -> list[SelectedTerm]:
    """The definitions of terms by name.

    Args:
        selected: The text that defines the term, by each name in ``SELECTABLE`` that is wanted.

    Raises:
        InputError: there is no such term, or its text does not define it.
    """
    for name in selected:
        if name not in SELECTABLE:
            raise InputError(f"terms: there is no term '{name}'; there is {', '.join(SELECTABLE)}.")
    return [SELECTABLE[name].define(text) for name, text in selected.items()]


def common_symmetry(terms: Sequence[SelectedTerm], crystal: Crystal, group: SpaceGroup) -> SpaceGroup:
    """The operations of a group that leave all of some terms as they are."""
    for term in terms:
        group = term.symmetry(crystal, group)
    return group
