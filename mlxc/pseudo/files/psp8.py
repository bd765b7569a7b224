"""Reading norm-conserving pseudopotentials in ABINIT's format 8 (psp8), as ONCVPSP writes it. Imports no torch.

The format is that of ``doc/developers/psp8_info.md`` in ABINIT's sources, by D. R. Hamann: functions on a linear mesh
in Hartree atomic units, projectors with a factor r, densities with a factor 4 pi. Behind the model core a file may have
the density of the free atom's valence electrons (``extension_switch`` 1 or 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, pi

import numpy as np

from mlxc.crystal.elements import symbol_of
from mlxc.pseudo.files.radial import (
    Array,
    BrokenFileError,
    RadialFunction,
    RadialPseudopotential,
    check_angular_momentum,
    check_mesh,
    gaussian_atom,
    symmetric_coupling,
)
from mlxc.pseudo.files.upf import fortran_numbers, numbers

HEADER_LINES = 6
FORMAT = 8
# ABINIT's numbers of functionals (ixc), where a file of a kind that is known here may have them.
FUNCTIONALS = {1: "LDA", 2: "LDA", 3: "LDA", 7: "LDA", 11: "PBE", -1012: "LDA", -101130: "PBE", -116133: "PBESOL"}
LARGEST_MESH = 1_000_000
# Electrons, relative, by which the density of an atom may miss the charge of the ion.
COUNTED = 0.02


def is_psp8(text: str) -> bool:
    """Whether the third line of a text is that of a psp8 file."""
    lines = text.splitlines()[:3]
    return len(lines) == 3 and lines[2].split()[:1] == [str(FORMAT)]


def element_of_psp8(text: str) -> str | None:
    """The element that a file is for by its second line, None where it is no element."""
    try:
        number = float(fortran_numbers(text.splitlines()[1])[0])
    except (ValueError, IndexError):
        return None
    return symbol_of(round(number)) if isfinite(number) else None


@dataclass(frozen=True)
class _Header:
    """What the first lines say: ``projectors`` is how many there are of each angular momentum."""

    charge: int
    functional: str
    local: int
    mesh: int
    has_core: bool
    projectors: tuple[int, ...]
    has_valence: bool


def parse_psp8(text: str, name: str, symbol: str, sha256: str = "") -> RadialPseudopotential:
    """Parse the text of a psp8 file.

    Args:
        text: Contents.
        name: The name of the file.
        symbol: Element that it must be of.
        sha256: The hash of the file.

    Raises:
        BrokenFileError: it is broken, of another element, or has spin-orbit coupling.
    """
    element = element_of_psp8(text)
    if element != symbol:
        raise BrokenFileError(f"is for {element or 'no element'}, not for {symbol}")
    lines = text.splitlines()
    header = _header(lines)
    lines = lines[HEADER_LINES:]
    projectors: list[RadialFunction] = []
    strengths: list[float] = []
    radius = local = None
    for ell, count in sorted((dict(enumerate(header.projectors)) | {header.local: 0}).items()):
        if count == 0 and ell != header.local:
            continue
        first, block = _block(lines, header.mesh, count or 1)
        if not first or first[0] != ell:
            raise BrokenFileError(f"has no block for the angular momentum {ell} where it belongs")
        radius = block[:, 0]
        if count == 0:
            local = block[:, 1]
            continue
        if len(first) < count + 1:
            raise BrokenFileError(f"has fewer strengths than projectors for the angular momentum {ell}")
        strengths += first[1 : count + 1]
        projectors += [RadialFunction(ell, block[:, 1 + i]) for i in range(count)]
    # The local potential is one of the blocks.
    assert radius is not None
    assert local is not None
    check_mesh(radius)
    core = _rows(lines, header.mesh, 1)[:, 1] / (4 * pi) if header.has_core else None
    return RadialPseudopotential(
        symbol=symbol,
        name=name,
        functional=header.functional,
        charge=header.charge,
        radius=radius,
        spacing=np.full_like(radius, radius[1] - radius[0]),
        local=local,
        projectors=tuple(projectors),
        coupling=symmetric_coupling(np.diag(strengths), tuple(projectors)),
        core_density=core,
        atomic_density=_atomic_density(lines, header, radius),
        orbitals=(),
        recommended_cutoff=None,
        sha256=sha256,
    )


def _header(lines: list[str]) -> _Header:
    if len(lines) < HEADER_LINES:
        raise BrokenFileError("is truncated or damaged (header)")
    charge = _numbers(lines[1], 2)[1]
    code, functional, lmax, local, mesh = (round(number) for number in _numbers(lines[2], 5))
    if code != FORMAT:
        raise BrokenFileError(f"is of ABINIT's format {code}; only format {FORMAT} is known")
    if not isfinite(charge) or charge != round(charge) or charge <= 0:
        raise BrokenFileError(f"gives {charge:g} for zion, which must be a whole number")
    if not 10 <= mesh <= LARGEST_MESH:
        raise BrokenFileError(f"gives {mesh} for mmax; a mesh has 10 to {LARGEST_MESH} points")
    check_angular_momentum(lmax)
    projectors = tuple(round(number) for number in _numbers(lines[4], lmax + 1))
    extension = round(_numbers(lines[5], 1)[0])
    if extension in (2, 3):
        raise BrokenFileError(
            "is fully relativistic; take a scalar-relativistic one, as there is no spin-orbit coupling: that of the "
            "same table, or PseudoDojo's (--pseudo pseudodojo)"
        )
    if (local <= lmax and projectors[local]) or min(projectors) < 0 or local < 0:
        raise BrokenFileError("has projectors for the angular momentum of the local potential")
    return _Header(
        charge=round(charge),
        functional=FUNCTIONALS.get(functional, ""),
        local=local,
        mesh=mesh,
        has_core=_numbers(lines[3], 2)[1] > 0,
        projectors=projectors,
        has_valence=extension == 1,
    )


def _numbers(line: str, count: int) -> list[float]:
    """The first numbers of a line of the header."""
    try:
        values = [float(word) for word in fortran_numbers(line)[:count]]
    except ValueError:
        values = []
    if len(values) < count or not all(map(isfinite, values)):
        raise BrokenFileError("is truncated or damaged (header)")
    return values


def _block(lines: list[str], mesh: int, functions: int) -> tuple[list[float], Array]:
    """The line that begins a block, and its rows: radius and functions; both are taken off the lines."""
    if not lines:
        raise BrokenFileError("is truncated or damaged (it ends too early)")
    words = fortran_numbers(lines.pop(0))
    try:
        first = [float(word) for word in words]
    except ValueError:
        raise BrokenFileError("has something other than numbers where a block begins") from None
    return first, _rows(lines, mesh, functions)


def _rows(lines: list[str], mesh: int, functions: int) -> Array:
    """The radius and the functions in the next lines, shape ``(nmesh, 1 + nfunction)``: ``functions`` or more."""
    taken = lines[:mesh]
    del lines[:mesh]
    if len(taken) < mesh:
        raise BrokenFileError("is truncated or damaged (it ends too early)")
    try:
        values = numbers("\n".join(taken)).reshape(mesh, -1)[:, 1:]
    except ValueError:
        raise BrokenFileError("has something other than numbers, or lines of different lengths") from None
    if values.shape[1] < functions + 1 or not np.isfinite(values).all():
        raise BrokenFileError("has numbers that are missing or not finite")
    return values


def _atomic_density(lines: list[str], header: _Header, radius: Array) -> Array:
    """4 pi r^2 n(r) of the file, if it has as many electrons as the ion has charges; else that of a Gaussian."""
    if header.has_valence:
        density = _rows(lines, header.mesh, 1)[:, 1] * radius**2
        electrons = float(np.trapezoid(density, radius))
        if abs(electrons / header.charge - 1) < COUNTED:
            return np.asarray(density)
    return gaussian_atom(radius, header.charge)
