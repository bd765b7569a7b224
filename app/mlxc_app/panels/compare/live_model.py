"""The same crystal in another code, here and now, while people watch."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

from traitlets import Bool, Dict, HasTraits, Unicode

from mlxc.codes.live import ReferenceRun, available_codes, label_of
from mlxc.codes.result import CodeResult
from mlxc.errors import InputError
from mlxc.runs.folder import RunFolder
from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc.tasks.kinds import required_calculation
from mlxc_app.panels.compare.compared_run import NUMBERS, ComparedRun, curve_of, energy_per_atom, errors_of


@dataclass(frozen=True)
class LiveColumn:
    """What another code has found for a run."""

    result: CodeResult

    @property
    def remarks(self) -> tuple[str, ...]:
        """What there is to say about it."""
        return tuple(filter(None, (self.result.note, self.result.message)))

    def beside(self, run: ComparedRun) -> ComparedRun:
        """The column that belongs beside that of the run."""
        found, crystal = self.result, run.calculation.crystal
        figures: dict[str, Any] = found.eos or {"free_energy_ha": found.free_energy_ha}
        own = {"gap_ev": found.gap_ev, "magnetisation_bohr_magneton": found.magnetisation_bohr_magneton}
        numbers = {name: figures.get(name) for name in NUMBERS} | own
        label = label_of(found.code)
        return replace(
            run,
            letter=f"{run.letter} in {label}",
            title=f"{label} {found.version or ''}".strip(),
            state="finished" if found.converged else "not converged",
            settings={
                **run.settings,
                "functional": found.xc or "–",
                "basis": found.basis or "–",
                "cutoff": "–",
                "pseudopotentials": found.pseudo or "–",
            },
            energy_per_atom_ha=energy_per_atom(figures, crystal),
            energy_zero=run.energy_zero if found.energy_comparable else (found.code,),
            results=numbers | {"iterations": found.iterations, "seconds": found.seconds},
            errors=errors_of(figures, crystal),
            curve=curve_of(figures, crystal),
            residuals=(),
        )


class LiveModel(HasTraits):
    """One computation in another code at a time.

    Attributes:
        running: Whether a computation is running.
        words: How far it is, in a few words.
        columns: What codes have found for the same as a run, by the folder of that run.
    """

    running = Bool(False)
    words = Unicode()
    columns = Dict()

    def __init__(self) -> None:
        super().__init__()
        self._wanted: asyncio.Queue[tuple[str, RunFolder]] = asyncio.Queue()
        self._run: ReferenceRun | None = None
        self._is_stopped = False

    def codes(self) -> dict[str, str]:
        """The labels of the codes that are here, by name."""
        return {name: label_of(name) for name, missing in available_codes().items() if not missing}

    def start(self, code: str, folder: RunFolder) -> None:
        """Compute what a run has computed in another code.

        Raises:
            InputError: another computation is not finished yet.
        """
        if self.running:
            raise InputError("Another code is computing: stop it, or wait for its end.")
        self.running, self._is_stopped = True, False
        self.words = f"{label_of(code)} is starting …"
        self._wanted.put_nowait((code, folder))

    def stop(self) -> None:
        """End the computation at once."""
        self._is_stopped = True
        if self._run is not None:
            self._run.stop()

    async def follow(self) -> None:
        """Compute what is asked for, one after the other."""
        while True:
            code, folder = await self._wanted.get()
            try:
                await self._compute(code, folder)
            except Exception as error:  # nobody would ever see it
                self.words = f"{label_of(code)} met an unexpected problem ({type(error).__name__}: {error})."
            finally:
                self._run, self.running = None, False

    async def _compute(self, code: str, folder: RunFolder) -> None:
        # With SciPy, which a page can do without until now.
        from mlxc.codes.cases import AS_GIVEN, Sizes
        from mlxc.codes.other_code import run_in_code

        loop, task = asyncio.get_running_loop(), folder.task
        sizes = Sizes(tuple(task.ratios), task.vary) if isinstance(task, EquationOfStateTask) else AS_GIVEN

        def watch(_: str, record: dict[str, Any]) -> None:
            loop.call_soon_threadsafe(self._tell, code, record)

        result = await asyncio.to_thread(run_in_code, code, required_calculation(task), watch, self._remember, sizes)
        if self._is_stopped:
            self.words = f"{label_of(code)} was stopped."
            return
        self.words = result.message or f"{label_of(code)} has finished in {result.seconds:.1f} s."
        if result.free_energy_ha is not None:
            key = str(folder.path)
            others = [column for column in self.columns.get(key, ()) if column.result.code != code]
            self.columns = {**self.columns, key: (*others, LiveColumn(result))}

    def _remember(self, run: ReferenceRun) -> None:
        self._run = run
        if self._is_stopped:
            run.stop()

    def _tell(self, code: str, record: dict[str, Any]) -> None:
        if record["kind"] == "iteration" and not self._is_stopped:
            of_point = "" if record.get("point") is None else f"volume {record['point'] + 1}, "
            self.words = f"{label_of(code)}: {of_point}step {record['iteration']}, {record['seconds']:.0f} s"
