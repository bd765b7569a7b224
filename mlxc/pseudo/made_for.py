"""The functional with which pseudopotentials that suit another functional are made. Imports no torch.

A pseudopotential is made with a functional, and best used with the same one. There are tables for the local density,
PBE and PBEsol; whatever is neither local nor PBEsol, networks and meta-GGAs included, is given PBE's.
"""

from __future__ import annotations

import re
from functools import lru_cache

from mlxc.errors import InputError
from mlxc.xc.checkpoints.files import checkpoint_path
from mlxc.xc.conventional import DESCRIPTIONS
from mlxc.xc.libxc.names import find_libxc
from mlxc.xc.sums.expression import split_sum

LDA, PBE, PBESOL = "lda", "pbe", "pbesol"
# As people write them.
IN_WORDS = {LDA: "LDA", PBE: "PBE", PBESOL: "PBEsol"}
OURS = {"lda": LDA, "lda_xc_teter93": LDA, "pbesol": PBESOL}
# Either half of PBEsol in libxc, and what PySCF calls it.
_PBESOL = re.compile(r"(gga_(x|c)_)?pbe_?sol")
# Words for local functionals in the headers of files: Slater, Perdew-Wang, Perdew-Zunger, Vosko-Wilk-Nusair and others.
_LOCAL_WORDS = {"LDA", "SLA", "PW", "PW92", "PZ", "VWN", "CA", "HL", "GL", "WIG", "NOGX", "NOGC", "TETER", "NOX", "NOC"}


@lru_cache(maxsize=256)
def made_for(xc: str) -> str:
    """``lda``, ``pbe`` or ``pbesol``: what the pseudopotentials for a functional are made for.

    Args:
        xc: The name of a functional, or a sum of some. A sum of local functionals is local; a mixed one is given PBE's.
    """
    try:
        kinds = {_made_for(name) for _, name in split_sum(xc)}
    except InputError:  # which is said where the functional itself is looked up
        return PBE
    return kinds.pop() if len(kinds) == 1 else PBE


def made_for_in_file(words: str) -> str | None:
    """The same of what a file says of its functional, ``SLA PW NOGX NOGC`` for instance; None where it is another."""
    parts = set(re.split(r"[\s+,-]+", words.upper().strip()))
    if "PBESOL" in parts or {"PSX", "PSC"} <= parts:
        return PBESOL
    if parts and parts <= _LOCAL_WORDS:
        return LDA
    return PBE if "PBE" in parts or {"PBX", "PBC"} <= parts else None


def _made_for(name: str) -> str:
    if name.lower() in DESCRIPTIONS or checkpoint_path(name) is not None:
        return OURS.get(name.lower(), PBE)
    if all(_PBESOL.fullmatch(part) for part in name.lower().split(",")):
        return PBESOL
    entry = find_libxc(name)
    return LDA if entry is not None and entry.family == "LDA" else PBE
