"""What can be taken away of the run in hand: its command, a link to its set-up, and files that are made when asked."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zipfile import ZIP_DEFLATED, ZipFile

from traitlets import HasTraits, Instance, Unicode, observe

from mlxc.errors import InputError
from mlxc.export.archive import write_archive
from mlxc.export.command import command_line
from mlxc.export.density import SavedDensity
from mlxc.export.files import EXPORTS, Files, files_beside_command
from mlxc.export.link import encode_setup
from mlxc.runs.folder import ENDED, RunFolder
from mlxc.tasks.kinds import calculation_of
from mlxc.tasks.task import AnyTask
from mlxc.xc.checkpoints.record import SUFFIX, read_record
from mlxc_app.run.model import RunModel

ARCHIVE = "zip"
LABELS = {
    ARCHIVE: "Everything (ZIP)",
    "script": "Python script",
    "cli": "Shell script",
    "json": "Result (JSON)",
    "qcschema": "Result (QCSchema)",
    "csv": "Tables (CSV)",
    "cif": "Crystal (CIF)",
    "cube": "Density (cube)",
    "xsf": "Density (XSF)",
    "hdf5": "State (HDF5)",
    "checkpoint": "Functional (checkpoint)",
    "yaml": "Training (YAML)",
}
# What other runs than trainings have none of.
CHECKPOINT = "checkpoint"
OF_TRAININGS = (CHECKPOINT, "yaml")
# What goes from the kernel through the browser's memory; larger ones are fetched from their folder.
LARGEST_MB = 40


@dataclass(frozen=True)
class TakeAway:
    """What the fold shows.

    Attributes:
        title: The title of the run; empty while there is none that has ended.
        command: The command that computes it again.
        before_command: What there is to know of it, in one sentence that ends in a colon.
        link: ``?setup=...``, which opens the page with the same set-up, and in the same panel where one is named; empty
            where no link can.
        problem: Why there is no link, in one sentence; empty also where there is no set-up that a link could open.
        kinds: The kinds of files that there are: name, label, meaning.
        note: A note on files too large for a download; empty if there are none.
    """

    title: str = ""
    command: str = ""
    before_command: str = ""
    link: str = ""
    problem: str = ""
    kinds: tuple[tuple[str, str, str], ...] = ()
    note: str = ""


class TakeAwayModel(HasTraits):
    """Follows the run in hand.

    Attributes:
        offer: What there is to take away of it.
        panel: The name of the panel in which a link opens the page.
    """

    offer = Instance(TakeAway, args=())
    panel = Unicode()

    def __init__(self, run: RunModel) -> None:
        super().__init__()
        self._run = run
        self._follow()
        run.observe(self._follow, "state")

    def _follow(self, change: Any = None) -> None:
        folder = self._run.folder
        self.offer = offer_of(folder) if folder is not None and self._run.state in ENDED else TakeAway()
        self._name_panel()

    @observe("panel")
    def _name_panel(self, change: Any = None) -> None:
        setup, _, _ = self.offer.link.partition("&")
        if setup and self.panel:
            self.offer = replace(self.offer, link=f"{setup}&{urlencode({'panel': self.panel})}")

    def file(self, kind: str) -> tuple[str, bytes]:
        """The name and the content of one file; several of a kind come as a zip file.

        Raises:
            InputError: there is no run, no such kind, or nothing of it.
        """
        folder = self._run.folder
        if folder is None or kind not in [name for name, _, _ in self.offer.kinds]:
            raise InputError("There is nothing of this kind to take away from this run.")
        if kind == ARCHIVE:
            content = io.BytesIO()
            write_archive(folder, content)
            return f"{folder.path.name}.zip", content.getvalue()
        files = EXPORTS[kind].make(folder)
        if kind == CHECKPOINT:
            # A functional is called by its own name wherever it goes.
            (path,) = (content for content in files.values() if isinstance(content, Path))
            return f"{read_record(path).name}{SUFFIX}", path.read_bytes()
        return _single(files, folder.path.name, kind)


def offer_of(folder: RunFolder) -> TakeAway:
    """What there is to take away of a run that has ended."""
    has_state = folder.ground_state_path.exists()
    missing = set() if has_state else {"hdf5"}
    if SavedDensity.read(folder.ground_state_path) is None:
        missing |= {"cube", "xsf"}
    if folder.result is None:
        missing |= {"json", "qcschema"}
    if folder.kind != "scf":
        missing.add("qcschema")
    if not folder.structure:
        missing.add("cif")
    if not folder.records()[0]:
        missing.add("csv")
    missing |= {kind for kind in OF_TRAININGS if not EXPORTS[kind].make(folder)}
    note = ""
    if has_state and folder.ground_state_path.stat().st_size > LARGEST_MB * 1e6:
        missing |= {"hdf5", ARCHIVE}
        note = (
            f"The file of the state is larger than {LARGEST_MB} MB, so that it and the archive are left out here: "
            f"fetch it from {folder.ground_state_path}."
        )
    link, problem = _link(folder.task)
    return TakeAway(
        title=folder.title,
        command=command_line(folder, files_beside=True),
        before_command=_before_command(files_beside_command(folder)),
        link=link,
        problem=problem,
        kinds=tuple((name, label, _meaning(name)) for name, label in LABELS.items() if name not in missing),
        note=note,
    )


def _link(task: AnyTask) -> tuple[str, str]:
    """The link to a set-up, or why there is none; neither for a task that no form of the page describes."""
    if calculation_of(task) is None:
        return "", ""
    try:
        return f"?setup={encode_setup(task)}", ""
    except InputError as error:
        return "", str(error)


def _before_command(beside: Files) -> str:
    """Where the files come from that the command reads."""
    if not beside:
        return "This line computes it again:"
    return f"This line computes it again beside {', '.join(beside)}, which “{LABELS['cli']}” brings:"


def _meaning(kind: str) -> str:
    return "all of the below in one file, with an explanation" if kind == ARCHIVE else EXPORTS[kind].meaning


def _single(files: Files, stem: str, kind: str) -> tuple[str, bytes]:
    contents = {name: c.read_bytes() if isinstance(c, Path) else c.encode() for name, c in files.items()}
    if not contents:
        raise InputError("There is nothing of this kind to take away from this run.")
    if len(contents) == 1:
        ((name, content),) = contents.items()
        return f"{stem}-{name}", content
    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return f"{stem}-{kind}.zip", packed.getvalue()
