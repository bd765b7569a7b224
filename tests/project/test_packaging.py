"""What is distributed is complete, holds nothing else, and works where there is no checkout."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import tomllib
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

import pytest
import yaml
from browser import wait_for_server
from packaging.specifiers import SpecifierSet

import mlxc

# Nearly all of it builds, installs or starts something.
pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
NOT_SOURCES = shutil.ignore_patterns(".git", ".venv", "build", "dist", "*.egg-info", "__pycache__", ".*_cache")
SHIPPED = ("checkpoints", "frozen", "pseudopotentials", "references", "structures")
QUICK = ("--pseudo", "gth", "--ecut", "5", "--kmesh", "2", "2", "2", "--json")


@dataclass(frozen=True)
class Distribution:
    """A wheel or a source distribution: its file, and the contents in it by name."""

    path: Path
    contents: dict[str, bytes]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources, in which builds leave what they leave."""
    return Path(shutil.copytree(ROOT, tmp_path_factory.mktemp("sources") / "mlxc", ignore=NOT_SOURCES))


@pytest.fixture(scope="module")
def wheel(checkout: Path) -> Distribution:
    return read_wheel(build(checkout, "wheel"))


@pytest.fixture(scope="module")
def sdist(checkout: Path) -> Distribution:
    path = build(checkout, "sdist")
    with tarfile.open(path) as archive:
        files = {member.name.partition("/")[2]: archive.extractfile(member) for member in archive}
        return Distribution(path, {name: file.read() for name, file in files.items() if file is not None})


def build(sources: Path, kind: str) -> Path:
    """Let the build backend make a wheel or an sdist, as pip does."""
    code = f"from setuptools.build_meta import build_{kind}; build_{kind}('dist')"
    subprocess.run([sys.executable, "-c", code], cwd=sources, check=True, capture_output=True)
    (path,) = (sources / "dist").glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return path


def read_wheel(path: Path) -> Distribution:
    with zipfile.ZipFile(path) as archive:
        return Distribution(path, {name: archive.read(name) for name in archive.namelist()})


def files_below(folder: Path) -> set[str]:
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path.as_posix() for path in paths if "__pycache__" not in path.parts and path.name != ".DS_Store"}


def test_a_wheel_holds_library_page_and_assets_and_nothing_else(wheel: Distribution) -> None:
    expected = {f"mlxc/{name}" for name in files_below(ROOT / "mlxc")}
    expected |= {f"mlxc_app/{name}" for name in files_below(ROOT / "app" / "mlxc_app")}
    expected |= {f"mlxc/assets/{folder}/{name}" for folder in SHIPPED for name in files_below(ROOT / "assets" / folder)}
    expected |= {"mlxc_app/served/dashboard.ipynb", "mlxc_app/served/voila.json"}
    assert {name for name in wheel.contents if ".dist-info/" not in name} == expected
    assert wheel.contents["mlxc_app/served/dashboard.ipynb"] == (ROOT / "app" / "dashboard.ipynb").read_bytes()
    assert any(name.endswith("LICENSE") for name in wheel.contents)


def test_a_source_distribution_is_the_whole_checkout(sdist: Distribution) -> None:
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("these sources are not under version control")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    there = {name for name in listed.splitlines() if (ROOT / name).exists()}
    assert there <= set(sdist.contents)
    assert not [name for name in sdist.contents if name.endswith((".pyc", ".whl")) or "_cache/" in name]


def test_a_wheel_from_the_source_distribution_is_the_same(
    wheel: Distribution, sdist: Distribution, tmp_path: Path
) -> None:
    shutil.unpack_archive(sdist.path, tmp_path)
    (sources,) = tmp_path.iterdir()
    assert read_wheel(build(sources, "wheel")).contents == wheel.contents


