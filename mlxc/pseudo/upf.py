"""Reading norm-conserving pseudopotentials in the Unified Pseudopotential Format (UPF), version 2. Imports no torch.

The format is that of Quantum ESPRESSO (P. Giannozzi et al., J. Phys.: Condens. Matter 29, 465901 (2017)): energies are
in rydberg, and radial functions carry a factor r. Here everything is in Hartree atomic units.
"""

from __future__ import annotations

import gzip
import re
import xml.etree.ElementTree as ET
import zlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlxc.errors import InputError

RYDBERG_HA = 0.5
MAX_FILE_BYTES = 20_000_000
LARGEST_ANGULAR_MOMENTUM = 3

Array = NDArray[np.float64]


class _BrokenFileError(Exception):
    """What is wrong with a file, as the end of a sentence that begins with its name."""


@dataclass(frozen=True)
class RadialFunction:
    """A function r f(r) on the mesh, of one angular momentum."""

    angular_momentum: int
    values: Array


@dataclass(frozen=True, eq=False)
class UPFPseudopotential:
    """The contents of a UPF file.

    Attributes:
        symbol: The chemical symbol.
        name: The name of the file.
        charge: The charge of the ion.
        radius: The mesh r, bohr, shape ``(nmesh,)``.
        spacing: dr of each point of the mesh (``rab``), bohr.
        local: V_loc(r), hartree.
        projectors: r p(r), bohr^(-1/2).
        coupling: D_ij between the projectors, hartree, shape ``(nprojector, nprojector)``.
        core_density: n_core(r) of the nonlinear core correction, electrons/bohr^3, or None.
        atomic_density: 4 pi r^2 n(r) of the free atom's valence electrons, electrons/bohr.
        orbitals: r R(r) of the free atom's occupied shells, bohr^(-1/2).
        recommended_cutoff: The plane-wave cutoff that the file recommends, hartree, or None.
    """

    symbol: str
    name: str
    charge: int
    radius: Array
    spacing: Array
    local: Array
    projectors: tuple[RadialFunction, ...]
    coupling: Array
    core_density: Array | None
    atomic_density: Array
    orbitals: tuple[RadialFunction, ...]
    recommended_cutoff: float | None

    @cached_property
    def projector_count(self) -> int:
        """Projectors of one atom, all magnetic quantum numbers counted."""
        return sum(2 * projector.angular_momentum + 1 for projector in self.projectors)


def read_upf(path: Path, symbol: str) -> UPFPseudopotential:
    """Read a file, which may be compressed with gzip.

    Args:
        path: the file.
        symbol: element that it must be of.

    Raises:
        InputError: the file cannot be read, is no UPF file of version 2, is broken, of another element, or of a kind
            that plane waves here do not know: ultrasoft, PAW, fully relativistic, bare Coulomb.
    """
    try:
        changed = path.stat().st_mtime_ns
    except OSError as error:
        raise _refusal(path.name, f"cannot be opened: {(error.strerror or str(error)).lower()}") from None
    return _read_cached(path, symbol, changed)


