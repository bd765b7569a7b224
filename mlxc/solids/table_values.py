"""Values in tables of solids: each is what it has to be, or a sentence says what it is instead."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlxc.errors import InputError

_TRUTHS = {"true": True, "false": False}


def number(value: Any, key: str, place: str) -> float:
    """A finite number, or the text of one.

    Args:
        value: The value in the table.
        key: Its column.
        place: The table and the solid, as the beginning of a sentence.

    Raises:
        InputError: it is something else.
    """
    try:
        found = np.nan if isinstance(value, bool) else float(value)
    except OverflowError:
        found = np.inf
    except (TypeError, ValueError):
        raise InputError(f"{place}: {key} is {_shown(value)}, not a number.") from None
    if not np.isfinite(found):
        raise InputError(f"{place}: {key} is {_shown(value)}, not a finite number.")
    return found


def truth(value: Any, key: str, place: str) -> bool:
    """True or false, or the text of one of them; see :func:`number`."""
    if isinstance(value, str):
        value = _TRUTHS.get(value.strip().lower(), value)
    if not isinstance(value, bool | np.bool_):
        raise InputError(f"{place}: {key} is {_shown(value)}, neither true nor false.")
    return bool(value)


def text(value: Any, key: str, place: str) -> str | None:
    """A text, or None where there is none; see :func:`number`."""
    if value is not None and not isinstance(value, str):
        raise InputError(f"{place}: {key} is {_shown(value)}, not a text.")
    return value or None


def fields(value: Any, key: str, place: str) -> dict[str, Any]:
    """An object of names and values; see :func:`number`."""
    if not isinstance(value, dict):
        raise InputError(f"{place}: {key} is {_shown(value)}, not an object of names and values.")
    return value


def reason_of(error: Exception) -> str:
    """What an exception says, to be put before a full stop."""
    said = error.strerror if isinstance(error, OSError) else str(error)
    return " ".join((said or type(error).__name__).split()).rstrip(".")


def _shown(value: Any) -> str:
    said = repr(value)
    return said if len(said) <= 60 else f"{said[:60]}..."
