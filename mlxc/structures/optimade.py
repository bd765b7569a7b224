"""Structures from databases that speak OPTIMADE, version 1, by the identifier of an entry.

An entry is ``PROVIDER/ID``, with a provider of ``PROVIDERS``, or an address that holds the version of the interface,
``https://HOST/.../v1/ID``, with or without ``structures`` before the identifier. Only the command line
(``optimade:...`` in the place of a structure), :meth:`mlxc.Crystal.from_optimade` and a person who searches on the page
come here: no name or setting that a page or a link holds does.

Whatever answers may be anybody, so nothing but HTTP is spoken, not even after a redirection, an answer is limited in
size and time, and nothing in it is believed before it is checked. What the fields mean is in the specification,
C. W. Andersen et al., Sci. Data 8, 217 (2021), https://doi.org/10.1038/s41597-021-00974-z.
"""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.parse import quote, urlsplit

import numpy as np

import mlxc
from mlxc.crystal.crystal import MAX_ATOMS, Crystal, too_many_atoms
from mlxc.errors import InputError
from mlxc.structures.files import MAX_FILE_BYTES, uncapitalised
from mlxc.units import BOHR_ANG

PREFIX = "optimade:"
# Where providers answer, without the version; they move at times, and then the address in full does it.
PROVIDERS = {
    "alexandria": "https://alexandria.icams.rub.de/pbe",
    "cod": "https://www.crystallography.net/cod/optimade",
    "jarvis": "https://jarvis.nist.gov/optimade/jarvisdft",
    "mp": "https://optimade.materialsproject.org",
    "odbx": "https://optimade.odbx.science",
    "oqmd": "https://oqmd.org/optimade",
    "tcod": "https://www.crystallography.net/tcod/optimade",
}
FIELDS = "lattice_vectors,cartesian_site_positions,species,species_at_sites,structure_features"
# Of a connection that says nothing, and of an answer that comes in drops.
TIMEOUT_SECONDS, LONGEST_SECONDS = 20.0, 60.0
SHOWN_LENGTH = 80
# Features of OPTIMADE structures that a list of sites does not tell in full.
UNTOLD = {
    "disorder": "has sites that are partially occupied, or by several elements",
    "implicit_atoms": "has atoms without positions",
    "site_attachments": "has atoms attached to its sites without positions",
    "assemblies": "describes several arrangements of its atoms",
}


def fetch_structure(entry: str) -> Crystal:
    """The structure of an entry; see the module for what an entry is.

    Raises:
            InputError: the entry cannot be fetched; one sentence says what is wrong with it or with the network.
    """
    shown = in_a_sentence(entry)
    url, identifier = entry_address(entry)
    document = _document(fetched(url, shown), shown)
    try:
        return crystal_of(document, identifier)
    except InputError as error:
        raise InputError(f"{shown}: {uncapitalised(str(error))}") from None


def entry_address(entry: str) -> tuple[str, str]:
    """The address of an entry's document, and its identifier.

    Raises:
        InputError: this is no entry, or one of an unknown provider.
    """
    if "://" in entry:
        found = re.fullmatch(r"(https?://[^\s?#]+?/v1(?:\.\d+)*)/(?:structures/)?([^\s?#]+)", entry)
        if found is None or not _host(found[1]):
            raise InputError(
                f"'{in_a_sentence(entry)}': an address of OPTIMADE has the form https://HOST/v1/structures/ID."
            )
        base, identifier = found.groups()
    else:
        provider, _, identifier = entry.partition("/")
        if not identifier or provider not in PROVIDERS:
            raise InputError(
                f"'{in_a_sentence(entry)}': an entry of OPTIMADE is PROVIDER/ID or https://HOST/v1/structures/ID; the "
                f"providers are {', '.join(PROVIDERS)}."
            )
        base = f"{PROVIDERS[provider]}/v1"
    return f"{base}/structures/{quote(identifier, safe='')}?response_fields={FIELDS}", identifier


def _host(url: str) -> str:
    """The name of the machine in an address; empty if it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


class _WebRedirections(urllib.request.HTTPRedirectHandler):
    """Follows a redirection to a web server, but not from an encrypted connection to one that is not."""

    max_redirections = 3

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        schemes = ("https",) if req.type == "https" else ("http", "https")
        if urlsplit(newurl).scheme not in schemes:
            return None  # the redirection is then an error, as every other one that is not followed
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """An opener that speaks HTTP and nothing else; urllib's own one reads files as well."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _WebRedirections(),
    ):
        opener.add_handler(handler)
    return opener


