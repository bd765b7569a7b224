"""What was understood of a file: the crystal, and what was chosen or told on the way to it. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from mlxc.crystal.crystal import Crystal


@dataclass(frozen=True)
class Reading:
    """A crystal that was read from a file.

    Attributes:
        crystal: The crystal.
        form: What the file was read as, for a person, such as "CIF" or "POSCAR".
        block: The block or image of the file that was taken, where it has several; else empty.
        notes: Sentences about what was chosen, corrected or left out, for a person.
    """

    crystal: Crystal
    form: str
    block: str = ""
    notes: tuple[str, ...] = ()