def test_all_that_tell_the_version_agree(wheel: Distribution) -> None:
    told = mlxc.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", told)
    assert wheel.path.name.startswith(f"mlxc-{told}-")
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == told
    assert re.findall(r"^## \[(\d\S*)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[0] == told


def test_sources_that_are_not_installed_know_their_version(checkout: Path) -> None:
    command = [sys.executable, "-m", "mlxc.cli", "--version"]
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    outcome = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=True)
    assert outcome.stdout == f"mlxc {mlxc.__version__}\n"


def test_the_supported_versions_of_python_are_told_in_one_voice() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [entry.rsplit(" ", 1)[1] for entry in project["classifiers"] if ":: 3." in entry]
    assert project["requires-python"] == f">={named[0]}"
    assert f"Python {named[0]} or newer" in (ROOT / "README.md").read_text()


@pytest.fixture(scope="module")
def installed(wheel: Distribution, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an empty environment into which the wheel is installed with its page."""
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    programs = environment / "bin"
    command = [programs / "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt", f"{wheel.path}[app]"]
    subprocess.run(command, check=True, env=without_checkout())
    return programs


def without_checkout() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@pytest.mark.slow
def test_the_installed_command_computes_in_any_folder(installed: Path, tmp_path: Path) -> None:
    def run(*arguments: str) -> str:
        command = [installed / arguments[0], *arguments[1:]]
        return subprocess.run(
            command, cwd=tmp_path, env=without_checkout(), check=True, capture_output=True, text=True
        ).stdout

    assert run("mlxc", "--version") == f"mlxc {mlxc.__version__}\n"
    assert "site-packages" in run("python", "-c", "import mlxc; print(mlxc.__file__)")
    assert "solids-mgga" in run("mlxc", "checkpoint", "list")
    result = json.loads(run("mlxc", "scf", "al", *QUICK))
    own = mlxc.Calculation.from_dict({"structure": "al", "pseudo": "gth", "ecut_ha": 5, "kmesh": [2, 2, 2]}).run()
    assert result["converged"]
    assert result["free_energy_ha"] == pytest.approx(float(own.energy), abs=1e-8)
    # With a shipped pseudopotential, and a shipped network.
    pseudodojo = json.loads(run("mlxc", "scf", "si", "--xc", "pbe-proxy", *QUICK[2:]))
    assert pseudodojo["calculation"]["pseudo"] == "pseudodojo"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_installed_page_is_served_from_any_folder(installed: Path, tmp_path: Path) -> None:
    with served(installed / "mlxc", tmp_path) as address:
        with urllib.request.urlopen(address, timeout=60) as answer:
            page = answer.read().decode()
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/html")
        with urllib.request.urlopen(f"{address}voila/static/voila.js", timeout=60) as script:
            assert script.status == 200
    # The words of the notebook, and what a kernel has made of its code: widgets, and no error.
    assert 'id="mlxc-loading"' in page
    assert re.search(r'"kernelId": "[0-9a-f-]{36}"', page)
    assert re.search(r'"application/vnd.jupyter.widget-view\+json": {"model_id": "[0-9a-f]{32}"', page)
    assert "VBox(children=" in page
    assert "Traceback" not in page
    # Voila's own template would ask another host for its letters.
    assert "cdn.jsdelivr.net" not in page


@contextmanager
def served(program: Path, folder: Path) -> Iterator[str]:
    """The address of a page that is served from an empty folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    runs, empty = folder / "runs", folder / "empty"
    empty.mkdir()
    environment = without_checkout() | {"MLXC_RUNS": str(runs)}
    with open(folder / "voila.log", "w") as log:
        command = [program, "app", "--no-browser", f"--port={port}"]
        server = subprocess.Popen(command, cwd=empty, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_for_server(f"http://localhost:{port}/voila/static/voila.js", server)
        yield f"http://localhost:{port}/"
    finally:
        server.terminate()
        server.wait()


def test_all_packages_can_be_installed_with_the_oldest_python() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    oldest = f"{wanted.removeprefix('>=')}.0"
    needs = {package.name: package.metadata.get("Requires-Python") for package in distributions()}
    assert not [name for name, need in needs.items() if need and oldest not in SpecifierSet(need)]
