"""What happens across the vacuum? Density, e_xc and v_xc averaged over planes, and the electrostatic potential."""

from __future__ import annotations

import torch
from torch import Tensor

from mlxc.crystal.resizing import height_ang
from mlxc.crystal.vacuum import vacuum_directions
from mlxc.kohn_sham.state import GroundState
from mlxc.tasks.diagnosis.finding import Curve, Finding, Plot
from mlxc.tasks.diagnosis.under_test import CalculationUnderTest
from mlxc.units import BOHR_ANG, HARTREE_EV
from mlxc.xc.catalogue import functional

TITLE = "What do the potentials do across the cell, above all in the vacuum?"
# Electrons/bohr^3: where there are fewer it is a vacuum.
VACUUM_DENSITY = 1e-4
# A v_xc in the vacuum that differs so much from the baseline's, hartree, is worth a sentence.
STRANGE_HA = 0.3


def examine_profile(tested: CalculationUnderTest) -> Finding:
    """Planar averages across a sheet, or along the third lattice vector of a bulk crystal."""
    state = tested.sound.state
    if state is None:
        return Finding("profile", TITLE, f"There is no density to look at: {tested.sound.message}.")
    crystal = state.crystal
    directions = vacuum_directions(crystal)
    axis = directions[0] if len(directions) == 1 else 2
    height = height_ang(crystal) if len(directions) == 1 else float(crystal.volume / _base(crystal.lattice, axis))
    density = state.density.detach()
    tau = None if state.kinetic_density is None else state.kinetic_density.detach()
    tau = state.problem.xc.all_fields(state.orbitals, state.occupations).tau if tau is None else tau
    own_energy, own = state.problem.xc.on_grid(tested.functional, density, tau)
    other_energy, other = state.problem.xc.on_grid(functional(tested.baseline_name), density, tau)
    places = [height * index / density.shape[1 + axis] for index in range(density.shape[1 + axis])]
    total = density.sum(0)
    names = (tested.calculation.xc, tested.baseline_name)
    names = names if names[0] != names[1] else (names[0], "")
    plots = [
        _plot("Density", places, "density (electrons/bohr³)", {"density": total}, axis, "y"),
        _plot("XC potential", places, "v_xc (Ha)", dict(zip(names, (own.mean(0), other.mean(0)), strict=True)), axis),
        _plot("XC energy per volume", places, "−e_xc (Ha/bohr³)",
              dict(zip(names, (-own_energy, -other_energy), strict=True)), axis, "y"),
    ]  # fmt: skip
    empty = total < VACUUM_DENSITY
    numbers = _vacuum_numbers(empty, own.mean(0), other.mean(0))
    if len(directions) == 1:
        numbers |= _electric_numbers(
            _planar(state.problem.electric_potential(density), axis), _planar(total, axis), state
        )
    return Finding("profile", TITLE, _sentence(numbers, tested), numbers=numbers, plots=plots)


def _base(lattice: object, axis: int) -> float:
    import numpy as np

    first, second = np.delete(np.asarray(lattice), axis, axis=0)
    return float(np.linalg.norm(np.cross(first, second)) / BOHR_ANG)


def _planar(field: Tensor, axis: int) -> Tensor:
    """The mean over planes, from ``(n1, n2, n3)``."""
    return field.mean([index for index in range(3) if index != axis])


def _plot(
    title: str, places: list[float], label: str, fields: dict[str, Tensor], axis: int, logarithmic: str = ""
) -> Plot:
    curves = [Curve(name, places, _planar(field, axis).tolist()) for name, field in fields.items() if name]
    return Plot(f"{title}, averaged over planes", "distance across the cell (Å)", label, curves, logarithmic)  # type: ignore[arg-type]


def _vacuum_numbers(empty: Tensor, own: Tensor, other: Tensor) -> dict[str, float | None]:
    """Extremes of v_xc where the density is small, of the functional and of the baseline."""
    if not bool(empty.any()):
        return {"vacuum_share_of_volume": 0.0}
    return {
        "vacuum_share_of_volume": float(empty.double().mean()),
        "vacuum_lowest_v_xc_ha": float(own[empty].min()),
        "vacuum_highest_v_xc_ha": float(own[empty].max()),
        "vacuum_lowest_baseline_v_xc_ha": float(other[empty].min()),
        "vacuum_highest_baseline_v_xc_ha": float(other[empty].max()),
        "vacuum_largest_v_xc_difference_ha": float((own - other)[empty].abs().max()),
    }


def _electric_numbers(potential: Tensor, density: Tensor, state: GroundState) -> dict[str, float | None]:
    """Work function, and the step that a dipole makes, from the electrostatic potential in the emptiest planes."""
    order = torch.roll(torch.arange(len(density)), len(density) // 2 - int(density.argmin()))
    # The middle third of the vacuum, where the potential is flat unless a dipole tilts it.
    half = max(1, len(density) // 12)
    middle = order[len(density) // 2 - half : len(density) // 2 + half + 1]
    slope = float((potential[middle[-1]] - potential[middle[0]]) / (len(middle) - 1))
    level = float(potential[middle].mean())
    fermi = state.fermi_level
    return {
        "work_function_ev": (level - fermi) * HARTREE_EV,
        "potential_step_ev": abs(slope) * len(density) * HARTREE_EV,
        "lowest_density_in_vacuum": float(density.min()),
    }


def _sentence(numbers: dict[str, float | None], tested: CalculationUnderTest) -> str:
    words = []
    if (work := numbers.get("work_function_ev")) is not None:
        step = numbers["potential_step_ev"]
        words.append(f"The work function is {work:.2f} eV and the potential step across the vacuum {step:.3f} eV.")
    difference = numbers.get("vacuum_largest_v_xc_difference_ha")
    if difference is None:
        words.append("The cell has no vacuum: the density is above 0.0001 electrons/bohr³ everywhere.")
    elif tested.calculation.xc == tested.baseline_name or difference < STRANGE_HA:
        low, high = numbers["vacuum_lowest_v_xc_ha"], numbers["vacuum_highest_v_xc_ha"]
        words.append(f"In the vacuum v_xc lies between {low:.3g} and {high:.3g} Ha, as it should.")
    else:
        low, high = numbers["vacuum_lowest_v_xc_ha"], numbers["vacuum_highest_v_xc_ha"]
        usual = numbers["vacuum_lowest_baseline_v_xc_ha"], numbers["vacuum_highest_baseline_v_xc_ha"]
        words.append(
            f"In the vacuum v_xc of {tested.calculation.xc} lies between {low:.3g} and {high:.3g} Ha, where that of "
            f"{tested.baseline_name} at the same density lies between {usual[0]:.3g} and {usual[1]:.3g} Ha."
        )
    return " ".join(words)
