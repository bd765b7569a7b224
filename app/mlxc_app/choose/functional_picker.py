"""The list of functionals, among them a person's own, and the way to bring one."""

from __future__ import annotations

from typing import Any

from ipywidgets import HTML, Button, Dropdown, FileUpload, HBox, Layout, VBox

from mlxc.structures.files import MAX_FILE_BYTES
from mlxc.xc.catalogue import functional_names
from mlxc.xc.checkpoints.record import SUFFIX
from mlxc_app.choose.field_problem import with_problem
from mlxc_app.choose.model import ChooseModel
from mlxc_app.choose.uploaded_checkpoints import keep_checkpoint, uploaded_checkpoints
from mlxc_app.choose.words import describe
from mlxc_app.widgets.message import MessageArea, hint


def functional_choices() -> list[tuple[str, str]]:
    """The (label, name) of every functional in the list."""
    own = [(f"{path.stem} (your own)", str(path)) for path in uploaded_checkpoints()]
    return [(name, name) for name in functional_names()] + own


class FunctionalPicker:
    """Shows and changes the functional of a :class:`ChooseModel`.

    Attributes:
        about: The button that asks for more about the chosen functional.
    """

    def __init__(self, model: ChooseModel, messages: MessageArea, **style: Any) -> None:
        self._model, self._messages = model, messages
        self._listing = False
        self._names = Dropdown(options=functional_choices(), description="XC functional", **style)
        self._meaning = HTML()
        self.about = Button(description="About this functional", layout=Layout(width="190px"))
        limit = f"A functional that you have trained: {SUFFIX}, at most {MAX_FILE_BYTES // 1024**2} MB"
        self._upload = FileUpload(accept=SUFFIX, multiple=False, description="Your own functional", tooltip=limit)
        self._upload.add_class("mlxc-upload-functional")
        more = HBox([self.about, self._upload])
        more.add_class("mlxc-more")
        self.widget = VBox([with_problem(model, "xc", self._names), self._meaning, more])
        self.widget.add_class("mlxc-picker")
        self._names.observe(messages.guard(self._name_chosen), "value")
        self._upload.observe(messages.guard(self._file_chosen), "value")
        model.observe(self._show, "xc")
        self._show()

    def _name_chosen(self, change: Any) -> None:
        if not self._listing:
            self._model.xc = change["new"]

    def _file_chosen(self, change: Any) -> None:
        for file in change["new"]:
            self._messages.clear()
            path = str(keep_checkpoint(file["name"], bytes(file["content"])))
            self._list(path)
            self._model.xc = path

    def _list(self, chosen: str) -> None:
        """Renew the list; in between, the widget believes that the first name was chosen."""
        self._listing = True
        try:
            choices = functional_choices()
            is_listed = chosen in [name for _, name in choices]
            self._names.options = choices if is_listed else [*choices, (describe(chosen).title, chosen)]
            self._names.value = chosen
        finally:
            self._listing = False

    def _show(self, change: Any = None) -> None:
        if self._model.xc not in [name for _, name in self._names.options]:
            self._list(self._model.xc)
        self._names.value = self._model.xc
        self._meaning.value = hint(describe(self._model.xc).meaning)
