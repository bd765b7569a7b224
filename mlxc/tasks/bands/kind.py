"""Bands and density of states as a kind of task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlxc.console.record_table import Tell
from mlxc.crystal.brillouin import irreducible_mesh
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.kohn_sham.monitor import Monitor
from mlxc.tasks.bands.presentation import PORTIONS, band_report, bands_outcome, bands_sentence
from mlxc.tasks.bands.task import BandsTask
from mlxc.tasks.command import Command, Option
from mlxc.tasks.kind import ITERATION, ITERATIONS, Ending, Figure, Kind
from mlxc.tasks.parts import Parts

if TYPE_CHECKING:
    from mlxc.properties.bands import BandStructure


def _run(task: BandsTask, monitor: Monitor | None, tell: Tell) -> BandStructure:
    from mlxc.tasks.bands.run import run_bands

    return run_bands(task, monitor, tell)


def _ending(bands: BandStructure) -> Ending:
    return Ending(bands.converged, bands.message, bands.ground)


# Bands at one k point take a good half of what an SCF takes for it: they begin from nothing, in a potential that stays.
OF_AN_SCF = 0.6


def _parts(task: BandsTask) -> Parts:
    kpoints = len(irreducible_mesh(task.calculation.kmesh, SpaceGroup.of(task.calculation.crystal)))
    return Parts(after=OF_AN_SCF * (task.points + kpoints) / kpoints)


BANDS = Kind(
    name="bands",
    title="bands",
    task=BandsTask,
    run=_run,
    ending=_ending,
    records={ITERATION: ITERATIONS, "bands": PORTIONS},
    report=band_report,
    headline=bands_sentence,
    outcome=bands_outcome,
    figures=(
        Figure("magnetisation_bohr_magneton", "magnetisation", " Bohr magneton", ".4f"),
        Figure("gap_ev", "gap", " eV", ".4f"),
    ),
    command=Command(
        "bands",
        "bands, gap and density of states",
        (
            Option("--points", ("points",), "k points along the path, up to 200 (100)", {"type": int, "metavar": "N"}),
            Option(
                "--dos-width",
                ("dos_width_ev",),
                "of levels in the density of states, eV (0.2)",
                {"type": float, "metavar": "EV"},
            ),
        ),
        gives_uncertainty=True,
    ),
    parts=_parts,
)
