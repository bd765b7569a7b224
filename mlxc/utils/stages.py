"""What a calculation is doing where no step of a monitor tells it: reading files, setting up, making what comes after.

The code that does it says so with :func:`stage`; whoever wants to know listens. Where nobody does, nothing happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias

# Takes the words for a stage as soon as it begins; it stops the calculation by raising RunStoppedError.
Listener: TypeAlias = Callable[[str], None]

_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


def stage(words: str) -> None:
    """Say what begins now, in words for a person, such as ``Reading the pseudopotentials``."""
    listener = _listener.get()
    if listener is not None:
        listener(words)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Hand the stages of what is computed inside ``with`` to a listener."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
