"""What Voila must know to serve the page, however it is started.

``voila.json`` names :class:`PageKernelSpecs`, so Voila imports this module while it reads its settings. It has no
setting for a folder of templates, only the search path of Jupyter; the import adds ours to it.
"""

from __future__ import annotations

import os
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager
from traitlets import default

JUPYTER_DIRECTORY = Path(__file__).with_name("jupyter")


class PageKernelSpecs(KernelSpecManager):
    """Offers one kernel: the Python that runs Voila, where the page is installed.

    Otherwise a kernel ``python3`` that a person has registered some time ago would win.
    """

    @default("kernel_dirs")
    def _none(self) -> list[str]:
        return []


def _add_template() -> None:
    others = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(JUPYTER_DIRECTORY), others]))


_add_template()
