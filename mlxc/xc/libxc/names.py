"""Which functionals of libxc can be computed here.

Imports no torch, and PySCF, through which libxc is reached, only when a name is looked up: that takes a second.
"""

from __future__ import annotations

import ctypes
import io
import re
from contextlib import redirect_stderr
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mlxc.errors import InputError
from mlxc.utils.spelling import closest_name
from mlxc.xc.libxc.named import NAMED

LONGEST_NAME = 100
# One name or two. PySCF would read more (sums, factors, numbers); a name is what people can look up.
NAMES = re.compile(r"[a-z][a-z0-9_-]*(,[a-z][a-z0-9_-]*)?")
EXACT_EXCHANGE = "needs exact exchange, which is not available"

# Constants of libxc's header xc.h.
KIND_KINETIC = 3
FLAG_ENERGY_AND_TWO_DERIVATIVES = 1 << 0 | 1 << 1 | 1 << 2
FLAG_THREE_DIMENSIONS = 1 << 7


@dataclass(frozen=True)
class LibXCEntry:
    """A functional that libxc can evaluate.

    Attributes:
        code: The name that ``pyscf.dft.libxc`` gives it.
        family: The family of the part with the most ingredients: ``LDA``, ``GGA`` or ``MGGA``.
    """

    code: str
    family: str


@lru_cache(maxsize=100)
def find_libxc(name: str) -> LibXCEntry | None:
    """Look up a name such as ``gga_x_b88`` or a pair such as ``gga_x_b88,gga_c_lyp``; None if libxc has no such one.

    Upper and lower case are the same. The names of :data:`~mlxc.xc.libxc.named.NAMED`, and those that PySCF knows, such
    as ``blyp`` or ``m06-l``, are understood as well.

    Raises:
        InputError: libxc has it, but it needs what is not available here, such as exact exchange.
    """
    name = name.lower()
    if name in NAMED:
        return find_libxc(NAMED[name].code)
    if len(name) > LONGEST_NAME or not NAMES.fullmatch(name):
        return None
    from pyscf.dft import libxc

    # PySCF takes a dash for a minus, unless it knows the name.
    code = name.upper().replace("-", "_")
    warnings = io.StringIO()
    try:
        with redirect_stderr(warnings):
            hybrid, terms = libxc.parse_xc(code)
    except (KeyError, ValueError):
        return None
    if warnings.getvalue():
        raise InputError(f"xc: '{name}' is short for several functionals of libxc; give its full name.")
    obstacle = EXACT_EXCHANGE if any(hybrid) or not terms else _obstacle(libxc.XCFunctionalCache(code))
    if obstacle:
        raise InputError(f"xc: '{name}' {obstacle}; choose one such as pbe or r2scan.")
    return LibXCEntry(code, libxc.xc_type(code))


def close_libxc_name(name: str) -> str | None:
    """The full name in libxc that looks most like ``name``, if any does."""
    from pyscf.dft import libxc

    close = closest_name(name.upper(), libxc.available_libxc_functionals(), similarity=0.8)
    return None if close is None else close.lower()


def _obstacle(functional: Any) -> str | None:
    """Why a functional of libxc cannot be computed here, as the predicate of a sentence."""
    from pyscf.dft import libxc

    # PySCF keeps libxc's flags and kinds to itself.
    library = libxc._itrf
    library.xc_func_info_get_flags.argtypes = library.xc_func_info_get_kind.argtypes = (ctypes.c_void_p,)
    parts = [library.xc_func_get_info(part) for part in functional.xc_objs]
    flags = [library.xc_func_info_get_flags(part) for part in parts]
    kinds = [library.xc_func_info_get_kind(part) for part in parts]
    obstacles = {
        EXACT_EXCHANGE: _has_exact_exchange(functional),
        "needs nonlocal correlation, which is not available": functional.is_nlc,
        "needs the Laplacian of the density, which is not available": functional.needs_laplacian,
        # Asked for an energy that it does not have, libxc ends the process.
        "has no energy with two derivatives": not all(_has(flag, FLAG_ENERGY_AND_TWO_DERIVATIVES) for flag in flags),
        "is made for one or two dimensions": not all(_has(flag, FLAG_THREE_DIMENSIONS) for flag in flags),
        "is a functional of the kinetic energy": any(kind == KIND_KINETIC for kind in kinds),
    }
    return next((obstacle for obstacle, found in obstacles.items() if found), None)


def _has(flags: int, wanted: int) -> bool:
    return flags & wanted == wanted


def _has_exact_exchange(functional: Any) -> bool:
    try:
        _, long_range, short_range = functional.rsh_coeff
    except (KeyError, ValueError, AttributeError):  # parts with range separations that PySCF cannot add
        return True
    return any((functional.hybrid_coeff, long_range, short_range))
