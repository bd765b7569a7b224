"""Where what belongs to a person, and not to a version of mlxc, is kept."""

import os
from pathlib import Path


def user_data_directory(kind: str, variable: str) -> Path:
    """A folder of the user's data directory, which need not exist yet.

    Args:
        kind: What is kept there, ``runs`` for example.
        variable: The environment variable that names another folder in its place.
    """
    if variable in os.environ:
        return Path(os.environ[variable])
    data_home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data_home) / "mlxc" / kind
