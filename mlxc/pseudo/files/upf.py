"""Reading norm-conserving pseudopotentials in the Unified Pseudopotential Format (UPF), version 2. Imports no torch.

The format is that of Quantum ESPRESSO (P. Giannozzi et al., J. Phys.: Condens. Matter 29, 465901 (2017)): energies are
in rydberg, and radial functions carry a factor r. Here everything is in Hartree atomic units.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from math import isfinite

import numpy as np

from mlxc.pseudo.files.radial import (
    Array,
    BrokenFileError,
    RadialFunction,
    RadialPseudopotential,
    check_angular_momentum,
    check_mesh,
    symmetric_coupling,
)

RYDBERG_HA = 0.5
# What is said of kinds of pseudopotentials that cannot be used.
ADVICE = "take a norm-conserving one, such as PseudoDojo's (--pseudo pseudodojo)"
# Fortran writes 1.0-100 for 1.0E-100.
_WITHOUT_E = re.compile(r"(?<=[\d.])([+-]\d{3})(?![\d.])")
# The value of an attribute. Its name is not asked for: every number in the file might begin one.
_VALUE = re.compile(r"""(=\s*)("[^"]*"|'[^']*')""")
# Ampersands that begin nothing that XML knows.
_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);|#\d+;|#x[0-9a-fA-F]+;)")


def is_upf(text: str) -> bool:
    """Whether a text looks like UPF of whatever version."""
    return "<UPF" in text or "<PP_HEADER" in text


def parse_upf(text: str, name: str, symbol: str, sha256: str = "") -> RadialPseudopotential:
    """Parse the text of a UPF file.

    Args:
        text: Contents.
        name: The name of the file.
        symbol: Element that it must be of.
        sha256: The hash of the file.

    Raises:
        BrokenFileError: it is no UPF file of version 2, is broken, of another element, or of a kind that plane waves
            here do not know: ultrasoft, PAW, fully relativistic, bare Coulomb, semilocal.
    """
    root = _root(text)
    header = root.find("PP_HEADER")
    if header is None:
        raise BrokenFileError("has no header")
    _check_kind(root, header, symbol)
    return _contents(root, header, name, sha256)


def element_of_upf(text: str) -> str | None:
    """The element that a file is for by its header, None where it does not say."""
    header = re.search(r"<PP_HEADER\b(.*?)(?:/>|</PP_HEADER)", text, re.DOTALL)
    words = header and (
        re.search(r"""\belement\s*=\s*["']\s*([A-Za-z]{1,2})\s*["']""", header[1])
        or re.search(r"^\s*([A-Za-z]{1,2})\s+Element\b", header[1].removeprefix(">"), re.MULTILINE)
    )
    return words[1].capitalize() if words else None


def _root(text: str) -> ET.Element:
    """The tree of the file without what people write into it freely, which often is not XML."""
    text = re.sub(r"<(PP_INFO|PP_INPUTFILE)\b.*?</\1\s*>", "", text, flags=re.DOTALL)
    if "<UPF" not in text:
        if "<PP_HEADER" in text:
            raise BrokenFileError(
                "is of UPF version 1; convert it to version 2 with upfconv of Quantum ESPRESSO (upfconv -u), or take "
                "PseudoDojo's (--pseudo pseudodojo)"
            )
        raise BrokenFileError("is not in UPF format, nor in psp8")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise BrokenFileError("declares XML entities, which no pseudopotential needs")
    text = text[text.index("<UPF") :]
    end = text.rfind("</UPF>")
    text = re.sub(r"<!--.*?-->", "", text[: end + len("</UPF>")] if end >= 0 else text, flags=re.DOTALL)
    text = _AMPERSAND.sub("&amp;", text)
    text = _VALUE.sub(lambda match: match[1] + match[2].replace("<", "&lt;"), text)
    try:
        return ET.fromstring(text)
    except ET.ParseError as error:
        raise BrokenFileError(f"is truncated or damaged (line {error.position[0]})") from None


def _check_kind(root: ET.Element, header: ET.Element, symbol: str) -> None:
    element = header.get("element", "").strip().capitalize()
    if element != symbol:
        raise BrokenFileError(f"is for {element or 'no element'}, not for {symbol}")
    kind = header.get("pseudo_type", "NC").strip().upper()
    if _flag(header, "is_paw") or kind == "PAW":
        raise BrokenFileError(f"is a PAW data set, which can be used as little as an ultrasoft one; {ADVICE}")
    if _flag(header, "is_ultrasoft") or kind in ("US", "USPP"):
        raise BrokenFileError(f"is ultrasoft, and overlaps other than one are not known here; {ADVICE}")
    if _flag(header, "has_so") or header.get("relativistic", "").strip().lower() == "full":
        raise BrokenFileError(
            "is fully relativistic; take a scalar-relativistic one, as there is no spin-orbit coupling: that of the "
            "same table, or PseudoDojo's (--pseudo pseudodojo)"
        )
    if _flag(header, "is_coulomb") or kind == "1/R":
        raise BrokenFileError(f"is the bare Coulomb potential, which is not norm-conserving; {ADVICE}")
    if kind not in ("NC", "SL"):
        raise BrokenFileError(f"is of type {kind}; {ADVICE}")
    if root.find("PP_SEMILOCAL") is not None and _integer(header, "number_of_proj") == 0:
        raise BrokenFileError(f"has semilocal potentials without projectors; {ADVICE}")


