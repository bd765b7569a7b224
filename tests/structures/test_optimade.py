"""Structures come from an OPTIMADE server, and whatever else a server may answer gets one sentence."""

from __future__ import annotations

import json
import threading
import urllib.request
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from support import Outcome

from mlxc import Calculation, Crystal
from mlxc.errors import InputError
from mlxc.export.link import decode_setup
from mlxc.structures import optimade
from mlxc.structures.files import MAX_FILE_BYTES
from mlxc.structures.sources import load_structure

# Rock salt, of which the server is not asked for the formula, but tells it.
SALT: dict[str, Any] = {
    "chemical_formula_reduced": "ClNa",
    "lattice_vectors": [[0.0, 2.8, 2.8], [2.8, 0.0, 2.8], [2.8, 2.8, 0.0]],
    "cartesian_site_positions": [[0.0, 0.0, 0.0], [2.8, 2.8, 2.8]],
    "species": [
        {"name": "Na+", "chemical_symbols": ["Na"], "concentration": [1.0]},
        {"name": "chloride", "chemical_symbols": ["Cl"], "concentration": [1]},
    ],
    "species_at_sites": ["Na+", "chloride"],
    "structure_features": [],
}


def answer(**changes: Any) -> bytes:
    """The document of an entry, with some of its attributes changed."""
    data = {"id": "x", "type": "structures", "attributes": SALT | changes}
    return json.dumps({"data": data, "meta": {"api_version": "1.1.0"}}).encode()


