"""Do atoms borrow functions from their neighbours? The superposition error of Gaussian sets, by ghost orbitals."""

from __future__ import annotations

from mlxc.basis.gaussian.basis import GaussianOrbitals
from mlxc.basis.gaussian.cell import Ghost
from mlxc.basis.gaussian.kind import GAUSSIAN_ORBITALS
from mlxc.crystal.crystal import Crystal
from mlxc.crystal.vacuum import vacuum_directions
from mlxc.ground_state import scf
from mlxc.tasks.diagnosis.finding import Finding
from mlxc.tasks.diagnosis.under_test import CalculationUnderTest
from mlxc.terms.entropy import FermiDirac

TITLE = "How much does an atom gain from the functions of its neighbours?"
# Of the density: the energy is right to second order in it, about a microhartree.
TOLERANCE = 1e-4
# An atom's shells are not full: hartree.
SMEARING = FermiDirac(0.01)


def examine_superposition(tested: CalculationUnderTest) -> Finding:
    """The counterpoise correction of S. F. Boys, F. Bernardi, Mol. Phys. 19, 553 (1970), of each element's atoms.

    One atom of the crystal is computed alone, once with its own functions and once with those of all atoms around it;
    what it gains is an error of the cohesive energy, and pulls atoms together.
    """
    calculation = tested.calculation
    if calculation.basis_kind is not GAUSSIAN_ORBITALS:
        return Finding(
            "superposition", TITLE, "Plane waves are the same wherever the atoms are: there is no such error."
        )
    gains: dict[str, float] = {}
    for symbol in dict.fromkeys(calculation.crystal.species):
        gain = _gain_mha(tested, symbol)
        if gain is None:
            return Finding("superposition", TITLE, f"An atom of {symbol} alone does not converge in this basis.")
        gains[symbol] = gain
    species = calculation.crystal.species
    mean = sum(gains[symbol] for symbol in species) / len(species)
    words = ", ".join(f"{symbol} {gain:.2f}" for symbol, gain in gains.items())
    return Finding(
        "superposition",
        TITLE,
        f"In {calculation.gaussian_basis} an atom gains {mean:.2f} mHa from functions around it ({words}): it counts "
        "as bonding though it is none.",
        numbers={"gain_mha": gains, "mean_gain_mha_per_atom": mean},
    )


def surrounded_atom(crystal: Crystal, symbol: str) -> tuple[Crystal, tuple[Ghost, ...]]:
    """One atom of an element, and the sites of the others in its cell as ghosts.

    A cell with a single atom is doubled along each direction without a vacuum.
    """
    repeats = [1 if axis in vacuum_directions(crystal) else 2 for axis in range(3)]
    cell = crystal if len(crystal.species) > 1 else crystal.supercell(repeats[0], repeats[1], repeats[2])
    kept = cell.species.index(symbol)
    ghosts = tuple(
        (other, (float(x), float(y), float(z)))
        for index, (other, (x, y, z)) in enumerate(zip(cell.species, cell.positions, strict=True))
        if index != kept
    )
    return Crystal(cell.lattice, [symbol], cell.positions[kept : kept + 1], name=f"{symbol} alone"), ghosts


def _gain_mha(tested: CalculationUnderTest, symbol: str) -> float | None:
    calculation = tested.calculation
    atom, ghosts = surrounded_atom(calculation.crystal, symbol)
    name, names = calculation.gaussian_basis, calculation.gaussian_basis_names
    assert name is not None  # the calculation has checked it
    energies = []
    for around in ((), ghosts):
        present = {symbol, *(other for other, _ in around)}
        own = {element: special for element, special in names.items() if element in present}
        state = scf(
            atom,
            xc=tested.sound_functional[0],
            basis=GaussianOrbitals(name, own, calculation.ecut_ha, ghosts=around),
            kmesh=(1, 1, 1),
            smearing=SMEARING,
            pseudo=calculation.pseudo,
            pseudo_names={element: p for element, p in calculation.pseudo_names.items() if element == symbol},
            tolerance=TOLERANCE,
            monitor=tested.monitor,
        )
        if not state.converged:
            return None
        energies.append(float(state.energy.detach()))
    return 1000 * (energies[0] - energies[1])
