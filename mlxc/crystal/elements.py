"""Chemical symbols."""

from ase.data import atomic_numbers, chemical_symbols

from mlxc.errors import InputError

# The elements that make bonds or ions instead of a metal.
NONMETALS = frozenset(
    ("H", "He", "B", "C", "N", "O", "F", "Ne", "Si", "P", "S", "Cl", "Ar", "Ge", "As", "Se", "Br", "Kr", "Te", "I",
     "Xe", "At", "Rn")
)  # fmt: skip


def atomic_number(symbol: str) -> int:
    """Atomic number of a chemical symbol.

    Raises:
        InputError: no element has this symbol.
    """
    number = atomic_numbers.get(symbol, 0)
    if number == 0:
        raise InputError(f"'{symbol}' is not a chemical element.")
    return int(number)


def symbol_of(number: int) -> str | None:
    """The chemical symbol of an atomic number, None where there is no such element."""
    return str(chemical_symbols[number]) if 0 < number < len(chemical_symbols) else None