@dataclass
class Server:
    """Answers every request with the same status, headers and content."""

    content: bytes = field(default_factory=answer)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    address: str = ""

    @property
    def entry(self) -> str:
        return f"{self.address}/v1/structures/salt"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server on this machine."""
    monkeypatch.setenv("no_proxy", "*")
    own = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            own.asked.append(self.path)
            self.send_response(own.status)
            for name, value in own.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(own.content)

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    own.address = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield own
    http.shutdown()
    thread.join()
    http.server_close()


def test_an_entry_becomes_the_crystal_that_it_describes(server: Server) -> None:
    crystal = Crystal.from_optimade(server.entry)
    assert crystal.species == ("Na", "Cl")
    assert crystal.name == "salt"
    assert crystal.to_ase().cell[:] == pytest.approx(np.array(SALT["lattice_vectors"]))
    assert crystal.positions == pytest.approx(np.array([[0, 0, 0], [0.5, 0.5, 0.5]]))
    assert urlsplit(server.asked[0]).path == "/v1/structures/salt"


def test_the_command_line_computes_an_entry(server: Server, mlxc_command: Callable[..., Outcome]) -> None:
    settings = "--pseudo gth --ecut 4 --kmesh 1 1 1 --smearing none --max-iterations 1 --json"
    outcome = mlxc_command("scf", f"optimade:{server.address}/v1/a/b", *settings.split())
    structure = json.loads(outcome.stdout)["calculation"]["structure"]
    assert (structure["name"], structure["species"]) == ("a/b", ["Na", "Cl"])
    assert urlsplit(server.asked[0]).path == "/v1/structures/a%2Fb"


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("mp/mp-149", "https://optimade.materialsproject.org/v1/structures/mp-149"),
        ("https://x.org/v1/7", "https://x.org/v1/structures/7"),
        ("https://x.org/v1/structures/7", "https://x.org/v1/structures/7"),
        ("https://x.org:81/some/path/v1.1/structures/7/8", "https://x.org:81/some/path/v1.1/structures/7%2F8"),
    ],
)
def test_an_entry_has_an_address(entry: str, url: str) -> None:
    assert optimade.entry_address(entry)[0].split("?")[0] == url


@pytest.mark.parametrize(
    "entry",
    ["", "mp", "mp/", "nobody/1", "file:///v1/etc/passwd", "ftp://x.org/v1/1", "https:///v1/1", "https://[::1/v1/1",
     "https://x.org/1",
     "https://x.org/v1/", "https://x.org/v1/a b", "https://x.org/v1/1?filter=x", "mp\n/1", "x" * 10_000],
)  # fmt: skip
def test_what_is_no_entry_is_answered_with_one_sentence(entry: str) -> None:
    with pytest.raises(InputError, match=r"OPTIMADE (is|has the form)") as caught:
        optimade.entry_address(entry)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


ATOM = {"name": "Na+", "chemical_symbols": ["Na"], "concentration": [1.0]}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"species": [ATOM | {"chemical_symbols": ["Na", "K"], "concentration": [0.5, 0.5]}]}, "partially occupied"),
        ({"species": [ATOM | {"concentration": [0.9]}]}, "partially occupied"),
        ({"species": [ATOM | {"chemical_symbols": ["Na", "vacancy"]}]}, "vacant"),
        ({"species": [ATOM | {"chemical_symbols": ["X"]}]}, "not known"),
        ({"species": [ATOM | {"chemical_symbols": ["Zz"]}] * 2, "species_at_sites": ["Na+"] * 2}, "'Zz' is not"),
        ({"species": [ATOM | {"chemical_symbols": [["Na"]]}]}, "not known"),
        ({"species": [ATOM | {"attached": ["H"], "nattached": [1]}]}, "atoms attached"),
        ({"species": [ATOM]}, "does not describe"),
        ({"species": None}, "does not describe"),
        ({"species": [7]}, "does not know"),
        ({"structure_features": ["disorder"]}, "partially occupied"),
        ({"structure_features": ["assemblies"]}, "several arrangements"),
        ({"structure_features": ["implicit_atoms"]}, "without positions"),
        ({"species_at_sites": None}, "which species"),
        ({"species_at_sites": ["Na+"] * 5000}, "5000 atoms"),
        ({"species_at_sites": [{}, []]}, "does not describe"),
        ({"lattice_vectors": None}, "no lattice"),
        ({"lattice_vectors": [[4, 0, 0], [0, 4, 0], [None, None, None]]}, "no lattice"),
        ({"lattice_vectors": [4, 4, 4]}, "no lattice"),
        ({"lattice_vectors": [[4, 0, 0], [0, 4, 0]]}, "lattice_vectors"),
        ({"lattice_vectors": [[4, 0, 0], [0, 4, 0], [0, 4, 0]]}, "linearly independent"),
        ({"lattice_vectors": [[4, 0, 0], [0, 4, 0], [0, 0, 10**400]]}, "lattice_vectors"),
        ({"lattice_vectors": [[4, 0, 0], [0, 4, 0], [0, 0, float("nan")]]}, "lattice_vectors"),
        ({"cartesian_site_positions": [[0, 0, 0]]}, "cartesian_site_positions"),
        ({"cartesian_site_positions": [[0, 0, 0], ["a", 0, 0]]}, "cartesian_site_positions"),
        ({"cartesian_site_positions": [[0, 0, 0], [0, 0, 0]]}, "on top of"),
    ],
)  # fmt: skip
def test_a_structure_that_cannot_be_computed_is_refused_with_the_reason(
    changes: dict[str, Any], said: str, server: Server
) -> None:
    server.content = answer(**changes)
    assert_refused(server, said)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not JSON"),
        (b"<html>", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 1_000_000, "not JSON"),
        (b"[1]", "no structure"),
        (b'{"data": null}', "no such entry"),
        (b'{"data": []}', "no such entry"),
        (b'{"data": 7}', "no structure"),
        (b'{"data": {"type": "references", "attributes": {}}}', "no structure"),
        (b'{"data": {"type": "structures", "attributes": {}}}', "which species"),
        (b'{"data": "' + b"x" * (MAX_FILE_BYTES + 1) + b'"}', "larger than 10 MB"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_answer_of_optimade_is_refused(content: bytes, said: str, server: Server) -> None:
    server.content = content
    assert_refused(server, said)


@pytest.mark.parametrize(("status", "said"), [(404, "no such entry"), (500, r"HTTP status 500"), (401, "401")])
def test_a_server_that_refuses_is_quoted(status: int, said: str, server: Server) -> None:
    server.status = status
    assert_refused(server, said)


def test_a_redirection_leads_to_the_web_and_nowhere_else(server: Server, tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_bytes(answer())
    server.status, server.content = 302, b""
    for target in (f"file://{secret}", "ftp://127.0.0.1/x", "data:application/json,{}", "/v1/structures/salt"):
        server.headers = {"Location": target}
        assert_refused(server, "redirects")
    request = urllib.request.Request("https://127.0.0.1/")
    assert optimade._WebRedirections().redirect_request(request, None, 302, "", None, server.address) is None  # type: ignore[arg-type]


def test_without_a_network_one_sentence_says_so(server: Server) -> None:
    with pytest.raises(InputError, match=r"nowhere\.invalid cannot be reached \(.*\); without a network, give a file"):
        Crystal.from_optimade("http://nowhere.invalid/v1/1")
    with pytest.raises(InputError, match="cannot be reached"):
        Crystal.from_optimade("http://127.0.0.1:1/v1/1")


def test_an_answer_in_drops_is_not_waited_for(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimade, "LONGEST_SECONDS", -1.0)
    assert_refused(server, "takes longer")


def test_names_settings_and_links_never_ask_the_network(server: Server) -> None:
    for named in (server.entry, f"optimade:{server.entry}", "optimade:mp/mp-149"):
        for load in (load_structure, Crystal.load, lambda name: Calculation.from_dict({"structure": name})):
            with pytest.raises(InputError):
                load(named)
        setup = json.dumps({"structure": named}).encode()
        with pytest.raises(InputError, match="does not come with mlxc"):
            decode_setup(urlsafe_b64encode(zlib.compress(setup)).decode())
    assert server.asked == []


def assert_refused(server: Server, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        Crystal.from_optimade(server.entry)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
