"""Chemical symbols."""

from ase.data import atomic_numbers, chemical_symbols

from mlxc.errors import InputError


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
