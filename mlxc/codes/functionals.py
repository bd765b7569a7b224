"""What a functional is called in other codes. Imports no torch."""

from __future__ import annotations

import re

from mlxc.xc.catalogue import functional_names
from mlxc.xc.libxc.named import NAMED
from mlxc.xc.libxc.names import find_libxc
from mlxc.xc.sums.expression import split_sum

# In libxc, where PBE's trainable form is PBE until somebody trains it.
_IN_LIBXC = {
    "lda": "lda_x,lda_c_pw",
    "lda_xc_teter93": "lda_xc_teter93",
    "pbe": "gga_x_pbe,gga_c_pbe",
    "pbesol": "gga_x_pbe_sol,gga_c_pbe_sol",
    "rpbe": "gga_x_rpbe,gga_c_pbe",
    "scan": "mgga_x_scan,mgga_c_scan",
    "r2scan": "mgga_x_r2scan,mgga_c_r2scan",
    "pbe-kappa-mu": "gga_x_pbe,gga_c_pbe",
    **{name: named.code for name, named in NAMED.items()},
}
_IN_GPAW = {
    "lda_x,lda_c_pw": "LDA",
    "gga_x_pbe,gga_c_pbe": "PBE",
    "gga_x_pbe_sol,gga_c_pbe_sol": "PBEsol",
    "gga_x_rpbe,gga_c_pbe": "RPBE",
    "mgga_x_scan,mgga_c_scan": "SCAN",
}
# PySCF has short names for many functionals; GPAW knows those of libxc.
_FULL_NAME = re.compile(r"(lda|gga|mgga)_(x|c|xc)_[a-z0-9_]+|lda_x")


def pyscf_functional(expression: str) -> str | None:
    """The name of a functional, or of a weighted sum of some, in PySCF; None where it has none, like a network."""
    terms = [(weight, _libxc_name(name)) for weight, name in split_sum(expression)]
    if len(terms) == 1 and terms[0][0] == 1:
        return terms[0][1]
    parts = [(weight, part) for weight, name in terms if name is not None for part in name.split(",")]
    named = all(name is not None for _, name in terms)
    return "".join(f"{weight:+.15g}*{part}" for weight, part in parts).removeprefix("+") if named else None


def gpaw_functional(expression: str) -> str | None:
    """The name of a functional in GPAW; None where it has none: networks and sums."""
    (weight, single), *others = split_sum(expression)
    name = _libxc_name(single)
    if name is None or others or weight != 1:
        return None
    if name in _IN_GPAW:
        return _IN_GPAW[name]
    parts = name.split(",")
    return "+".join(parts).upper() if all(_FULL_NAME.fullmatch(part) for part in parts) else None


def gpaw_data_sets(functional: str) -> str:
    """The functional whose data sets in GPAW suit this one best: there are data sets for a few functionals only."""
    if functional in ("LDA", "RPBE"):
        return functional
    return "LDA" if functional.startswith("LDA") else "PBE"


def _libxc_name(name: str) -> str | None:
    if name.lower() in _IN_LIBXC:
        return _IN_LIBXC[name.lower()]
    if name in functional_names() or find_libxc(name) is None:
        return None
    return name.lower()
