"""The densities of a library for functionals that are all near one: on nodes where these serve it."""

from __future__ import annotations

from torch import nn

from mlxc.frozen.condensed import CondensedSnapshots
from mlxc.frozen.library import FrozenLibrary


class Near:
    """Densities that are condensed when they are asked for the first time, and kept.

    Args:
        library: The densities.
        functional: The functional that the others are near, such as the one in the middle of a line, or that whose
            ensemble they belong to.
    """

    def __init__(self, library: FrozenLibrary, functional: nn.Module) -> None:
        self._library, self.functional = library, functional
        self._known: dict[str, CondensedSnapshots] = {}

    def __call__(self, solid: str) -> CondensedSnapshots:
        """The densities of one solid.

        Raises:
            InputError: they cannot be read.
        """
        if solid not in self._known:
            self._known[solid] = CondensedSnapshots(self._library.curve(solid).snapshots, self.functional)
        return self._known[solid]
