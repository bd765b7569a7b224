"""What a calculation says: an energy, and the size at which the energy has its minimum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from mlxc.calculation.calculation import Calculation
from mlxc.calculation.volumes import states_at_volumes
from mlxc.crystal.resizing import lattice_constant, natural_variation
from mlxc.errors import InputError
from mlxc.kohn_sham.monitor import Monitor
from mlxc.kohn_sham.state import GroundState
from mlxc.properties.birch_murnaghan import FitError, fit_birch_murnaghan
from mlxc.units import BOHR_ANG

# Volumes, or areas of a sheet, at which energies are computed, in units of the given one.
RATIOS = (0.96, 1.0, 1.04)
# A minimum farther away than this is none that three points tell anything of.
TRUSTED_RATIOS = (0.75, 1.35)
# What is tolerable: each of these is an error of severity one.
TOLERABLE_SIZE_PERCENT = 0.2
TOLERABLE_ENERGY_MHA = 2.0
TOLERABLE_GAP_EV = 0.1
# A mistake that leaves no answer at all.
NO_ANSWER = 50.0
# An SCF that has not settled by then is not going to.
MAX_ITERATIONS = 30


@dataclass(frozen=True)
class Prediction:
    """What a calculation says.

    Attributes:
        converged: Whether the SCF at the given size has converged, so that it can be believed.
        message: Why it has not, in one sentence.
        state: The state at the given size; None where nothing could be computed.
        larger: The converged state at the largest of ``RATIOS``, if sizes were asked for.
        energy_ha: The energy per atom, at the given size, hartree; of a metal extrapolated to no smearing, E = F +
            TS/2: M. J. Gillan, J. Phys.: Condens. Matter 1, 689 (1989). None unless converged.
        size: The linear size at the minimum of the energy, in units of the given one; None where there is no minimum
            nearby, or it has not been asked for.
    """

    converged: bool
    message: str
    state: GroundState | None = None
    energy_ha: float | None = None
    size: float | None = None
    larger: GroundState | None = None

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
    calculation = calculation.model_copy(update={"max_iterations": MAX_ITERATIONS})
    small, given, large = calculation.at_volumes(RATIOS)
    # The given size comes first, since without it there is nothing to say.
    states = states_at_volumes([given, small, large], functional, monitor, [start] if start else ())
    try:
        state = next(states)
    except InputError as error:
        return Prediction(False, str(error))
    if not state.converged:
        return Prediction(False, state.message, state)
    energy = _energy_per_atom(state)
    if not with_size:
        return Prediction(True, "", state, energy)
    smaller, larger = states
    if not (smaller.converged and larger.converged):
        return Prediction(True, "", state, energy)
    energies = [float(s.energy.detach()) for s in (smaller, state, larger)]
    size = size_at_minimum(energies, 2 if natural_variation(calculation.crystal) == "area" else 3)
    return Prediction(True, "", state, energy, size, larger)


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
    """The lattice constant, or how much larger than the given one the crystal would be."""
    if answer.size is None:
        return "no equilibrium size"
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