def fetched(url: str, shown: str) -> bytes:
    """The answer to a request.

    Args:
        url: The address.
        shown: What is asked for, as a sentence begins with it.

    Raises:
        InputError: there is no answer, or it is too large or too slow; one sentence says so.
    """
    host = in_a_sentence(_host(url))
    request = urllib.request.Request(
        url, headers={"Accept": "application/vnd.api+json, application/json", "User-Agent": f"mlxc/{mlxc.__version__}"}
    )
    latest = time.monotonic() + LONGEST_SECONDS
    content = b""
    try:
        with _opener().open(request, timeout=TIMEOUT_SECONDS) as answer:
            while portion := answer.read1(65536):
                content += portion
                if len(content) > MAX_FILE_BYTES:
                    raise InputError(f"the answer is larger than {MAX_FILE_BYTES // 1024**2} MB.")
                if time.monotonic() > latest:
                    raise InputError(f"the answer takes longer than {LONGEST_SECONDS:.0f} seconds.")
    except InputError as error:
        raise InputError(f"{shown}: {error}") from None
    except urllib.error.HTTPError as error:
        error.close()
        raise InputError(f"{shown}: {host} {_refusal(error.code)}.") from None
    except (OSError, HTTPException, ValueError) as error:
        cause = getattr(error, "reason", error)
        said = in_a_sentence(str(getattr(cause, "strerror", None) or cause)) or type(error).__name__
        raise InputError(
            f"{shown}: {host} cannot be reached ({said}); without a network, give a file instead."
        ) from None
    return content


def _refusal(status: int) -> str:
    if status == 404:
        return "has no such entry"
    if 300 <= status < 400:
        return "redirects to an address that is not followed"
    return f"refuses the request (HTTP status {status})"


def _document(content: bytes, shown: str) -> dict[str, Any]:
    """The attributes of the entry in an answer."""
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        raise InputError(f"{shown}: the answer is not JSON, so the address is not one of OPTIMADE.") from None
    data = answer.get("data") if isinstance(answer, dict) else None
    if isinstance(answer, dict) and "data" in answer and data in (None, []):
        raise InputError(f"{shown}: there is no such entry.")
    attributes = data.get("attributes") if isinstance(data, dict) and data.get("type") == "structures" else None
    if not isinstance(attributes, dict):
        raise InputError(f"{shown}: the answer holds no structure of OPTIMADE.")
    return attributes


def crystal_of(attributes: dict[str, Any], name: str) -> Crystal:
    """The crystal that the attributes of an OPTIMADE structure describe.

    Args:
        attributes: ``lattice_vectors`` and ``cartesian_site_positions`` in angstrom, ``species``, ``species_at_sites``,
            ``structure_features``.
        name: The name of the crystal.

    Raises:
        InputError: something is missing or of a wrong type; sites are vacant or disordered; the lattice has fewer than
            three vectors.
    """
    features = attributes.get("structure_features") or []
    for feature, meaning in UNTOLD.items():
        if isinstance(features, list) and feature in features:
            raise InputError(f"The structure {meaning}; choose one ordered arrangement of it.")
    labels = attributes.get("species_at_sites")
    if not isinstance(labels, list) or not labels:
        raise InputError("The entry does not say which species are at its sites.")
    if len(labels) > MAX_ATOMS:
        raise too_many_atoms(len(labels))
    elements = _elements(attributes.get("species"))
    if not all(isinstance(label, str) and label in elements for label in labels):
        raise InputError("The entry has sites whose species it does not describe.")
    lattice = attributes.get("lattice_vectors")
    if not isinstance(lattice, list) or any(not isinstance(row, list) or None in row for row in lattice):
        raise InputError("The entry has no lattice in three dimensions; mlxc computes crystals.")
    in_angstrom = _numbers(lattice, "lattice_vectors", 3)
    cartesian = _numbers(attributes.get("cartesian_site_positions"), "cartesian_site_positions", len(labels))
    try:
        fractional = np.linalg.solve(in_angstrom.T, cartesian.T).T
    except np.linalg.LinAlgError:
        raise InputError("The lattice vectors of the entry are not linearly independent.") from None
    return Crystal(in_angstrom / BOHR_ANG, [elements[label] for label in labels], fractional, name=name)


def _elements(species: Any) -> dict[str, str]:
    """The chemical element of each species by the name of the species."""
    elements: dict[str, str] = {}
    for one in species if isinstance(species, list) else []:
        name, symbols = (one.get("name"), one.get("chemical_symbols")) if isinstance(one, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(symbols, list):
            raise InputError("The entry describes its species in a way that OPTIMADE does not know.")
        if "vacancy" in symbols:
            raise InputError("The structure has sites that are vacant at times; choose one ordered arrangement of it.")
        if len(symbols) != 1 or one.get("concentration", [1.0]) != [1.0]:
            raise InputError(f"The structure {UNTOLD['disorder']}; choose one ordered arrangement of it.")
        if one.get("attached"):
            raise InputError(f"The structure {UNTOLD['site_attachments']}; choose one with all positions.")
        if not isinstance(symbols[0], str) or not re.fullmatch("[A-Z][a-z]?", symbols[0]) or symbols[0] == "X":
            raise InputError("The structure has sites whose chemical element is not known.")
        elements[name] = symbols[0]
    return elements


def _numbers(values: Any, field: str, rows: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        array = np.empty(0)
    if array.shape != (rows, 3) or not np.isfinite(array).all():
        raise InputError(f"The field {field} of the entry must be {rows} times three numbers.")
    return array


def in_a_sentence(text: str) -> str:
    """What a person, or anybody, has written, in a length and letters that fit a sentence."""
    return "".join(letter for letter in text if letter.isprintable())[:SHOWN_LENGTH]
