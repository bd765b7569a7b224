"""Puts into a wheel what lies beside the packages in a checkout; everything else is in pyproject.toml.

An editable install uses the files of the checkout. ``mlxc.utils.assets`` and ``mlxc_app.launch`` look in both places.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
ASSETS = ("checkpoints", "frozen", "pseudopotentials", "references", "structures")
# The notebook is the kernel's working directory, so it has a folder without modules.
PAGE = ("app/dashboard.ipynb", "voila.json")


class BuildWithData(build_py):
    """Copies the assets into ``mlxc/assets`` and the page's files into ``mlxc_app/served``."""

    def run(self) -> None:
        """Build the packages, and the data inside them unless the install is editable."""
        super().run()
        if self.editable_mode:
            return
        library = Path(self.build_lib)
        for name in ASSETS:
            shutil.copytree(ROOT / "assets" / name, library / "mlxc" / "assets" / name, dirs_exist_ok=True)
        page = library / "mlxc_app" / "served"
        page.mkdir(parents=True, exist_ok=True)
        for name in PAGE:
            shutil.copy(ROOT / name, page)


setup(cmdclass={"build_py": BuildWithData})
