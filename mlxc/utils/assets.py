"""Where the shipped data live: beside the sources in a checkout, inside the package in an installed wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def asset_path(*parts: str) -> Path:
    """Return the path of a shipped file or folder, for example ``asset_path("structures", "al.json")``."""
    installed = _PACKAGE / "assets"
    root = installed if installed.is_dir() else _PACKAGE.parent / "assets"
    return root.joinpath(*parts)
