"""The widgets in which a person chooses crystal, functional and settings."""

from __future__ import annotations

from html import escape
from typing import Any

from ipywidgets import HTML, Dropdown, FileUpload, FloatText, HBox, IntText, Layout, VBox

from mlxc.errors import InputError
from mlxc.structure_files import MAX_FILE_BYTES
from mlxc.structures import shipped_names, shipped_record
from mlxc_app.binding import bind
from mlxc_app.choose_model import ChooseModel
from mlxc_app.functional_picker import FunctionalPicker
from mlxc_app.message import MessageArea, hint
from mlxc_app.theme import Theme
from mlxc_app.viewer import StructureViewer

# The picker's value for a structure that came from a file: no shipped name.
FROM_FILE = ""
SMEARINGS = [
    ("Fermi-Dirac", "fermi-dirac"),
    ("Gaussian", "gaussian"),
    ("Marzari-Vanderbilt", "marzari-vanderbilt"),
    ("none (insulators only)", "none"),
]
LABEL = {"description_width": "110px"}
WIDE = Layout(width="100%")
NUMBER = Layout(width="60px")


class ChooseView:
    """Observes a :class:`ChooseModel`.

    Attributes:
        functional: the list of functionals.
    """

    def __init__(self, model: ChooseModel, messages: MessageArea, theme: Theme) -> None:
        self._model = model
        self._messages = messages
        self._viewer = StructureViewer(model.structure, theme)
        self._cell = HTML()
        self._size = HTML()
        names = [(shipped_record(name)["title"], name) for name in shipped_names()]
        self._names = Dropdown(
            options=[*names, ("from your own file", FROM_FILE)],
            value=model.shipped_name,
            description="Crystal",
            style=LABEL,
            layout=WIDE,
        )
        self._upload = FileUpload(
            accept="", multiple=False, description="Your own file", tooltip="CIF, POSCAR or extxyz"
        )
        self._upload.add_class("mlxc-upload")
        self._mesh = [IntText(value=n, layout=NUMBER) for n in model.kmesh]
        self._width = FloatText(description="Width (Ha)", step=0.005, style=LABEL, layout=WIDE)
        self.functional = FunctionalPicker(model, messages, style=LABEL, layout=WIDE)
        crystal, settings = self._crystal(), self._settings()
        self.widget = VBox([HTML("<h2>1. Crystal</h2>"), *crystal, HTML("<h2>2. Model</h2>"), *settings])
        self._names.observe(messages.guard(self._name_chosen), "value")
        self._upload.observe(messages.guard(self._file_chosen), "value")
        for number in self._mesh:
            number.observe(messages.guard(self._mesh_chosen), "value")
        model.observe(self._show_structure, "structure")
        model.observe(self._show_mesh, "kmesh")
        model.observe(self._show_smearing, "smearing")
        model.observe(self._show_size, "size")
        self._show_structure()
        self._show_size()
        self._show_smearing()

    def _crystal(self) -> list[Any]:
        limit = f"CIF, POSCAR, extxyz; ≤ {MAX_FILE_BYTES // 1024**2} MB"
        upload = HBox([self._upload, HTML(f'<span class="mlxc-muted">{limit}</span>')])
        return [self._names, upload, self._viewer.widget, self._cell]

    def _settings(self) -> list[Any]:
        cutoff = FloatText(description="Cutoff (Ha)", step=1, style=LABEL, layout=WIDE)
        smearing = Dropdown(options=SMEARINGS, description="Smearing", style=LABEL, layout=WIDE)
        bind(self._model, "ecut_ha", cutoff, self._messages)
        bind(self._model, "smearing", smearing, self._messages)
        bind(self._model, "width_ha", self._width, self._messages)
        mesh = HBox([HTML('<div class="mlxc-label">k mesh</div>'), *self._mesh])
        mesh.add_class("mlxc-mesh")
        return [
            self.functional.widget,
            cutoff,
            HTML(hint("Higher is more accurate and slower.")),
            mesh,
            HTML(hint("Metals need more points.")),
            smearing,
            self._width,
            self._size,
        ]

    def _name_chosen(self, change: Any) -> None:
        if change["new"] == self._model.shipped_name:
            return
        if change["new"] == FROM_FILE:
            self._names.value = self._model.shipped_name
            raise InputError("There is no file yet: press “Your own file” to choose one.")
        self._messages.clear()
        self._model.take_shipped(change["new"])

    def _file_chosen(self, change: Any) -> None:
        for file in change["new"]:
            self._messages.clear()
            self._model.take_file(file["name"], bytes(file["content"]))

    def _mesh_chosen(self, change: Any) -> None:
        self._model.kmesh = tuple(number.value for number in self._mesh)

    def _show_structure(self, change: Any = None) -> None:
        self._names.value = self._model.shipped_name
        self._viewer.show(self._model.structure)
        natoms = len(self._model.structure["species"])
        atoms = "1 atom" if natoms == 1 else f"{natoms} atoms"
        self._cell.value = (
            f'<p class="mlxc-muted">{escape(self._model.title)}: {atoms} in the unit cell (blue frame). '
            "The rest is drawn for the eye only.</p>"
        )

    def _show_mesh(self, change: Any) -> None:
        for number, value in zip(self._mesh, change["new"], strict=True):
            number.value = value

    def _show_smearing(self, change: Any = None) -> None:
        self._width.disabled = self._model.smearing == "none"

    def _show_size(self, change: Any = None) -> None:
        self._size.value = f'<p class="mlxc-hint">{escape(self._model.size)}</p>'
