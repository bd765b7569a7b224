"""Chemical symbols."""

from ase.data import atomic_numbers

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
