"""Bands and density of states: of the run that is shown, and of another one of the same crystal beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from traitlets import HasTraits, Instance, Tuple, Unicode, observe

from mlxc.errors import InputError
from mlxc.runs.folder import RunFolder
from mlxc.runs.kept import find_run
from mlxc.runs.start import with_ground_state
from mlxc.tasks.bands.presentation import GREEK, gap_in_words, own_levels_ev
from mlxc.tasks.bands.task import BandsTask
from mlxc.tasks.given_start import origin_in_words
from mlxc.tasks.kind import STAGE
from mlxc_app.choose.model import ChooseModel
from mlxc_app.run.model import RunModel
from mlxc_app.run.runs_list_model import visible_runs

# The choice of no other run.
NOTHING = ""
NOT_CONVERGED = "Not converged: not the bands of the crystal"


@dataclass(frozen=True, eq=False)
class Bands:
    """The bands of one run; energies in electronvolt from its Fermi level.

    Attributes:
        title: The title of the run.
        distances: The distances along the path, 1/bohr, shape ``(nk,)``.
        energies: The energies of the bands, shape ``(nspin, nk, nband)``.
        dos_energies: The energies at which the density of states is known, shape ``(nenergy,)``; empty before the run
            has ended, as is ``states``.
        states: The density of states, per electronvolt and cell, shape ``(nspin, nenergy)``.
        deviations: The standard deviations of the energies, of their shape; None where the functional does not tell.
    """

    title: str
    distances: NDArray[np.float64]
    energies: NDArray[np.float64]
    dos_energies: NDArray[np.float64]
    states: NDArray[np.float64]
    deviations: NDArray[np.float64] | None = None

    @property
    def complete_ev(self) -> float:
        """Up to which energy all levels are known, of the bands and of the density of states, electronvolt."""
        uppermost = float(self.energies[..., -1].min())
        return min(uppermost, float(self.dos_energies[-1])) if len(self.dos_energies) else uppermost


@dataclass(frozen=True, eq=False)
class BandsPicture:
    """What the panel shows.

    Attributes:
        title: The title of the run; empty if the run in hand is of another kind.
        bands: The bands so far; None before the first.
        labels: The distance (1/bohr) and the name of each corner of the path.
        edges: The (distance, energy) of the edges of the gap, as far as they lie on the path.
        levels: The Fermi level of each spin, where they differ; else zero alone.
        words: What there is to say about the gap, or about how far the run has come.
        other: The bands that are laid over.
        doubt: What is to be written on the figure; empty if there is nothing to doubt.
    """

    title: str = ""
    bands: Bands | None = None
    labels: tuple[tuple[float, str], ...] = ()
    edges: tuple[tuple[float, float], ...] = ()
    levels: tuple[float, ...] = (0.0,)
    words: str = ""
    other: Bands | None = None
    doubt: str = ""


class BandsModel(HasTraits):
    """Starts bands of what is chosen, and follows them.

    Attributes:
        picture: What is to be seen.
        others: The (title, name of the folder) of the finished runs that can be laid over, the newest first.
        other: The name of the folder of the run that is laid over; empty for none.
    """

    picture = Instance(BandsPicture, args=())
    others = Tuple()
    other = Unicode(NOTHING)

    def __init__(self, run: RunModel, choose: ChooseModel) -> None:
        super().__init__()
        self._run, self._choose = run, choose
        run.observe(self._redraw, ["result", "title", "kind"])
        run.observe_records(self._redraw, "bands", "iteration", STAGE)
        run.observe(self.find_others, "state")

    def task(self) -> BandsTask:
        """The bands of what is chosen.

        Raises:
            InputError: it cannot be computed, or has no bands.
        """
        from mlxc.crystal.brillouin import band_path

        task = BandsTask.from_dict({"calculation": self._choose.calculation().told_with_bars().model_dump()})
        band_path(task.calculation.crystal, task.points)  # a molecule has none
        return task

    def start(self) -> None:
        """Compute the bands of what is chosen.

        Raises:
            InputError: it cannot be computed, or has no bands.
        """
        task = self.task()
        earlier = with_ground_state(task.calculation, visible_runs(self._run.owner))
        self._run.start(task, self._choose.run_title(), earlier)

    def find_others(self, change: Any = None) -> None:
        """Look again which runs there are to lay over."""
        task = self._run.task
        if not isinstance(task, BandsTask):
            self.other, self.others = NOTHING, ()
            return
        found = tuple(
            (folder.title, folder.path.name)
            for folder in visible_runs(self._run.owner)
            if folder != self._run.folder and _is_comparable(folder, task)
        )
        if self.other not in [name for _, name in found]:
            self.other = NOTHING
        self.others = found

    @observe("other")
    def _redraw(self, change: Any = None) -> None:
        run = self._run
        if run.kind != "bands" or not isinstance(run.task, BandsTask):
            self.picture = BandsPicture()
            return
        result = run.result if "bands_ev" in run.result else {}
        bands = _of_result(run.title, result) if result else _of_portions(run.title, run.of_kind("bands"))
        self.picture = BandsPicture(
            title=run.title,
            bands=bands,
            labels=_labels(result["labels"]) if result else _expected_labels(run.task, bands),
            edges=_edges(result),
            levels=tuple(level for _, level in own_levels_ev(result)) or (0.0,),
            words=_words(run) if result else self._progress(),
            other=self._other(),
            doubt="" if result.get("converged", True) else NOT_CONVERGED,
        )

    def _progress(self) -> str:
        if not self._run.active:
            return ""
        portions, last_one = self._run.of_kind("bands"), self._run.records[-1:]
        if not portions and last_one and last_one[0]["kind"] == STAGE and self._run.of_kind("iteration"):
            return f"{last_one[0]['words']}; the bands follow."
        if not portions:
            return f"First the ground state: SCF step {len(self._run.of_kind('iteration'))}."
        last = portions[-1]
        return f"{last['computed']} of {last['points']} k points along the path."

    def _other(self) -> Bands | None:
        if self.other == NOTHING:
            return None
        folder = find_run(self.other)
        return _of_result(folder.title, folder.result) if folder.result else None


def _words(run: RunModel) -> str:
    return f"{gap_in_words(run.result)} {origin_in_words(run.of_kind(STAGE))}".strip()


def _is_comparable(folder: RunFolder, task: BandsTask) -> bool:
    """Whether these are finished bands of the same crystal, so that the path is the same."""
    if folder.kind != "bands" or folder.status["state"] != "finished":
        return False
    try:
        other = folder.task
    except InputError:  # of another version
        return False
    return isinstance(other, BandsTask) and other.calculation.crystal.same_as(task.calculation.crystal)


def _of_result(title: str, result: Mapping[str, Any]) -> Bands:
    dos = result["dos"]
    distances, energies = np.array(result["distances_per_bohr"]), np.array(result["bands_ev"])
    told = (result.get("uncertainty") or {}).get("bands_standard_deviation_ev")
    deviations = None if told is None else np.array(told)
    return Bands(title, distances, energies, np.array(dos["energies_ev"]), np.array(dos["states_per_ev"]), deviations)


def _of_portions(title: str, portions: Sequence[Mapping[str, Any]]) -> Bands | None:
    if not portions:
        return None
    distances = np.concatenate([portion["distances_per_bohr"] for portion in portions])
    levels = [np.array(portion["bands_ev"]) for portion in portions]
    # Small bases of Gaussians have fewer bands at some k points.
    nband = min(part.shape[-1] for part in levels)
    energies = np.concatenate([part[..., :nband] for part in levels], axis=1)
    return Bands(title, distances, energies, np.zeros(0), np.zeros((len(energies), 0)))


def _expected_labels(task: BandsTask, bands: Bands | None) -> tuple[tuple[float, str], ...]:
    if bands is None:
        return ()
    from mlxc.crystal.brillouin import band_path

    return _labels(band_path(task.calculation.crystal, task.points).labels)


def _labels(labels: Sequence[Sequence[Any]]) -> tuple[tuple[float, str], ...]:
    """The labels with Greek letters; a place where the path jumps has both names in one."""
    merged: list[tuple[float, str]] = []
    for distance, name in labels:
        name = GREEK.get(name, name)
        if merged and abs(merged[-1][0] - distance) < 1e-6:
            merged[-1] = distance, f"{merged[-1][1]}|{name}"
        else:
            merged.append((distance, name))
    return tuple(merged)


def _edges(result: Mapping[str, Any]) -> tuple[tuple[float, float], ...]:
    """Where the edges of the gap lie on the path; those on the k mesh do not."""
    found = []
    for edge in ("valence_band_maximum", "conduction_band_minimum"):
        if result.get(edge) is not None:
            far = np.abs(np.array(result["kpoints_fractional"]) - result[edge]["kpoint_fractional"]).max(axis=1)
            if far.min() < 1e-6:
                found.append((result["distances_per_bohr"][int(far.argmin())], result[edge]["energy_ev"]))
    return tuple(found)
