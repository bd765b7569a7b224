"""Makes the shipped checkpoints of published networks from the files of their authors.

    python scripts/published_checkpoints.py FOLDER

FOLDER holds the files of each repository in :data:`mlxc.xc.published.sources.SOURCES` at their paths, below a folder of
any name. The SHA-256 of each file is checked first.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

from mlxc.xc.published.conversion import convert_published
from mlxc.xc.published.sources import SOURCES, PublishedSource

CHECKPOINTS = Path(__file__).resolve().parent.parent / "assets" / "checkpoints"


def found_below(folder: Path, source: PublishedSource) -> Path:
    """The published file, or the folder that holds all of them."""
    paths = []
    for file, sha256 in source.files.items():
        (path,) = [path for path in folder.rglob(Path(file).name) if str(path).endswith(f"/{file}")]
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != sha256:
            raise SystemExit(f"{path} has the SHA-256 {found}, not {sha256}")
        paths.append(path)
    return paths[0] if len(paths) == 1 else paths[0].parent


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for name, source in SOURCES.items():
        if source.may_be_passed_on:
            record = convert_published(name, found_below(folder, source), CHECKPOINTS / f"{name}.safetensors")
            print(f"{name}: {record.content_hash}")
