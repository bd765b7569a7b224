"""The self-consistent field.

The package can be called: ``mlxc.scf(...)`` is :func:`mlxc.response.differentiable.differentiable_scf`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _CallablePackage(ModuleType):
    """Lets one word, ``mlxc.scf``, name both the calculation and the package that holds its parts."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from mlxc import differentiable_scf

        return differentiable_scf(*args, **kwargs)


sys.modules[__name__].__class__ = _CallablePackage
