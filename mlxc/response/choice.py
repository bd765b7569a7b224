"""The ways to differentiate a self-consistent state, by name; loaded only where somebody wants a gradient."""

from __future__ import annotations

from typing import Literal, overload

from mlxc.errors import InputError
from mlxc.response.adjoint import Adjoint

AdjointName = Literal["implicit", "unrolled"]


@overload
def adjoint_of(choice: AdjointName | Adjoint) -> Adjoint: ...
@overload
def adjoint_of(choice: AdjointName | Adjoint | None) -> Adjoint | None: ...
def adjoint_of(choice: AdjointName | Adjoint | None) -> Adjoint | None:
    """The adjoint of this name; an adjoint itself, or None, is returned as it is.

    Raises:
        InputError: there is no adjoint of this name.
    """
    if choice is None or not isinstance(choice, str):
        return choice
    if choice == "implicit":
        from mlxc.response.implicit import Implicit

        return Implicit()
    if choice == "unrolled":
        from mlxc.response.unrolled import Unrolled

        return Unrolled()
    raise InputError(f"differentiate: {choice!r} is neither 'implicit' nor 'unrolled'.")