def _flag(header: ET.Element, name: str) -> bool:
    return header.get(name, "F").strip().strip(".").upper().startswith("T")


def _contents(root: ET.Element, header: ET.Element, name: str, sha256: str) -> RadialPseudopotential:
    radius = _array(root, "PP_MESH/PP_R")
    check_mesh(radius)
    size = len(radius)
    projectors = _functions(root, "PP_NONLOCAL/PP_BETA", "angular_momentum", _integer(header, "number_of_proj"), size)
    cutoff = _number(header, "wfc_cutoff", 0.0) * RYDBERG_HA
    return RadialPseudopotential(
        symbol=header.get("element", "").strip().capitalize(),
        name=name,
        functional=" ".join(header.get("functional", "").split()),
        charge=_integer(header, "z_valence"),
        radius=radius,
        spacing=_array(root, "PP_MESH/PP_RAB", size),
        local=_array(root, "PP_LOCAL", size) * RYDBERG_HA,
        projectors=projectors,
        coupling=_coupling(root, projectors),
        core_density=_array(root, "PP_NLCC", size) if _flag(header, "core_correction") else None,
        atomic_density=_atomic_density(root, size),
        orbitals=_orbitals(root, header, size),
        recommended_cutoff=cutoff if cutoff > 0 else None,
        sha256=sha256,
    )


def _orbitals(root: ET.Element, header: ET.Element, size: int) -> tuple[RadialFunction, ...]:
    """The occupied shells of the free atom; files may have none, or say of none how it is occupied."""
    if root.find("PP_PSWFC") is None:
        return ()
    shells = _functions(root, "PP_PSWFC/PP_CHI", "l", _integer(header, "number_of_wfc"), size)
    sections = [_section(root, f"PP_PSWFC/PP_CHI.{i}") for i in range(1, len(shells) + 1)]
    filled = [_number(section, "occupation", 0.0) > 0 for section in sections]
    return tuple(shell for shell, occupied in zip(shells, filled, strict=True) if occupied)


def _section(root: ET.Element, path: str) -> ET.Element:
    section = root.find(path)
    if section is None:
        raise BrokenFileError(f"has no section {path.rsplit('/', 1)[-1]}")
    return section


def _array(root: ET.Element, path: str, size: int | None = None) -> Array:
    """The numbers of a section; ``size`` of them where given."""
    text, tag = _section(root, path).text or "", path.rsplit("/", 1)[-1]
    try:
        values = numbers(text)
    except ValueError:
        raise BrokenFileError(f"has something other than numbers in {tag}") from None
    if size is not None and len(values) != size:
        raise BrokenFileError(f"has {len(values)} numbers in {tag} where {size} belong")
    if not np.isfinite(values).all():
        raise BrokenFileError(f"has numbers in {tag} that are not finite")
    return values


def numbers(text: str) -> Array:
    """The numbers of a text that Fortran may have written.

    Raises:
        ValueError: there is something else.
    """
    try:
        return np.array(text.split(), dtype=np.float64)
    except ValueError:
        return np.array(fortran_numbers(text), dtype=np.float64)


def fortran_numbers(text: str) -> list[str]:
    """The words of a text with exponents as Python reads them: ``1.0D-5`` and ``1.0-100`` are numbers in Fortran."""
    return _WITHOUT_E.sub(r"E\1", text.replace("D", "E").replace("d", "e")).split()


def _functions(root: ET.Element, path: str, attribute: str, count: int, size: int) -> tuple[RadialFunction, ...]:
    functions = []
    for i in range(1, count + 1):
        angular_momentum = _integer(_section(root, f"{path}.{i}"), attribute)
        check_angular_momentum(angular_momentum)
        functions.append(RadialFunction(angular_momentum, _array(root, f"{path}.{i}", size)))
    return tuple(functions)


def _coupling(root: ET.Element, projectors: tuple[RadialFunction, ...]) -> Array:
    count = len(projectors)
    if count == 0:
        return np.zeros((0, 0))
    coupling = _array(root, "PP_NONLOCAL/PP_DIJ", count**2).reshape(count, count) * RYDBERG_HA
    return symmetric_coupling(coupling, projectors)


def _atomic_density(root: ET.Element, size: int) -> Array:
    density = _array(root, "PP_RHOATOM", size)
    if density.sum() <= 0:
        raise BrokenFileError("has no density of the free atom (PP_RHOATOM), which is needed to start")
    return density


def _number(section: ET.Element, attribute: str, default: float | None = None) -> float:
    text = section.get(attribute)
    if text is None and default is not None:
        return default
    try:
        return float(" ".join(fortran_numbers(text or "")))
    except ValueError:
        raise BrokenFileError(f"gives no number for {attribute} in {section.tag}") from None


def _integer(section: ET.Element, attribute: str) -> int:
    value = _number(section, attribute)
    if not (isfinite(value) and value == round(value) and value >= 0):
        raise BrokenFileError(f"gives {value:g} for {attribute}, which must be a whole number")
    return round(value)
