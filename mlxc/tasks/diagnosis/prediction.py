"""What a calculation says: an energy, and the size at which the energy has its minimum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import nn

from mlxc.calculation.calculation import Calculation
from mlxc.calculation.run import run_calculation
from mlxc.calculation.volumes import states_at_volumes
from mlxc.crystal.resizing import lattice_constant, natural_variation
from mlxc.errors import InputError
from mlxc.kohn_sham.monitor import Monitor, SCFRecord
from mlxc.kohn_sham.state import GroundState
from mlxc.properties.birch_murnaghan import FitError, fit_birch_murnaghan
from mlxc.units import BOHR_ANG

# Volumes, or areas of a sheet, at which energies are computed, in units of the given one.
RATIOS = (0.96, 1.0, 1.04)
# A minimum farther away than this is none that three points tell anything of.
TRUSTED_RATIOS = (0.75, 1.35)
# An SCF that has not settled by then is not going to, and neither is one whose residual has not fallen to this share
# of the first one within fewer steps.
MAX_ITERATIONS, PATIENCE, SMALL_SHARE = 30, 12, 0.3
# Density residual at which answers that are only compared stop: energies are of second order in it, and right to
# microhartrees.
COMPARED_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Prediction:
    """What a calculation says.

    Attributes:
        converged: Whether the SCF at the given size has converged, so that it can be believed.
        message: Why there is no answer, in part of a sentence.
        is_measured: Whether it was computed at all.
        history: The steps of the SCF at the given size.
        state: The state at the given size; None where nothing could be computed.
        larger: The converged state at the largest of ``RATIOS``, if sizes were asked for.
        energy_ha: The energy per atom, at the given size, hartree; of a metal extrapolated to no smearing, E = F +
            TS/2: M. J. Gillan, J. Phys.: Condens. Matter 1, 689 (1989). None unless converged.
        size: The linear size at the minimum of the energy, in units of the given one; None where there is no minimum
            nearby, or it has not been asked for.
        without_size: Why there is no size, in part of a sentence.
    """

    converged: bool
    message: str
    state: GroundState | None = None
    energy_ha: float | None = None
    size: float | None = None
    larger: GroundState | None = None
    is_measured: bool = True
    history: Sequence[SCFRecord] = ()
    without_size: str = ""

    @property
    def has_no_minimum(self) -> bool:
        """Whether the energies at all sizes are known, and have no minimum nearby."""
        return self.larger is not None and self.size is None

    def size_change_percent(self, other: Prediction) -> float | None:
        """How much larger the size of this prediction is than another's."""
        return None if self.size is None or other.size is None else 100 * (self.size / other.size - 1)

    def energy_change_mha(self, other: Prediction) -> float | None:
        """How much higher the energy of this prediction is than another's, millihartree per atom."""
        no_energy = self.energy_ha is None or other.energy_ha is None
        return None if no_energy else 1000 * (self.energy_ha - other.energy_ha)  # type: ignore[operator]


def predict(
    calculation: Calculation,
    functional: nn.Module,
    monitor: Monitor | None,
    start: GroundState | None = None,
    with_size: bool = True,
) -> Prediction:
    """Compute what a calculation says with some functional.

    Args:
        calculation: The calculation, whose own functional does not count.
        functional: The functional that counts.
        monitor: A function that is told of every SCF step.
        start: A similar state to start from.
        with_size: Whether the size is wanted, which costs two more SCFs.
    """
    small, given, large = calculation.model_copy(update={"max_iterations": MAX_ITERATIONS}).at_volumes(RATIOS)
    small, large = (to_compare(strained) for strained in (small, large))
    # The given size comes first, since without it there is nothing to say.
    try:
        state, history = _patiently(given, functional, monitor, start)
    except InputError as error:
        return Prediction(False, str(error).rstrip("."))
    if not state.converged:
        return Prediction(False, _failure(history, calculation.tolerance), state, history=history)
    found = Prediction(True, "", state, _energy_per_atom(state), history=history)
    if not with_size:
        return replace(found, without_size="the size was not asked for")
    smaller, larger = states_at_volumes([small, large], functional, monitor, [state, state])
    if not (smaller.converged and larger.converged):
        return replace(found, without_size="no size, since the SCF does not settle when the crystal is strained")
    energies = [float(s.energy.detach()) for s in (smaller, state, larger)]
    size = size_at_minimum(energies, 2 if natural_variation(calculation.crystal) == "area" else 3)
    return replace(found, size=size, larger=larger, without_size="" if size else "no equilibrium size nearby")


def to_compare(calculation: Calculation) -> Calculation:
    """The calculation, as accurate as it needs to be if its energy is only to be compared."""
    return calculation.model_copy(update={"tolerance": max(calculation.tolerance, COMPARED_TOLERANCE)})


NOT_MEASURED = Prediction(False, "it would take too long", is_measured=False)


def _patiently(
    calculation: Calculation, functional: nn.Module, monitor: Monitor | None, start: GroundState | None
) -> tuple[GroundState, list[SCFRecord]]:
    """A state and the steps towards it, which go on only if the residual falls."""
    few = calculation.model_copy(update={"max_iterations": PATIENCE})
    state = run_calculation(few, monitor, [start] if start else [], functional)
    history = list(state.history)
    if state.converged or history[-1].density_residual > SMALL_SHARE * history[0].density_residual:
        return state, history
    more = calculation.model_copy(update={"max_iterations": calculation.max_iterations - PATIENCE})
    state = run_calculation(more, monitor, [state], functional)
    return state, [*history, *(replace(step, iteration=step.iteration + len(history)) for step in state.history)]


def _failure(history: Sequence[SCFRecord], tolerance: float) -> str:
    last = history[-1].density_residual
    return f"after {len(history)} steps the density residual is {last:.1e}, where {tolerance:.0e} is asked for"


def size_at_minimum(energies: Sequence[float], dimensions: int) -> float | None:
    """Linear size at the minimum of the energies at ``RATIOS``, in units of the given one; None if it has none nearby.

    It is that of the Birch-Murnaghan equation of state of second order. For a sheet, the ratios are those of areas.
    """
    try:
        ratio = fit_birch_murnaghan(RATIOS, energies, order=2, trusted=TRUSTED_RATIOS).volume0
    except FitError:
        return None
    return ratio ** (1 / dimensions)


def size_in_words(answer: Prediction, calculation: Calculation) -> str:
    """The lattice constant, or how much larger than the given one the crystal would be, or why that is not known."""
    if not answer.is_measured:
        return f"not measured, since {answer.message}"
    if not answer.converged:
        return "the SCF does not converge"
    if answer.size is None:
        return answer.without_size
    crystal = calculation.crystal
    vary = natural_variation(crystal)
    ratio = answer.size ** (2 if vary == "area" else 3)
    constant = lattice_constant(crystal, crystal.volume * BOHR_ANG**3 * ratio, vary)
    if constant is None:
        return f"a size {100 * (answer.size - 1):+z.2f} % from the given one"
    return f"a lattice constant of {constant:.3f} angstrom"


def _energy_per_atom(state: GroundState) -> float:
    free_energy = float(state.energy.detach())
    return (free_energy - state.energies.get("entropy", 0.0) / 2) / len(state.crystal.species)