@lru_cache(maxsize=128)
def _read_cached(path: Path, symbol: str, changed: int) -> UPFPseudopotential:
    """One object per state of a file on the disk (``changed``), so that what is derived from it can be kept."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise _refusal(path.name, f"cannot be read: {str(error).lower()}") from None
    if len(content) > MAX_FILE_BYTES:
        raise _refusal(path.name, f"is larger than {MAX_FILE_BYTES // 1_000_000} MB, too large for a pseudopotential")
    return parse_upf(content.decode("utf-8", errors="replace"), path.name, symbol)


def parse_upf(text: str, name: str, symbol: str) -> UPFPseudopotential:
    """Parse the text of a UPF file.

    Args:
        text: Contents.
        name: The name that messages give the file.
        symbol: Element that it must be of.

    Raises:
        InputError: see :func:`read_upf`.
    """
    try:
        root = _root(text)
        header = root.find("PP_HEADER")
        if header is None:
            raise _BrokenFileError("has no header")
        _check_kind(header, symbol)
        return _contents(root, header, name)
    except _BrokenFileError as error:
        raise _refusal(name, str(error)) from None


def _refusal(name: str, reason: str) -> InputError:
    return InputError(f"pseudo: the pseudopotential file {name} {reason}.")


def _root(text: str) -> ET.Element:
    """The tree of the file without what people write into it freely, which often is not XML."""
    text = re.sub(r"<(PP_INFO|PP_INPUTFILE)\b.*?</\1\s*>", "", text, flags=re.DOTALL)
    if "<UPF" not in text:
        if "<PP_HEADER" in text:
            raise _BrokenFileError("is of UPF version 1; convert it to version 2 with upfconv of Quantum ESPRESSO")
        raise _BrokenFileError("is not in UPF format")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise _BrokenFileError("declares XML entities, which no pseudopotential needs")
    text = re.sub(r"&(?!\w+;|#)", "&amp;", text[text.index("<UPF") :])
    try:
        return ET.fromstring(text)
    except ET.ParseError as error:
        raise _BrokenFileError(f"is truncated or damaged (line {error.position[0]})") from None


def _check_kind(header: ET.Element, symbol: str) -> None:
    element = header.get("element", "").strip().capitalize()
    if element != symbol:
        raise _BrokenFileError(f"is for {element or 'no element'}, not for {symbol}")
    kind = header.get("pseudo_type", "NC").strip().upper()
    if _flag(header, "is_paw") or kind == "PAW":
        raise _BrokenFileError("is a PAW data set; only norm-conserving pseudopotentials can be used")
    if _flag(header, "is_ultrasoft") or kind in ("US", "USPP"):
        raise _BrokenFileError("is ultrasoft; only norm-conserving pseudopotentials can be used")
    if _flag(header, "has_so") or header.get("relativistic", "").strip().lower() == "full":
        raise _BrokenFileError(
            "is fully relativistic; take a scalar-relativistic one, as there is no spin-orbit coupling"
        )
    if _flag(header, "is_coulomb") or kind not in ("NC", "SL"):
        raise _BrokenFileError(f"is of type {kind}; only norm-conserving pseudopotentials can be used")


def _flag(header: ET.Element, name: str) -> bool:
    return header.get(name, "F").strip().strip(".").upper().startswith("T")


def _contents(root: ET.Element, header: ET.Element, name: str) -> UPFPseudopotential:
    radius, spacing = _array(root, "PP_MESH/PP_R"), _array(root, "PP_MESH/PP_RAB")
    size = len(radius)
    if size < 10 or len(spacing) != size or radius[0] < 0 or np.any(np.diff(radius) <= 0):
        raise _BrokenFileError("has no radial mesh of increasing radii")
    projectors = _functions(root, "PP_NONLOCAL/PP_BETA", "angular_momentum", _integer(header, "number_of_proj"), size)
    shells = _functions(root, "PP_PSWFC/PP_CHI", "l", _integer(header, "number_of_wfc"), size)
    occupied = [_number(_section(root, f"PP_PSWFC/PP_CHI.{i}"), "occupation") > 0 for i in range(1, len(shells) + 1)]
    cutoff = _number(header, "wfc_cutoff", 0.0) * RYDBERG_HA
    return UPFPseudopotential(
        symbol=header.get("element", "").strip().capitalize(),
        name=name,
        charge=_integer(header, "z_valence"),
        radius=radius,
        spacing=spacing,
        local=_array(root, "PP_LOCAL", size) * RYDBERG_HA,
        projectors=projectors,
        coupling=_coupling(root, projectors),
        core_density=_array(root, "PP_NLCC", size) if _flag(header, "core_correction") else None,
        atomic_density=_atomic_density(root, size),
        orbitals=tuple(shell for shell, filled in zip(shells, occupied, strict=True) if filled),
        recommended_cutoff=cutoff if cutoff > 0 else None,
    )


def _section(root: ET.Element, path: str) -> ET.Element:
    section = root.find(path)
    if section is None:
        raise _BrokenFileError(f"has no section {path.rsplit('/', 1)[-1]}")
    return section


def _array(root: ET.Element, path: str, size: int | None = None) -> Array:
    """The numbers of a section; ``size`` of them where given."""
    words = (_section(root, path).text or "").replace("D", "E").replace("d", "e").split()
    tag = path.rsplit("/", 1)[-1]
    try:
        values = np.array(words, dtype=np.float64)
    except ValueError:
        raise _BrokenFileError(f"has something other than numbers in {tag}") from None
    if size is not None and len(values) != size:
        raise _BrokenFileError(f"has {len(values)} numbers in {tag} where {size} belong")
    if not np.isfinite(values).all():
        raise _BrokenFileError(f"has numbers in {tag} that are not finite")
    return values


def _functions(root: ET.Element, path: str, attribute: str, count: int, size: int) -> tuple[RadialFunction, ...]:
    functions = []
    for i in range(1, count + 1):
        angular_momentum = _integer(_section(root, f"{path}.{i}"), attribute)
        if not 0 <= angular_momentum <= LARGEST_ANGULAR_MOMENTUM:
            raise _BrokenFileError(
                f"has angular momentum {angular_momentum}; 0 to {LARGEST_ANGULAR_MOMENTUM} are known"
            )
        functions.append(RadialFunction(angular_momentum, _array(root, f"{path}.{i}", size)))
    return tuple(functions)


def _coupling(root: ET.Element, projectors: tuple[RadialFunction, ...]) -> Array:
    count = len(projectors)
    if count == 0:
        return np.zeros((0, 0))
    coupling = _array(root, "PP_NONLOCAL/PP_DIJ", count**2).reshape(count, count) * RYDBERG_HA
    ell = np.array([projector.angular_momentum for projector in projectors])
    if not np.allclose(coupling, coupling.T) or np.any(coupling[ell[:, None] != ell]):
        raise _BrokenFileError("couples projectors in a way that no norm-conserving pseudopotential does (PP_DIJ)")
    return coupling


def _atomic_density(root: ET.Element, size: int) -> Array:
    density = _array(root, "PP_RHOATOM", size)
    if density.sum() <= 0:
        raise _BrokenFileError("has no density of the free atom (PP_RHOATOM), which is needed to start")
    return density


def _number(section: ET.Element, attribute: str, default: float | None = None) -> float:
    text = section.get(attribute)
    if text is None and default is not None:
        return default
    try:
        return float((text or "").replace("D", "E").replace("d", "e"))
    except ValueError:
        raise _BrokenFileError(f"gives no number for {attribute} in {section.tag}") from None


def _integer(section: ET.Element, attribute: str) -> int:
    value = _number(section, attribute)
    if value != round(value) or value < 0:
        raise _BrokenFileError(f"gives {value:g} for {attribute}, which must be a whole number")
    return round(value)
