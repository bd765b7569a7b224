"""What Voila must know to serve the page, however it is started.

``voila.json`` names :class:`PageKernelSpecs`, so Voila imports this module while it reads its settings. It has no
setting for a folder of templates, only the search path of Jupyter; the import adds ours to it. What may start kernels,
Jupyter knows from the packages that are installed; a checkout is none, so the import adds ours to these as well.
"""

from __future__ import annotations

import os
from importlib.metadata import EntryPoint
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from traitlets import default

JUPYTER_DIRECTORY = Path(__file__).with_name("jupyter")
PROVISIONER = EntryPoint(
    "mlxc-split-kernels", "mlxc_app.kernels.provisioner:SplitKernels", KernelProvisionerFactory.GROUP_NAME
)


class PageKernelSpecs(KernelSpecManager):
    """Offers one kernel: the Python that runs Voila, where the page is installed.

    Otherwise a kernel ``python3`` that a person has registered some time ago would win.
    """

    @default("kernel_dirs")
    def _none(self) -> list[str]:
        return []

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """The kernel's command, and that it is split off from a process that has loaded the page's packages."""
        spec = super().get_kernel_spec(kernel_name)
        spec.metadata = {**spec.metadata, "kernel_provisioner": {"provisioner_name": PROVISIONER.name}}
        return spec


def _add_template() -> None:
    others = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(JUPYTER_DIRECTORY), others]))


_add_template()
KernelProvisionerFactory.provisioners[PROVISIONER.name] = PROVISIONER
