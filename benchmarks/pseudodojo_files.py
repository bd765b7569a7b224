"""Puts the files of a shipped PseudoDojo table into a folder, for ``--pseudo FOLDER`` and for other codes.

    python benchmarks/pseudodojo_files.py [--folder FOLDER] [--table pseudodojo-pbe]

The benchmarks name the folder, so that what they compare has the pseudopotentials for PBE whatever the functional.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mlxc.pseudo.pseudodojo import TABLES, pseudodojo_content, pseudodojo_elements

DEFAULT_FOLDER = Path.home() / ".cache" / "mlxc" / "pseudodojo"
DEFAULT_TABLE = next(iter(TABLES))


def install(folder: Path, table: str = DEFAULT_TABLE) -> list[Path]:
    """Write a table's files into a folder; each is named after its element, as in ``Al.upf``.

    Args:
        folder: made where it does not exist.
        table: one of :data:`mlxc.pseudo.pseudodojo.TABLES`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for symbol in sorted(pseudodojo_elements(table)):
        written.append(folder / f"{symbol}.upf")
        written[-1].write_bytes(pseudodojo_content(table, symbol))
    return written


def require(folder: Path) -> Path:
    """The folder, if it holds the table; a sentence that says how to fill it, and the end of the program, if not."""
    if not any(folder.glob("*.upf")):
        sys.exit(f"{folder} holds no UPF files; fill it with: python benchmarks/pseudodojo_files.py --folder {folder}")
    return folder


def main() -> None:
    """Fill the folder and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="default: %(default)s")
    parser.add_argument("--table", choices=list(TABLES), default=DEFAULT_TABLE, help="default: %(default)s")
    arguments = parser.parse_args()
    files = install(arguments.folder, arguments.table)
    print(f"{len(files)} files in {arguments.folder}: {' '.join(path.stem for path in files)}")


if __name__ == "__main__":
    main()
